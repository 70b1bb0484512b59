"""ECR repositories, their lifecycle policies and their access policies."""

import json
from collections.abc import Mapping
from typing import Any

from localcloud.provider.kind import AutoName, AwsType, Change, Create, Failures, Prop, Read, Step, Tags
from localcloud.provider.kinds.bounds import among, no_other_keys, spelled
from localcloud.provider.kinds.common import ACCOUNT_ID, by_id, deletes
from localcloud.provider.tags import as_list, as_map
from localcloud.provider.translate import from_aws
from localcloud.provider.values import Properties

REPOSITORY_NAME = r"(?=.{2,256}$)(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
MUTABILITIES = ("MUTABLE", "IMMUTABLE", "MUTABLE_WITH_EXCLUSION", "IMMUTABLE_WITH_EXCLUSION")
MUTABILITY = ("imageTagMutability", "imageTagMutabilityExclusionFilters")


def _arn(change: Change) -> str:
    return f"arn:aws:ecr:{change.api.region}:{ACCOUNT_ID}:repository/{change.id}"


def _tags_at_create(change: Change) -> dict[str, Any]:
    tags = change.inputs.get("tags")
    return {"tags": as_list(tags)} if tags else {}


def _retags(change: Change, put: dict[str, str], drop: list[str]) -> None:
    if put:
        change.call("tag_resource", resourceArn=_arn(change), tags=as_list(put))
    if drop:
        change.call("untag_resource", resourceArn=_arn(change), tagKeys=drop)


def _name(change: Change) -> dict[str, Any]:
    return {"repositoryName": change.id}


def _encryption(change: Change) -> dict[str, Any]:
    parameters: dict[str, Any] = {"repositoryName": change.inputs["name"]}
    if blocks := change.inputs.get("encryptionConfigurations"):
        parameters["encryptionConfiguration"] = {"encryptionType": blocks[0].get("encryptionType", "AES256")}
        if "kmsKey" in blocks[0]:
            parameters["encryptionConfiguration"]["kmsKey"] = blocks[0]["kmsKey"]
    return parameters


def _encryption_found(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [from_aws(found["encryptionConfiguration"], {})]


def _sets_mutability(change: Change) -> None:
    change.call(
        "put_image_tag_mutability", **_name(change), **change.parameters("put_image_tag_mutability", MUTABILITY)
    )


def _sets_scanning(change: Change) -> None:
    scanning = change.inputs.get("imageScanningConfiguration", {"scanOnPush": False})
    change.call("put_image_scanning_configuration", **_name(change), imageScanningConfiguration=scanning)


def _deletes(change: Change) -> None:
    change.call("delete_repository", **_name(change), force=bool(change.inputs.get("forceDelete")))


def _one_encryption(inputs: Properties) -> Failures:
    blocks = inputs.get("encryptionConfigurations") or []
    if len(blocks) > 1:
        yield "encryptionConfigurations", f"encryptionConfigurations takes one block, got {len(blocks)}"
    for block in blocks:
        kind = block.get("encryptionType", "AES256")
        if kind not in ("AES256", "KMS", "KMS_DSSE"):
            yield "encryptionConfigurations", f"encryptionType must be one of AES256, KMS, KMS_DSSE, got {kind!r}"
        if kind == "AES256" and block.get("kmsKey"):
            yield "encryptionConfigurations", "kmsKey must not be given where encryptionType is AES256"


REPOSITORY = AwsType(
    token="aws:ecr/repository:Repository",
    service="ecr",
    properties={
        "name": Prop(at="repositoryName"),
        "imageTagMutability": Prop(default="MUTABLE"),
        "imageTagMutabilityExclusionFilters": Prop(resettable=True),
        "imageScanningConfiguration": Prop(resettable=True),
        "encryptionConfigurations": Prop(read=_encryption_found),
        "forceDelete": Prop(default=False, local=True),
        "tags": Prop(),
    },
    create=Create(
        "create_repository",
        "repository.repositoryName",
        extra=_encryption,
        of=frozenset({"encryptionConfigurations"}),
    ),
    reads=(
        Read("describe_repositories", by_id("repositoryNames", many=True), "repositories[0]"),
        Read("list_tags_for_resource", lambda change: {"resourceArn": _arn(change)}, "{Tags: tags}"),
    ),
    steps=(
        Step(frozenset(MUTABILITY), _sets_mutability),
        Step(frozenset({"imageScanningConfiguration"}), _sets_scanning),
    ),
    delete=_deletes,
    outputs={"arn": "repositoryArn", "registryId": "registryId", "repositoryUrl": "repositoryUri"},
    tags=Tags(_tags_at_create, lambda _, found: as_map(found.get("Tags")), _retags),
    name=AutoName("name", 256),
    rules=(
        spelled("name", REPOSITORY_NAME, "2 to 256 lower-case letters, digits and . _ - / between them"),
        among("imageTagMutability", *MUTABILITIES),
        no_other_keys("imageScanningConfiguration", "scanOnPush"),
        no_other_keys("encryptionConfigurations", "encryptionType", "kmsKey"),
        _one_encryption,
    ),
)  # fmt: skip


def _document(inputs: Properties) -> dict[str, Any] | None:
    try:
        document = json.loads(inputs.get("policy", ""))
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _is_document(inputs: Properties) -> Failures:
    if "policy" in inputs and _document(inputs) is None:
        yield "policy", f"policy must be a JSON object, got {inputs['policy'][:60]!r}"


def _lifecycle_rules(inputs: Properties) -> Failures:
    """What ECR says about the rules; moto looks at fewer of it."""
    rules = (_document(inputs) or {}).get("rules")
    if "policy" not in inputs or _document(inputs) is None:
        return
    if not isinstance(rules, list) or not rules:
        yield "policy", "policy must have a list `rules` with at least one rule"
        return
    priorities = [rule.get("rulePriority") for rule in rules]
    if len(set(priorities)) < len(priorities):
        yield "policy", f"policy must give each rule a rulePriority of its own, got {', '.join(map(str, priorities))}"
    for rule in rules:
        yield from _selection(rule.get("rulePriority"), rule.get("selection") or {})


def _selection(priority: Any, selection: Mapping[str, Any]) -> Failures:
    status, counted = selection.get("tagStatus"), selection.get("countType")
    lists = selection.get("tagPrefixList") or selection.get("tagPatternList")
    if status not in ("tagged", "untagged", "any"):
        yield "policy", f"rule {priority}: tagStatus must be one of tagged, untagged, any, got {status!r}"
    if (status == "tagged") != bool(lists):
        yield "policy", f"rule {priority}: tagPrefixList or tagPatternList must be given just where tagStatus is tagged"
    if counted not in ("imageCountMoreThan", "sinceImagePushed"):
        yield "policy", f"rule {priority}: countType must be imageCountMoreThan or sinceImagePushed, got {counted!r}"
    if (counted == "sinceImagePushed") != (selection.get("countUnit") == "days"):
        yield "policy", f"rule {priority}: countUnit must be days just where countType is sinceImagePushed"
    number = selection.get("countNumber")
    if not isinstance(number, int) or number < 1:
        yield "policy", f"rule {priority}: countNumber must be a whole number of at least 1, got {number!r}"


def _policy_type(token: str, put: str, get: str, delete: str, text: str, *rules: Any) -> AwsType:
    """A policy document of a repository, under whose name it goes."""

    def parameters(change: Change) -> dict[str, Any]:
        return {"repositoryName": change.inputs["repository"], text: change.inputs["policy"]}

    def replaces(change: Change) -> None:
        change.call(put, **parameters(change))

    return AwsType(
        token=token,
        service="ecr",
        properties={
            "repository": Prop(required=True, replaces=True, read="repositoryName"),
            "policy": Prop(at=text, required=True),
        },
        create=Create(put, "repositoryName", extra=parameters, of=frozenset({"repository", "policy"})),
        reads=(Read(get, _name),),
        steps=(Step(frozenset({"policy"}), replaces),),
        delete=deletes(delete, "repositoryName"),
        outputs={"registryId": "registryId"},
        rules=(_is_document, *rules),
    )


LIFECYCLE_POLICY = _policy_type(
    "aws:ecr/lifecyclePolicy:LifecyclePolicy",
    "put_lifecycle_policy",
    "get_lifecycle_policy",
    "delete_lifecycle_policy",
    "lifecyclePolicyText",
    _lifecycle_rules,
)
REPOSITORY_POLICY = _policy_type(
    "aws:ecr/repositoryPolicy:RepositoryPolicy",
    "set_repository_policy",
    "get_repository_policy",
    "delete_repository_policy",
    "policyText",
)

TYPES = (REPOSITORY, LIFECYCLE_POLICY, REPOSITORY_POLICY)
