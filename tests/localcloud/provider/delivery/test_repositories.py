import json
from typing import Any

import pytest

from components.registry_policies import lifecycle_policy, pull_policy
from localcloud.provider.errors import ApiRefused

REPOSITORY = "aws:ecr/repository:Repository"
LIFECYCLE, ACCESS = "aws:ecr/lifecyclePolicy:LifecyclePolicy", "aws:ecr/repositoryPolicy:RepositoryPolicy"
INPUTS = {
    "imageTagMutability": "IMMUTABLE",
    "imageScanningConfiguration": {"scanOnPush": True},
    "encryptionConfigurations": [{"encryptionType": "AES256"}],
    "tags": {"Team": "shop"},
}
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
MANIFEST = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "layers": [], "config": {"digest": "sha256:1"}})


def test_a_repository_lives(engine: Any) -> None:
    repository = engine.create(REPOSITORY, INPUTS, name="web-images")
    host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
    assert repository.outputs["repositoryUrl"] == f"{host}/{repository.id}"
    assert repository.outputs["arn"] == f"arn:aws:ecr:eu-west-1:123456789012:repository/{repository.id}"
    assert repository.outputs["registryId"] == "123456789012"
    repository.update(imageTagMutability="MUTABLE", tags={"Team": "till"})
    repository.update(imageScanningConfiguration=None, forceDelete=True)
    assert repository.diff(encryptionConfigurations=[{"encryptionType": "KMS"}]).replaces == (
        "encryptionConfigurations",
    )
    assert repository.diff(name="other").replaces == ("name",)
    assert repository.imported()["encryptionConfigurations"] == [{"encryptionType": "AES256"}]
    repository.delete()


def test_drift_is_seen(engine: Any, call: Any) -> None:
    repository = engine.create(REPOSITORY, INPUTS)
    call("ecr", "put_image_tag_mutability", repositoryName=repository.id, imageTagMutability="MUTABLE")
    assert repository.refresh()["imageTagMutability"] == "MUTABLE"
    repository.delete()


def test_a_repository_with_images_goes_by_force_only(engine: Any, call: Any) -> None:
    repository = engine.create(REPOSITORY, INPUTS)
    call("ecr", "put_image", repositoryName=repository.id, imageManifest=MANIFEST, imageTag="build-1")
    with pytest.raises(ApiRefused, match="RepositoryNotEmpty"):
        repository.delete()
    repository.update(forceDelete=True)
    repository.delete()


def test_policies_of_a_repository_live(engine: Any, call: Any) -> None:
    repository = engine.create(REPOSITORY, INPUTS)
    expiry = engine.create(LIFECYCLE, {"repository": repository.id, "policy": lifecycle_policy(100, 7)})
    expiry.update(policy=lifecycle_policy(50, 7))
    access = engine.create(ACCESS, {"repository": repository.id, "policy": pull_policy(["210987654321"])})
    access.update(policy=pull_policy(["210987654321", "210987654322"]))
    assert (expiry.id, access.id) == (repository.id, repository.id)
    assert expiry.diff(repository="other").replaces == ("repository",)
    assert expiry.imported()["repository"] == repository.id
    call("ecr", "put_lifecycle_policy", repositoryName=repository.id, lifecyclePolicyText=lifecycle_policy(1, 1))
    assert json.loads(expiry.refresh()["policy"]) == json.loads(lifecycle_policy(1, 1))
    for policy in (expiry, access):
        policy.delete()
    repository.delete()
    assert access.refresh() is None


@pytest.mark.parametrize(
    ("path", "change", "reason"),
    [
        ("name", {"name": "Web"}, "lower-case"),
        ("name", {"name": "a"}, "2 to 256"),
        ("name", {"name": "web//images"}, "lower-case"),
        ("imageTagMutability", {"imageTagMutability": "FIXED"}, "got 'FIXED'"),
        (
            "encryptionConfigurations",
            {"encryptionConfigurations": [{"encryptionType": "DES"}]},
            "AES256, KMS, KMS_DSSE",
        ),
        ("imageScanningConfiguration.x", {"imageScanningConfiguration": {"x": 1}}, "does not apply"),
    ],
)
def test_what_aws_refuses_is_refused(engine: Any, path: str, change: dict[str, Any], reason: str) -> None:
    assert reason in engine.refusals(REPOSITORY, change)[path]


@pytest.mark.parametrize("name", ["ab", "web-images-0a1b2c3", "team/web", "a__b", "a.b-c"])
def test_names_that_ecr_takes_are_taken(engine: Any, name: str) -> None:
    assert engine.refusals(REPOSITORY, {"name": name}) == {}


def rule(**changes: Any) -> str:
    selection = {
        "tagStatus": "untagged",
        "countType": "sinceImagePushed",
        "countUnit": "days",
        "countNumber": 1,
        **changes,
    }
    return json.dumps({"rules": [{"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}]})


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        ("{", "must be a JSON object, got '{'"),
        ("[]", "must be a JSON object"),
        ("{}", "list `rules`"),
        (rule(countNumber=0), "countNumber must be a whole number of at least 1, got 0"),
        (rule(tagStatus="tagged"), "tagPrefixList or tagPatternList must be given"),
        (rule(countType="imageCountMoreThan"), "countUnit must be days just where"),
        (rule(tagStatus="all"), "got 'all'"),
    ],
)
def test_a_lifecycle_policy_that_ecr_refuses_is_refused(engine: Any, policy: str, reason: str) -> None:
    assert reason in engine.refusals(LIFECYCLE, {"repository": "web", "policy": policy})["policy"]


def test_a_repository_policy_must_be_json(engine: Any) -> None:
    assert "JSON object" in engine.refusals(ACCESS, {"repository": "web", "policy": "open"})["policy"]
