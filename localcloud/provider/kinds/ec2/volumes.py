"""EBS volumes that stand for themselves, such as a data volume."""

import time
from collections.abc import Callable
from typing import Any

from localcloud.provider.errors import ApiRefused
from localcloud.provider.kind import AwsType, Change, Create, Failures, Prop, Read, Step
from localcloud.provider.kinds.bounds import among, whole
from localcloud.provider.kinds.common import by_id, ec2_arn
from localcloud.provider.tags import ec2_tags
from localcloud.provider.values import Properties

TYPES_OF_DISKS = ("gp3", "gp2", "io1", "io2", "sc1", "st1", "standard")
TAKES_THROUGHPUT = ("gp3",)
TAKES_IOPS = ("gp3", "io1", "io2")
FREE_SECONDS = 60.0
"""How long a volume that is to go may still be attached: its server may be on its way out."""
POLL_SECONDS = 0.2
IN_USE = "VolumeInUse"


def _modifies(change: Change) -> None:
    """All at once: EC2 takes the next change of a volume only hours after the last."""
    if change.olds:
        wanted = change.parameters("modify_volume", ("size", "type", "iops", "throughput"))
        change.call("modify_volume", VolumeId=change.id, **wanted)


def _deletes(change: Change) -> None:
    deadline = time.monotonic() + FREE_SECONDS
    if change.inputs.get("finalSnapshot"):
        change.call("create_snapshot", VolumeId=change.id, Description=f"The last of {change.id}")
    while True:
        try:
            change.call("delete_volume", VolumeId=change.id)
        except ApiRefused as error:
            if error.code != IN_USE or time.monotonic() > deadline:
                raise
        else:
            return
        time.sleep(POLL_SECONDS)


def _has_source(inputs: Properties) -> Failures:
    if inputs.get("size") is None and not inputs.get("snapshotId"):
        yield "size", "one of size, snapshotId must be given"


def _key_needs_encryption(inputs: Properties) -> Failures:
    if inputs.get("kmsKeyId") and inputs.get("encrypted") in (None, False):
        yield "kmsKeyId", "kmsKeyId needs encrypted to be true"


def _fits_type(name: str, types: tuple[str, ...]) -> Callable[[Properties], Failures]:
    def rule(inputs: Properties) -> Failures:
        if inputs.get(name) is not None and inputs.get("type") not in types:
            yield name, f"{name} is for {', '.join(types)} only, not for {inputs.get('type')}"

    return rule


def _told_key(found: dict[str, Any]) -> str | None:
    return found.get("KmsKeyId") or None


VOLUME = AwsType(
    token="aws:ebs/volume:Volume",
    service="ec2",
    properties={
        "availabilityZone": Prop(required=True),
        "size": Prop(),
        "type": Prop(at="VolumeType", default="gp2"),
        "iops": Prop(),
        "throughput": Prop(),
        "encrypted": Prop(),
        "kmsKeyId": Prop(read=_told_key),
        "snapshotId": Prop(),
        "finalSnapshot": Prop(local=True),
        "tags": Prop(),
    },
    create=Create("create_volume", "VolumeId"),
    reads=(Read("describe_volumes", by_id("VolumeIds", many=True), "Volumes[0]"),),
    steps=(Step(frozenset({"size", "type", "iops", "throughput"}), _modifies),),
    delete=_deletes,
    outputs={"arn": ec2_arn("volume"), "createTime": "CreateTime"},
    tags=ec2_tags("volume"),
    rules=(
        whole("size", 1, 65_536),
        among("type", *TYPES_OF_DISKS),
        _key_needs_encryption,
        _fits_type("throughput", TAKES_THROUGHPUT),
        _fits_type("iops", TAKES_IOPS),
    ),
    presence=(_has_source,),
)

TYPES = (VOLUME,)
