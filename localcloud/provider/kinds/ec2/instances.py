"""Instances that a program names one by one, such as a NAT instance."""

import base64
from collections.abc import Callable
from typing import Any

from localcloud.provider.errors import UnknownProperty
from localcloud.provider.kind import AwsType, Change, Create, Failures, Prop, Read, Step
from localcloud.provider.kinds.bounds import among, spelled
from localcloud.provider.kinds.common import ec2_arn
from localcloud.provider.kinds.ec2.ec2_rules import METADATA_OPTIONS, one_at_most, user_data
from localcloud.provider.kinds.ec2.template_data import volume_failures
from localcloud.provider.tags import ec2_tags
from localcloud.provider.values import Properties

DEFAULT_ROOT_DEVICE = "/dev/xvda"  # Amazon Linux's
DEFAULT_ROOT_GIB = 8
ROOT_KEYS = {
    "deleteOnTermination": "DeleteOnTermination",
    "encrypted": "Encrypted",
    "kmsKeyId": "KmsKeyId",
    "volumeSize": "VolumeSize",
    "volumeType": "VolumeType",
}
"""What of a root volume is applied: our key to EC2's."""
USER_DATA = ("userData", "userDataBase64")


def _run_parameters(change: Change) -> dict[str, Any]:
    given, parameters = change.inputs, dict[str, Any](MinCount=1, MaxCount=1)
    if "monitoring" in given:
        parameters["Monitoring"] = {"Enabled": given["monitoring"]}
    if given.get("iamInstanceProfile"):
        parameters["IamInstanceProfile"] = {"Name": given["iamInstanceProfile"]}
    if given.get("availabilityZone"):
        parameters["Placement"] = {"AvailabilityZone": given["availabilityZone"]}
    if "rootBlockDevice" in given:
        parameters["BlockDeviceMappings"] = [_root_device(change, given["rootBlockDevice"])]
    if any(given.get(name) for name in USER_DATA):
        parameters["UserData"] = _user_data_bytes(given)
    if "associatePublicIpAddress" in given:  # only an interface takes it, and then it takes subnet, groups and address
        parameters |= dict.fromkeys(("SubnetId", "SecurityGroupIds", "PrivateIpAddress"))
        parameters["NetworkInterfaces"] = [_interface(given)]
    return parameters


def _interface(given: Properties) -> dict[str, Any]:
    wanted = {
        "DeviceIndex": 0,
        "AssociatePublicIpAddress": given["associatePublicIpAddress"],
        "SubnetId": given.get("subnetId"),
        "Groups": given.get("vpcSecurityGroupIds"),
        "PrivateIpAddress": given.get("privateIp"),
    }
    return {key: value for key, value in wanted.items() if value is not None}


def _root_device(change: Change, wanted: Properties) -> dict[str, Any]:
    for key in sorted(wanted.keys() - ROOT_KEYS.keys()):
        raise UnknownProperty(change.kind.token, f"rootBlockDevice.{key}")
    volume = {"volumeSize": DEFAULT_ROOT_GIB, "deleteOnTermination": True, **wanted}
    images = change.call("describe_images", Filters=[{"Name": "image-id", "Values": [change.inputs["ami"]]}])["Images"]
    device = images[0].get("RootDeviceName", DEFAULT_ROOT_DEVICE) if images else DEFAULT_ROOT_DEVICE
    ebs = {ROOT_KEYS[key]: value for key, value in volume.items() if value not in (None, "")}
    return {"DeviceName": device, "Ebs": ebs}


def _user_data_bytes(given: Properties) -> bytes:
    return str(given.get("userData", "")).encode() or base64.b64decode(str(given.get("userDataBase64", "")))


def _set(name: str, member: str) -> Step:
    def run(change: Change) -> None:
        change.call("modify_instance_attribute", InstanceId=change.id, **{member: {"Value": change.inputs[name]}})

    return Step(frozenset({name}), run)


def _stopped(apply: Callable[[Change], None]) -> Callable[[Change], None]:
    """EC2 changes some attributes of a stopped instance only; on creation there is nothing to change."""

    def run(change: Change) -> None:
        if not change.olds:
            return
        change.call("stop_instances", InstanceIds=[change.id])
        apply(change)
        change.call("start_instances", InstanceIds=[change.id])

    return run


def _set_type(change: Change) -> None:
    value = {"Value": change.inputs["instanceType"]}
    change.call("modify_instance_attribute", InstanceId=change.id, InstanceType=value)


def _set_user_data(change: Change) -> None:
    value = {"Value": _user_data_bytes(change.inputs)}
    change.call("modify_instance_attribute", InstanceId=change.id, UserData=value)


def _set_groups(change: Change) -> None:
    change.call("modify_instance_attribute", InstanceId=change.id, Groups=change.inputs["vpcSecurityGroupIds"])


def _set_metadata_options(change: Change) -> None:
    options = change.parameters("run_instances", ["metadataOptions"])["MetadataOptions"]
    change.call("modify_instance_metadata_options", InstanceId=change.id, **options)


def _set_profile(change: Change) -> None:
    about = [{"Name": "instance-id", "Values": [change.id]}]
    method = "describe_iam_instance_profile_associations"
    found = change.call(method, Filters=about)["IamInstanceProfileAssociations"]
    wanted = change.inputs.get("iamInstanceProfile")
    if found and wanted:
        association = found[0]["AssociationId"]
        change.call(
            "replace_iam_instance_profile_association", AssociationId=association, IamInstanceProfile={"Name": wanted}
        )
    elif found:
        change.call("disassociate_iam_instance_profile", AssociationId=found[0]["AssociationId"])
    elif wanted:
        change.call("associate_iam_instance_profile", InstanceId=change.id, IamInstanceProfile={"Name": wanted})


def _attribute(name: str, member: str) -> Read:
    about = {"Attribute": name}
    return Read(
        "describe_instance_attribute",
        lambda change: {"InstanceId": change.id, **about},
        f"{{{member}Value: {member}.Value}}",
    )


def _told_user_data(found: dict[str, Any]) -> bytes:
    return base64.b64decode(found.get("UserDataValue") or "")


def _told_text(found: dict[str, Any]) -> str | None:
    """User data as text; nothing where it is none, as that was given in base64."""
    try:
        return _told_user_data(found).decode()
    except UnicodeDecodeError:
        return None


def _told_root(found: dict[str, Any]) -> Properties:
    root = found.get("RootDeviceName", "")
    devices = {item["DeviceName"]: item["Ebs"] for item in found.get("BlockDeviceMappings", [])}
    device: Properties = devices.get(root) or next(iter(devices.values()), {})
    volume: Properties = next((one for one in found["Volumes"] or [] if one["VolumeId"] == device.get("VolumeId")), {})
    told = {
        "deleteOnTermination": device.get("DeleteOnTermination"),
        "encrypted": volume.get("Encrypted"),
        "kmsKeyId": volume.get("KmsKeyId"),
        "volumeSize": volume.get("Size"),
        "volumeType": volume.get("VolumeType"),
        "volumeId": volume.get("VolumeId"),
    }
    return {key: value for key, value in told.items() if value is not None}


def _profile_name(found: dict[str, Any]) -> str:
    """The last part of the profile's ARN, which alone an instance tells."""
    return str(found.get("IamInstanceProfile", {}).get("Arn", "")).rpartition("/")[2]


def _terminate(change: Change) -> None:
    change.call("terminate_instances", InstanceIds=[change.id])


def _root_failures(inputs: Properties) -> Failures:
    root = inputs.get("rootBlockDevice") or {}
    for key in sorted(root.keys() - ROOT_KEYS.keys()):
        yield "rootBlockDevice", f"the embedded cloud does not apply rootBlockDevice.{key}"
    yield from volume_failures("rootBlockDevice", root)


def _replaces_for_user_data(inputs: Properties) -> bool:
    return bool(inputs.get("userDataReplaceOnChange"))


INSTANCE = AwsType(
    token="aws:ec2/instance:Instance",
    service="ec2",
    properties={
        "ami": Prop(at="ImageId", required=True),
        "instanceType": Prop(required=True),
        "subnetId": Prop(),
        "availabilityZone": Prop(read="Placement.AvailabilityZone"),
        "associatePublicIpAddress": Prop(read=lambda _: None),  # an Eip would look like a change of it
        "privateIp": Prop(at="PrivateIpAddress"),
        "vpcSecurityGroupIds": Prop(at="SecurityGroupIds", read="NetworkInterfaces[0].Groups[].GroupId || `[]`"),
        "keyName": Prop(),
        "iamInstanceProfile": Prop(resettable=True, read=_profile_name),
        "sourceDestCheck": Prop(default=True),
        "metadataOptions": Prop(),
        "rootBlockDevice": Prop(read=_told_root),
        "userData": Prop(resettable=True, replaces=_replaces_for_user_data, read=_told_text),
        "userDataBase64": Prop(
            resettable=True,
            replaces=_replaces_for_user_data,
            read=lambda found: base64.b64encode(_told_user_data(found)).decode(),
        ),
        "userDataReplaceOnChange": Prop(default=False, local=True),
        "monitoring": Prop(read=lambda found: found.get("Monitoring", {}).get("State") == "enabled"),
        "ebsOptimized": Prop(),
        "disableApiTermination": Prop(read="DisableApiTerminationValue"),
        "instanceInitiatedShutdownBehavior": Prop(read="InstanceInitiatedShutdownBehaviorValue"),
        "tags": Prop(),
    },
    create=Create(
        "run_instances",
        "Instances[0].InstanceId",
        extra=_run_parameters,
        of=frozenset({"rootBlockDevice", "userDataBase64", "availabilityZone", "associatePublicIpAddress"}),
    ),
    reads=(
        Read(
            "describe_instances",
            lambda change: {"InstanceIds": [change.id]},
            "Reservations[0].Instances[0]",
            gone_if="contains(['shutting-down', 'terminated'], State.Name)",
        ),
        _attribute("userData", "UserData"),
        _attribute("disableApiTermination", "DisableApiTermination"),
        _attribute("instanceInitiatedShutdownBehavior", "InstanceInitiatedShutdownBehavior"),
        Read(
            "describe_volumes",
            lambda change: {"Filters": [{"Name": "attachment.instance-id", "Values": [change.id]}]},
            "Volumes",
            into="Volumes",
        ),
    ),
    steps=(
        _set("sourceDestCheck", "SourceDestCheck"),
        Step(frozenset({"metadataOptions"}), _set_metadata_options),
        Step(frozenset({"vpcSecurityGroupIds"}), _set_groups),
        Step(frozenset({"iamInstanceProfile"}), _set_profile),
        _set("disableApiTermination", "DisableApiTermination"),
        Step(frozenset({"instanceType"}), _stopped(_set_type)),
        Step(frozenset(USER_DATA), _stopped(_set_user_data)),
    ),
    delete=_terminate,
    outputs={
        "arn": ec2_arn("instance"),
        "instanceState": "State.Name",
        "primaryNetworkInterfaceId": "NetworkInterfaces[0].NetworkInterfaceId",
        "privateDns": "PrivateDnsName",
        "publicDns": "PublicDnsName || ''",
        "publicIp": "PublicIpAddress || ''",
    },
    tags=ec2_tags("instance"),
    rules=(
        spelled("ami", r"ami-[0-9a-f]+|resolve:ssm:.+", "an image id (ami-...) or resolve:ssm:<parameter>"),
        spelled("instanceType", r"[a-z0-9-]+\.[a-z0-9-]+", "an instance type such as t4g.nano"),
        among("instanceInitiatedShutdownBehavior", "stop", "terminate"),
        user_data("userData", encoded=False),
        user_data("userDataBase64", encoded=True),
        *METADATA_OPTIONS,
        _root_failures,
    ),
    presence=(one_at_most(USER_DATA),),
)


TYPES = (INSTANCE,)
