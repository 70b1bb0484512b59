"""A disk for what must outlive servers: one volume in one zone, which one server at a time can have."""

from collections.abc import Mapping
from typing import NotRequired, TypedDict

import pulumi
from pulumi_aws import ebs

from .bounds import whole
from .children import Children
from .former_names import remembering
from .vpc.subnets import ZONE_PATTERN


class DataVolumeArgs(TypedDict):
    """What a DataVolume is made from."""

    zone: str
    """Availability zone that the volume is in, such as eu-west-1a; only servers there can have it."""
    size_gib: int
    """Size in GiB, 1 to 16384. It may grow later, and never shrinks."""
    kms_key_arn: pulumi.Input[str]
    """KMS key that the volume and its snapshots are encrypted with."""
    protects: NotRequired[bool]
    """Whether neither a destroy nor a replacement may delete the volume; default true."""
    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Put on the volume, beside its own Name."""


class DataVolume(pulumi.ComponentResource):
    """An encrypted EBS volume that stays when containers and servers go. A Fleet of one server takes it by its ARN.

    Raises ValueError for a zone that is none, or a size out of bounds.
    """

    volume_id: pulumi.Output[str]
    """Id of the volume."""
    volume_arn: pulumi.Output[str]
    """ARN of the volume."""

    def __init__(self, name: str, args: DataVolumeArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        size_gib, protects = whole("size_gib", args["size_gib"], 1, 16_384), args.get("protects", True)
        if not ZONE_PATTERN.fullmatch(args["zone"]):
            raise ValueError(f"zone must be an availability zone such as eu-west-1a, got {args['zone']!r}")
        super().__init__("teal:index:DataVolume", name, {}, remembering("teal:index:DataVolume", name, opts))
        children = Children(name, args.get("tags", {}), self)
        kept = pulumi.ResourceOptions(protect=protects, retain_on_delete=protects)
        volume = ebs.Volume(
            children.name("volume"),
            availability_zone=args["zone"],
            size=size_gib,
            type="gp3",
            encrypted=True,
            kms_key_id=args["kms_key_arn"],
            tags=children.tagged("volume"),
            opts=pulumi.ResourceOptions.merge(children.options(), kept),
        )
        self.volume_id = volume.id
        self.volume_arn = volume.arn
        self.register_outputs({"volume_id": self.volume_id, "volume_arn": self.volume_arn})
