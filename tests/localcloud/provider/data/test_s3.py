import json
import uuid
from typing import Any

import pytest

from localcloud.provider.errors import ApiRefused, PartlyMade

BUCKET = "aws:s3/bucket:Bucket"
POLICY = "aws:s3/bucketPolicy:BucketPolicy"
BLOCK = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
ENCRYPTION = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
OWNERSHIP = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"


@pytest.fixture
def bucket(engine: Any) -> Any:
    return engine.create(BUCKET, {"bucket": f"teal-{uuid.uuid4().hex}"})


def deny(bucket: Any, action: str = "s3:*") -> str:
    statement = {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": bucket.outputs["arn"]}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_a_bucket_lives_with_its_tags(engine: Any) -> None:
    bucket = engine.create(BUCKET, {"tags": {"Team": "shop"}}, name="Logs")
    assert bucket.id.startswith("logs-")
    assert bucket.outputs["arn"] == f"arn:aws:s3:::{bucket.id}"
    assert bucket.outputs["bucketRegionalDomainName"] == f"{bucket.id}.s3.eu-west-1.amazonaws.com"
    bucket.update(tags={"Team": "till", "Stage": "dev"})
    tagging = {"TagSet": [{"Key": "Stray", "Value": "1"}]}
    engine.api.call("s3", "put_bucket_tagging", Bucket=bucket.id, Tagging=tagging)
    assert bucket.refresh()["tags"] == {"Stray": "1"}
    bucket.update(tags={})
    assert bucket.imported() == {"bucket": bucket.id}
    assert bucket.diff(bucket="another").replaces == ("bucket",)
    bucket.delete()


def test_a_bucket_whose_tags_are_refused_is_kept_without_them(engine: Any) -> None:
    with pytest.raises(PartlyMade, match="InvalidTag") as failure:
        engine.create(BUCKET, {"bucket": f"teal-{uuid.uuid4().hex}", "tags": {"aws:stack": "mine"}})
    assert "tags" not in failure.value.inputs
    assert failure.value.outputs["bucket"] == failure.value.resource_id


def test_only_a_bucket_that_is_told_so_goes_with_every_version_in_it(engine: Any, bucket: Any) -> None:
    versioning = {"bucket": bucket.id, "versioningConfiguration": {"status": "Enabled"}}
    engine.create(VERSIONING, versioning)
    for body in (b"one", b"two"):
        engine.api.call("s3", "put_object", Bucket=bucket.id, Key="log", Body=body)
    engine.api.call("s3", "delete_object", Bucket=bucket.id, Key="log")
    with pytest.raises(ApiRefused, match="BucketNotEmpty"):
        bucket.delete()
    bucket.update(forceDestroy=True)
    bucket.delete()


@pytest.mark.parametrize("name", ["ab", "Upper", "under_score", "10.0.0.1", "two..dots", "-dash", "x" * 64, "xn--a"])
def test_a_bucket_that_dns_would_not_carry_is_refused(engine: Any, name: str) -> None:
    assert "must be 3 to 63 lower-case letters" in engine.refusals(BUCKET, {"bucket": name})["bucket"]


def test_a_bucket_policy_is_compared_by_content(engine: Any, bucket: Any) -> None:
    policy = engine.create(POLICY, {"bucket": bucket.id, "policy": deny(bucket)})
    assert not policy.diff(policy=json.dumps(json.loads(deny(bucket)), indent=2)).changed
    policy.update(policy=deny(bucket, "s3:Put*"))
    engine.api.call("s3", "put_bucket_policy", Bucket=bucket.id, Policy=deny(bucket, "s3:Get*"))
    assert policy.refresh()["policy"] == deny(bucket, "s3:Get*")
    assert policy.imported() == {"bucket": bucket.id, "policy": deny(bucket, "s3:Get*")}
    assert policy.diff(bucket="another").replaces == ("bucket",)
    policy.delete()


def test_a_bucket_policy_that_is_no_json_is_refused(engine: Any) -> None:
    assert "no JSON" in engine.refusals(POLICY, {"bucket": "logs", "policy": "not json"})["policy"]


def test_public_access_is_blocked_flag_by_flag(engine: Any, bucket: Any) -> None:
    block = engine.create(BLOCK, {"bucket": bucket.id, "blockPublicAcls": True, "restrictPublicBuckets": True})
    block.update(blockPublicPolicy=True, restrictPublicBuckets=None)
    engine.api.call(
        "s3", "put_public_access_block", Bucket=bucket.id, PublicAccessBlockConfiguration={"BlockPublicAcls": False}
    )
    assert block.refresh()["blockPublicAcls"] is False
    block.delete()


def test_encryption_changes_its_key_in_place(engine: Any, bucket: Any) -> None:
    def by(**default: str) -> list[dict[str, Any]]:
        return [{"applyServerSideEncryptionByDefault": default, "bucketKeyEnabled": True}]

    encryption = engine.create(ENCRYPTION, {"bucket": bucket.id, "rules": by(sseAlgorithm="AES256")})
    encryption.update(rules=by(sseAlgorithm="aws:kms", kmsMasterKeyId="arn:aws:kms:eu-west-1:123456789012:key/1"))
    assert encryption.imported()["rules"] == encryption.inputs["rules"]
    plain = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
    engine.api.call("s3", "put_bucket_encryption", Bucket=bucket.id, ServerSideEncryptionConfiguration=plain)
    assert encryption.refresh()["rules"][0]["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "AES256"}
    encryption.delete()


def test_an_unknown_cipher_is_refused(engine: Any) -> None:
    rules = [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "rot13"}}]
    assert "must be one of AES256" in engine.refusals(ENCRYPTION, {"bucket": "logs", "rules": rules})["rules"]


def test_ownership_changes_in_place(engine: Any, bucket: Any) -> None:
    controls = engine.create(OWNERSHIP, {"bucket": bucket.id, "rule": {"objectOwnership": "BucketOwnerEnforced"}})
    controls.update(rule={"objectOwnership": "ObjectWriter"})
    assert controls.imported() == {"bucket": bucket.id, "rule": {"objectOwnership": "ObjectWriter"}}
    controls.delete()
    refused = engine.refusals(OWNERSHIP, {"bucket": "logs", "rule": {"objectOwnership": "Nobody"}})
    assert "must be one of BucketOwnerEnforced" in refused["rule.objectOwnership"]


def test_versioning_that_goes_is_suspended(engine: Any, bucket: Any) -> None:
    versioning = engine.create(VERSIONING, {"bucket": bucket.id, "versioningConfiguration": {"status": "Enabled"}})
    assert versioning.imported()["versioningConfiguration"] == {"status": "Enabled"}
    kind = engine.package.types[VERSIONING]
    kind.delete(engine.api, versioning.id, versioning.inputs, versioning.outputs)
    assert versioning.refresh()["versioningConfiguration"] == {"status": "Suspended"}


RULE = {
    "id": "expire",
    "status": "Enabled",
    "filter": {"prefix": ""},
    "expiration": {"days": 30},
    "transitions": [{"days": 10, "storageClass": "GLACIER"}],
    "noncurrentVersionExpiration": {"noncurrentDays": 5},
    "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7},
}


def test_a_lifecycle_changes_its_rules_in_place(engine: Any, bucket: Any) -> None:
    lifecycle = engine.create(LIFECYCLE, {"bucket": bucket.id, "rules": [RULE]})
    assert lifecycle.imported()["rules"] == [RULE]
    both = {"and": {"prefix": "a/", "tags": {"Team": "shop"}}}
    tagged = {
        "id": "tagged",
        "status": "Disabled",
        "filter": {"tag": {"key": "a", "value": "b"}},
        "expiration": {"days": 1},
    }
    lifecycle.update(
        rules=[{**RULE, "filter": both}, tagged, {"id": "x", "status": "Enabled", "expiration": {"days": 2}}]
    )
    lifecycle.update(rules=[{**RULE, "expiration": {"days": 31}}])
    assert lifecycle.diff(rules=[RULE]).changed == ("rules",)
    rule: dict[str, Any] = {"ID": "expire", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 3}}
    kept = {"Rules": [rule]}
    engine.api.call("s3", "put_bucket_lifecycle_configuration", Bucket=bucket.id, LifecycleConfiguration=kept)
    [seen] = lifecycle.refresh()["rules"]
    assert seen["expiration"] == {"days": 3}
    lifecycle.update(rules=[seen])
    rule["AbortIncompleteMultipartUpload"] = {"DaysAfterInitiation": 1}
    engine.api.call("s3", "put_bucket_lifecycle_configuration", Bucket=bucket.id, LifecycleConfiguration=kept)
    assert lifecycle.refresh()["rules"] == [{**seen, "abortIncompleteMultipartUpload": {"daysAfterInitiation": 1}}]
    lifecycle.delete()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"status": "On"}, "rules[expire].status must be Enabled or Disabled, got 'On'"),
        ({"expiration": {"days": 0}}, "days must be a whole number from 1, got 0"),
        ({"expiration": {"date": "2030-01-01"}}, "does not apply date of rules[expire].expiration"),
        ({"transitions": [{"days": 1, "storageClass": "TAPE"}]}, "storageClass must be one of GLACIER"),
    ],
)
def test_a_lifecycle_rule_that_s3_would_refuse(engine: Any, change: dict[str, Any], reason: str) -> None:
    assert reason in engine.refusals(LIFECYCLE, {"bucket": "logs", "rules": [{**RULE, **change}]})["rules"]
