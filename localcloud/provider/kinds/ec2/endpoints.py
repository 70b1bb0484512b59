"""A VPC's private ways to AWS services, and the record of its traffic."""

from typing import Any

from localcloud.provider.errors import ApiRefused
from localcloud.provider.kind import AwsType, Change, Create, Prop, Read, Step
from localcloud.provider.kinds.bounds import among, spelled
from localcloud.provider.kinds.common import by_id, ec2_arn
from localcloud.provider.kinds.documents import json_object
from localcloud.provider.kinds.ec2.ec2_rules import just_one
from localcloud.provider.tags import ec2_tags
from localcloud.provider.values import Properties

MEMBERS = {"routeTableIds": "RouteTableIds", "subnetIds": "SubnetIds", "securityGroupIds": "SecurityGroupIds"}
"""What an endpoint is tied to: our property to the end of EC2's Add... and Remove... parameters."""


def _modify_endpoint(change: Change) -> None:
    """Brings the endpoint from what it is, whatever our state says, to what is declared."""
    found = change.kind.found(change) or {}
    actual = change.kind.properties_of(change, found)
    parameters: dict[str, Any] = {}
    for name, member in MEMBERS.items():
        present, wanted = set(actual.get(name, [])), set(change.inputs.get(name, []))
        parameters[f"Add{member}"] = sorted(wanted - present) or None
        parameters[f"Remove{member}"] = sorted(present - wanted) or None
    policy = change.inputs.get("policy")
    parameters |= {"PolicyDocument": policy} if policy else {"ResetPolicy": True}
    if change.inputs["privateDnsEnabled"] != actual.get("privateDnsEnabled"):
        parameters["PrivateDnsEnabled"] = change.inputs["privateDnsEnabled"]
    change.call("modify_vpc_endpoint", VpcEndpointId=change.id, **parameters)


def _prefix_list_name(change: Change) -> dict[str, Any]:
    name = change.inputs.get("serviceName") or change.state.get("serviceName") or "none"
    return {"Filters": [{"Name": "prefix-list-name", "Values": [name]}]}


def _wrong_members(inputs: Properties) -> Any:
    kind = inputs.get("vpcEndpointType")
    if kind == "Gateway":
        for name in ("subnetIds", "securityGroupIds"):
            if inputs.get(name):
                yield name, f"{name} is for endpoints of type Interface, this one is of type Gateway"
        if inputs.get("privateDnsEnabled"):
            yield (
                "privateDnsEnabled",
                "privateDnsEnabled is for endpoints of type Interface, this one is of type Gateway",
            )
    if kind == "Interface" and inputs.get("routeTableIds"):
        yield "routeTableIds", "routeTableIds is for endpoints of type Gateway, this one is of type Interface"


def _delete_endpoint(change: Change) -> None:
    refused = change.call("delete_vpc_endpoints", VpcEndpointIds=[change.id]).get("Unsuccessful", [])
    _refuse("delete_vpc_endpoints", refused)


def _refuse(method: str, unsuccessful: list[dict[str, Any]]) -> None:
    """Operations on many resources answer well and list what they did not do."""
    for item in unsuccessful:
        raise ApiRefused(f"ec2 {method}", item["Error"]["Code"], item["Error"]["Message"])


VPC_ENDPOINT = AwsType(
    token="aws:ec2/vpcEndpoint:VpcEndpoint",
    service="ec2",
    properties={
        "vpcId": Prop(required=True),
        "serviceName": Prop(required=True),
        "vpcEndpointType": Prop(default="Gateway"),
        "policy": Prop(at="PolicyDocument", resettable=True),
        "privateDnsEnabled": Prop(default=False),
        "routeTableIds": Prop(resettable=True, read="RouteTableIds || `[]`"),
        "subnetIds": Prop(resettable=True, read="SubnetIds || `[]`"),
        "securityGroupIds": Prop(resettable=True, read="Groups[].GroupId || `[]`"),
        "tags": Prop(),
    },
    create=Create("create_vpc_endpoint", "VpcEndpoint.VpcEndpointId"),
    reads=(
        Read(
            "describe_vpc_endpoints",
            by_id("VpcEndpointIds", many=True),
            "VpcEndpoints[0]",
            gone_if="contains(['deleting', 'deleted', 'failed'], State)",
        ),
        Read("describe_managed_prefix_lists", _prefix_list_name, "PrefixLists[0].{PrefixListId: PrefixListId}"),
    ),
    steps=(Step(frozenset(MEMBERS) | {"policy", "privateDnsEnabled"}, _modify_endpoint),),
    delete=_delete_endpoint,
    outputs={
        "arn": ec2_arn("vpc-endpoint"),
        "dnsEntries": "DnsEntries[].{dnsName: DnsName, hostedZoneId: HostedZoneId} || `[]`",
        "networkInterfaceIds": "NetworkInterfaceIds || `[]`",
        "ownerId": "OwnerId",
        "prefixListId": "PrefixListId || ''",
        "state": "State",
    },
    volatile=frozenset({"networkInterfaceIds"}),
    stirred_by=frozenset({"subnetIds"}),
    tags=ec2_tags("vpc-endpoint"),
    rules=(
        among("vpcEndpointType", "Gateway", "Interface"),
        spelled(
            "serviceName", r"(com|cn|aws)\.[a-z0-9._-]+", "a service's full name such as com.amazonaws.eu-west-1.s3"
        ),
        json_object("policy"),
        _wrong_members,
    ),
)

WATCHED = {"vpcId": ("VPC", "vpc-"), "subnetId": ("Subnet", "subnet-"), "eniId": ("NetworkInterface", "eni-")}
"""What a flow log may watch: our property to EC2's type and the start of its ids."""


def _watch(change: Change) -> dict[str, Any]:
    kind, watched = next((kind, change.inputs[name]) for name, (kind, _) in WATCHED.items() if change.inputs.get(name))
    return {"ResourceType": kind, "ResourceIds": [watched]}


def _flow_log_id(_: Change, answer: dict[str, Any]) -> str:
    _refuse("create_flow_logs", answer.get("Unsuccessful", []))
    return str(answer["FlowLogIds"][0])


def _delete_flow_log(change: Change) -> None:
    _refuse("delete_flow_logs", change.call("delete_flow_logs", FlowLogIds=[change.id]).get("Unsuccessful", []))


FLOW_LOG = AwsType(
    token="aws:ec2/flowLog:FlowLog",
    service="ec2",
    properties={
        **{
            name: Prop(read=f"starts_with(ResourceId, '{start}') && ResourceId || `null`")
            for name, (_, start) in WATCHED.items()
        },
        "trafficType": Prop(required=True),
        "logDestinationType": Prop(default="cloud-watch-logs"),
        "logDestination": Prop(required=True),
        "logFormat": Prop(),
        "iamRoleArn": Prop(at="DeliverLogsPermissionArn"),
        "maxAggregationInterval": Prop(default=600),
        "tags": Prop(),
    },
    create=Create("create_flow_logs", _flow_log_id, extra=_watch, of=frozenset(WATCHED)),
    reads=(Read("describe_flow_logs", by_id("FlowLogIds", many=True), "FlowLogs[0]"),),
    delete=_delete_flow_log,
    outputs={"arn": ec2_arn("vpc-flow-log")},
    tags=ec2_tags("vpc-flow-log"),
    rules=(
        among("trafficType", "ACCEPT", "REJECT", "ALL"),
        among("logDestinationType", "cloud-watch-logs", "s3"),
        among("maxAggregationInterval", "60", "600"),
        spelled("logDestination", r"arn:aws[\w-]*:(logs|s3):.+", "the ARN of a log group or bucket"),
    ),
    presence=(just_one(WATCHED),),
)

TYPES = (VPC_ENDPOINT, FLOW_LOG)
