"""CloudWatch log groups."""

from localcloud.provider.kind import AutoName, AwsType, Change, Create, Failures, Prop, Read, Step
from localcloud.provider.kinds.bounds import spelled
from localcloud.provider.kinds.common import ACCOUNT_ID
from localcloud.provider.kinds.documents import literal
from localcloud.provider.tags import listed_tags
from localcloud.provider.values import Properties

RETENTIONS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""Days that CloudWatch can keep logs for."""
FOR_EVER = 0
"""The retention that Pulumi writes where there is none."""


def group_arn(change: Change) -> str:
    """The ARN of a log group, without the trailing star that stands for its streams."""
    return f"arn:aws:logs:{change.api.region}:{ACCOUNT_ID}:log-group:{change.id}"


def _retains(change: Change) -> None:
    days = int(change.inputs["retentionInDays"])
    if days == FOR_EVER:
        change.call("delete_retention_policy", logGroupName=change.id)
    else:
        change.call("put_retention_policy", logGroupName=change.id, retentionInDays=days)


def _encrypts(change: Change) -> None:
    key = change.inputs.get("kmsKeyId")
    if key:
        change.call("associate_kms_key", logGroupName=change.id, kmsKeyId=key)
    else:
        change.call("disassociate_kms_key", logGroupName=change.id)


def _deletes(change: Change) -> None:
    if not change.inputs.get("skipDestroy"):
        change.call("delete_log_group", logGroupName=change.id)


def _known_retention(inputs: Properties) -> Failures:
    days = inputs.get("retentionInDays", FOR_EVER)
    if days not in (FOR_EVER, *RETENTIONS):
        allowed = ", ".join(map(str, RETENTIONS))
        yield "retentionInDays", f"retentionInDays must be 0 (for ever) or one of {allowed}, got {days!r}"


LOG_GROUP = AwsType(
    token="aws:cloudwatch/logGroup:LogGroup",
    service="logs",
    properties={
        "name": Prop(at="logGroupName"),
        "retentionInDays": Prop(default=FOR_EVER, read=lambda found: found.get("retentionInDays", FOR_EVER)),
        "kmsKeyId": Prop(resettable=True, read="kmsKeyId || ''"),
        "skipDestroy": Prop(default=False, local=True),
        "tags": Prop(),
    },
    create=Create("create_log_group", lambda change, _: str(change.inputs["name"])),
    reads=(
        Read(
            "describe_log_groups",
            lambda change: {"logGroupNamePrefix": change.id},
            lambda change: f"logGroups[?logGroupName=={literal(change.id)}] | [0]",  # the prefix may be another's
        ),
        Read("list_tags_for_resource", lambda change: {"resourceArn": group_arn(change)}),
    ),
    steps=(Step(frozenset({"retentionInDays"}), _retains), Step(frozenset({"kmsKeyId"}), _encrypts)),
    delete=_deletes,
    outputs={"arn": lambda change, _: group_arn(change)},
    tags=listed_tags(
        "tag_resource",
        "untag_resource",
        "resourceArn",
        "tagKeys",
        tags="tags",
        read="tags",
        as_pairs=False,
        about=group_arn,
    ),
    name=AutoName("name", 512),
    rules=(
        spelled("name", r"[.\-_/#A-Za-z0-9]{1,512}", "1 to 512 letters, digits or any of _-/.#"),
        spelled("kmsKeyId", r"arn:aws[a-z-]*:kms:.+:.+:key/.+", "the ARN of a KMS key"),
        _known_retention,
    ),
)

TYPES = (LOG_GROUP,)
