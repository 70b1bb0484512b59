"""Security group rules as resources of their own."""

from typing import Any

from localcloud.provider.kind import AwsType, Change, Create, Failures, Prop, Read, Step
from localcloud.provider.kinds.common import by_id, ec2_arn
from localcloud.provider.kinds.ec2.ec2_rules import group_text, just_one, network, network6
from localcloud.provider.kinds.ec2.group_permissions import (
    ALL,
    ANY_PORT,
    ICMP,
    PORT_PROTOCOLS,
    PORTLESS,
    Permission,
    port_reasons,
)
from localcloud.provider.tags import ec2_tags
from localcloud.provider.values import Properties

SOURCES = {
    "cidrIpv4": "CidrIpv4",
    "cidrIpv6": "CidrIpv6",
    "prefixListId": "PrefixListId",
    "referencedSecurityGroupId": "ReferencedGroupId",
}
"""Our property for a source or target to EC2's name of it."""
PORTS = ("fromPort", "toPort")
CHANGEABLE = frozenset(SOURCES) | {"ipProtocol", "fromPort", "toPort", "description"}


def _ports(inputs: Properties) -> tuple[int, int]:
    return int(inputs.get("fromPort", ANY_PORT)), int(inputs.get("toPort", ANY_PORT))


def _create_parameters(change: Change) -> dict[str, Any]:
    """Everything in the one permission, since EC2 refuses the same beside it."""
    kind, source = next((kind, change.inputs[name]) for name, kind in SOURCES.items() if change.inputs.get(name))
    kind = "GroupId" if kind == "ReferencedGroupId" else kind
    description = change.inputs.get("description", "")
    permission = Permission(change.inputs["ipProtocol"], *_ports(change.inputs), kind, source, description)
    beside = dict.fromkeys(("IpProtocol", "FromPort", "ToPort"))
    return {"GroupId": change.inputs["securityGroupId"], "IpPermissions": [permission.as_parameter()], **beside}


def _modify(change: Change) -> None:
    from_port, to_port = _ports(change.inputs)
    rule = {
        "IpProtocol": change.inputs["ipProtocol"],
        "FromPort": from_port,
        "ToPort": to_port,
        "Description": change.inputs.get("description", ""),
        **{kind: change.inputs[name] for name, kind in SOURCES.items() if change.inputs.get(name)},
    }
    wanted = [{"SecurityGroupRuleId": change.id, "SecurityGroupRule": rule}]
    change.call("modify_security_group_rules", GroupId=change.inputs["securityGroupId"], SecurityGroupRules=wanted)


def _port(key: str) -> Any:
    def read(found: dict[str, Any]) -> int | None:
        """Nothing where the protocol has no ports; ICMP's -1 means any type or code."""
        port = found.get(key, ANY_PORT)
        return None if port == ANY_PORT and found["IpProtocol"] not in ICMP else int(port)

    return read


def _protocol_failures(inputs: Properties) -> Failures:
    if "ipProtocol" in inputs:
        ports = [inputs.get(name, inputs.get(other, 0)) for name, other in (PORTS, PORTS[::-1])]
        yield from (("ipProtocol", reason) for reason in port_reasons(str(inputs["ipProtocol"]), *ports))


def _ports_given(inputs: Properties) -> Failures:
    protocol = inputs.get("ipProtocol")
    for name in PORTS:
        if protocol in (ALL, *PORTLESS) and name in inputs:
            yield name, f"{name} has no meaning for ipProtocol {protocol}, got {inputs[name]}"
        if protocol in (*PORT_PROTOCOLS, *ICMP) and name not in inputs:
            yield name, f"ipProtocol {protocol} needs {name}"


def _rule_type(token: str, direction: str, *, is_egress: bool) -> AwsType:
    where = f"SecurityGroupRules[?IsEgress==`{'true' if is_egress else 'false'}`] | [0]"

    def delete(change: Change) -> None:
        group = change.inputs.get("securityGroupId") or change.state["securityGroupId"]
        change.call(f"revoke_security_group_{direction}", GroupId=group, SecurityGroupRuleIds=[change.id])

    return AwsType(
        token=token,
        service="ec2",
        properties={
            "securityGroupId": Prop(required=True, read="GroupId"),
            "ipProtocol": Prop(required=True),
            "fromPort": Prop(resettable=True, read=_port("FromPort")),
            "toPort": Prop(resettable=True, read=_port("ToPort")),
            "cidrIpv4": Prop(resettable=True, read="CidrIpv4 || ''"),
            "cidrIpv6": Prop(resettable=True, read="CidrIpv6 || ''"),
            "prefixListId": Prop(resettable=True, read="PrefixListId || ''"),
            "referencedSecurityGroupId": Prop(resettable=True, read="ReferencedGroupInfo.GroupId || ''"),
            "description": Prop(resettable=True, read="Description || ''"),
            "tags": Prop(),
        },
        create=Create(
            f"authorize_security_group_{direction}",
            "SecurityGroupRules[0].SecurityGroupRuleId",
            extra=_create_parameters,
            of=CHANGEABLE | {"securityGroupId"},
        ),
        reads=(Read("describe_security_group_rules", by_id("SecurityGroupRuleIds", many=True), where),),
        steps=(Step(CHANGEABLE, _modify),),
        delete=delete,
        outputs={"arn": ec2_arn("security-group-rule"), "securityGroupRuleId": "SecurityGroupRuleId"},
        tags=ec2_tags("security-group-rule"),
        rules=(
            network("cidrIpv4"),
            network6("cidrIpv6"),
            group_text("description"),
            _protocol_failures,
        ),
        presence=(just_one(SOURCES), _ports_given),
    )


INGRESS_RULE = _rule_type("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "ingress", is_egress=False)
EGRESS_RULE = _rule_type("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", "egress", is_egress=True)

TYPES = (INGRESS_RULE, EGRESS_RULE)
