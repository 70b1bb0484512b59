"""What a launch template says of its instances: Pulumi's properties to EC2's launch template data and back."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from botocore.model import StructureShape

from localcloud.provider.errors import UnknownProperty
from localcloud.provider.kind import Change, Failures, Prop
from localcloud.provider.kinds.bounds import whole
from localcloud.provider.tags import as_list, as_map
from localcloud.provider.translate import Names, from_aws, lookup, member_of, to_aws
from localcloud.provider.values import Properties

RENAMED: dict[str, str] = {"vpcSecurityGroupIds": "SecurityGroupIds", "securityGroupNames": "SecurityGroups"}
WITHIN: dict[str, Names] = {
    "networkInterfaces": {
        "securityGroups": "Groups",
        "ipv4AddressCount": "SecondaryPrivateIpAddressCount",
    },
}
"""EC2's names for keys inside a property."""
LISTS = ("blockDeviceMappings", "networkInterfaces", "securityGroupNames", "tagSpecifications", "vpcSecurityGroupIds")
FLAGS = ("disableApiStop", "disableApiTermination")
TEXTS = (
    "ebsOptimized", "imageId", "instanceInitiatedShutdownBehavior", "instanceType", "kernelId", "keyName", "ramDiskId",
    "userData",
)  # fmt: skip
BLOCKS = (
    "capacityReservationSpecification", "cpuOptions", "creditSpecification", "enclaveOptions", "hibernationOptions",
    "iamInstanceProfile", "instanceMarketOptions", "maintenanceOptions", "metadataOptions", "monitoring", "placement",
    "privateDnsNameOptions",
)  # fmt: skip
PLAIN: Mapping[str, Any] = {
    **{name: [] for name in LISTS},
    **dict.fromkeys(FLAGS, False),
    **dict.fromkeys(TEXTS, ""),
    **{name: {} for name in BLOCKS},
}
"""Properties that a version of the template holds, and what one is told as when the version lacks it."""
VOLUME_GIB = (1, 65_536)
VOLUME_TYPES = ("standard", "io1", "io2", "gp2", "gp3", "sc1", "st1")


def data_properties() -> dict[str, Prop]:
    """The rows for what a version holds, each read from the newest version."""
    # The place keeps our tagSpecifications apart from EC2's parameter of that name, which tags the template itself.
    place = "LaunchTemplateData."
    return {name: Prop(at=place + name, resettable=True, read=_reader(name)) for name in PLAIN}


def template_data(change: Change) -> dict[str, Any]:
    """EC2's launch template data for the inputs. Raises UnknownProperty for a key that it lacks."""
    shape = cast("StructureShape", change.api.operation("ec2", "create_launch_template").input_shape)
    data_shape = cast("StructureShape", shape.members["LaunchTemplateData"])
    found = {}
    for name in PLAIN:
        if name not in change.inputs:
            continue
        value = change.inputs[name]
        if name == "tagSpecifications":
            value = [{**spec, "tags": as_list(spec.get("tags", {}))} for spec in value]
        member = str(member_of(data_shape, RENAMED.get(name, name)))
        names = {**WITHIN.get(name, {}), **({"key": "Key", "value": "Value"} if name == "tagSpecifications" else {})}
        try:
            found[member] = to_aws(data_shape.members[member], value, names)
        except ValueError as error:
            raise UnknownProperty(change.kind.token, f"{name}.{error}") from error
    return found


def _reader(name: str) -> Any:
    def read(found: dict[str, Any]) -> Any:
        value = lookup(found["Version"]["LaunchTemplateData"], RENAMED.get(name, name))
        if name == "tagSpecifications" and value:
            return [{"resourceType": spec["ResourceType"], "tags": as_map(spec.get("Tags"))} for spec in value]
        if value is None:  # told as empty, so that what somebody took away is seen
            return PLAIN[name]
        return from_aws(value, WITHIN.get(name, {}))

    return read


def volume_failures(name: str, volume: Properties) -> Failures:
    """What EC2 refuses of a volume, under the property that holds it."""
    kind = volume.get("volumeType")
    if kind is not None and kind not in VOLUME_TYPES:
        yield name, f"{name}: volumeType must be one of {', '.join(VOLUME_TYPES)}, got {kind!r}"
    yield from ((name, f"{name}: {reason}") for _, reason in whole("volumeSize", *VOLUME_GIB)(volume))
    for key in ("encrypted", "deleteOnTermination"):
        if str(volume.get(key, "true")).lower() not in ("true", "false"):
            yield name, f"{name}: {key} must be true or false, got {volume[key]!r}"


def device_failures(inputs: Properties) -> Failures:
    """What EC2 refuses of a template's block devices."""
    devices: Iterable[Properties] = inputs.get("blockDeviceMappings") or []
    for device in devices:
        if not device.get("deviceName"):
            yield "blockDeviceMappings", "blockDeviceMappings: a device needs deviceName"
        yield from volume_failures("blockDeviceMappings", device.get("ebs") or {})
