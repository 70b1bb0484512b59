"""What moto's EC2 forgets.

moto leaves behind the network interfaces of terminated instances and deleted NAT gateways, the addresses on them, the
associations of deleted subnets and the access lists of deleted VPCs; it changes rules of security groups only half, and
does not tell the description of a rule for a group; changing an endpoint changes neither its interfaces nor its routes;
tags of launch templates stay as they were first; an instance's protection from termination is not heard when it starts,
and its new user data is decoded twice. install() mends these. What EC2 refuses is in refusals_ec2.
"""

import base64
import functools
from collections.abc import Callable, Mapping
from typing import Any

from moto.core.types import Base64EncodedString
from moto.ec2.exceptions import InvalidSecurityGroupNotFoundError, InvalidSecurityGroupRuleIdNotFoundError
from moto.ec2.models.iam_instance_profile import IamInstanceProfileAssociationBackend
from moto.ec2.models.instances import Instance, InstanceBackend
from moto.ec2.models.launch_templates import LaunchTemplate
from moto.ec2.models.nat_gateways import NatGatewayBackend
from moto.ec2.models.security_groups import SecurityGroupBackend, SecurityGroupRule
from moto.ec2.models.subnets import SubnetBackend
from moto.ec2.models.vpcs import VPCBackend
from moto.ec2.responses import instances as instance_responses
from moto.ec2.utils import parse_user_data

from localcloud.api import refusals_ec2
from localcloud.api.gaps_endpoints import ENDPOINT_MENDS


def install() -> None:
    """Mends moto's EC2 in this process; a second call changes nothing."""
    for owner, name, mend in (*MENDS, *ENDPOINT_MENDS):
        original = getattr(owner, name)
        if not hasattr(original, "__wrapped__"):
            setattr(owner, name, _bound(original, mend))
    instance_responses.parse_user_data = _parse_user_data
    SecurityGroupRule.description = property(_rule_description)
    LaunchTemplate.tags = property(lambda self: self.get_tags(), lambda self, _: None)
    refusals_ec2.install()


def _bound(original: Callable[..., Any], mend: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def mended(self: Any, *arguments: Any, **named: Any) -> Any:
        return mend(original, self, *arguments, **named)

    return mended


def _parse_user_data(value: Any) -> Any:
    """Bytes are decoded already; text is not."""
    is_decoded = isinstance(value, bytes)
    return Base64EncodedString.from_encoded_bytes(base64.b64encode(value)) if is_decoded else parse_user_data(value)


def _run_instances(original: Any, self: Any) -> Any:
    answer = original(self)
    for instance in answer.result.instances:
        instance.disable_api_termination = bool(self._get_param("DisableApiTermination"))
    return answer


def _prepare_interfaces(original: Any, self: Any, nic_spec: list[dict[str, Any]], *rest: Any, **named: Any) -> None:
    """Interfaces that come with an instance go with it, unless it was started otherwise."""
    brought = {spec.get("NetworkInterfaceId") for spec in nic_spec}
    kept = {int(spec.get("DeviceIndex", 0)) for spec in nic_spec if spec.get("DeleteOnTermination") is False}
    original(self, nic_spec, *rest, **named)
    for index, interface in self.nics.items():
        interface.delete_on_termination = interface.id not in brought and index not in kept


def _terminate(original: Any, self: Any) -> Any:
    """A terminated instance lets go of its fixed addresses."""
    backend = self.ec2_backend
    for address in [address for address in backend.addresses if address.instance is self]:
        backend.disassociate_address(address=address.public_ip)
    return original(self)


def _regroup_instance(original: Any, self: Any, instance_id: str, new_group_id_list: list[str]) -> Any:
    """An instance's groups are those of its first interface; unknown ones are refused."""
    groups = {group_id: self.get_security_group_from_id(group_id) for group_id in new_group_id_list}
    for group_id, group in groups.items():
        if group is None:
            raise InvalidSecurityGroupNotFoundError(group_id)
    instance = original(self, instance_id, new_group_id_list)
    instance.nics[0]._group_set = list(groups.values())
    return instance


def _replace_profile(original: Any, self: Any, *arguments: Any, **named: Any) -> Any:
    """The instance itself tells the new profile, too."""
    association = original(self, *arguments, **named)
    profile = {"Arn": association.iam_instance_profile.arn, "Id": association.association_id}
    self.modify_instance_attribute(association.instance.id, "iam_instance_profile", profile)
    return association


def _delete_nat_gateway(original: Any, self: Any, nat_gateway_id: str) -> Any:
    """Frees the gateway's address and removes its interface; the gateway itself is told as deleted, like EC2 does."""
    gateway = original(self, nat_gateway_id)
    for address in [address for address in self.addresses if address.eni is gateway._eni]:
        self.disassociate_address(address=address.public_ip)
    self.enis.pop(gateway._eni.id, None)
    return gateway


def _delete_subnet(original: Any, self: Any, subnet_id: str) -> Any:
    """A subnet takes its associations with route tables and access lists along."""
    subnet = original(self, subnet_id)
    for table in self.route_tables.values():
        for key in [key for key, target in table._associations.items() if target == subnet_id]:
            del table._associations[key]
    for access_list in self.network_acls.values():
        for key in [key for key, link in access_list._associations.items() if link.subnet_id == subnet_id]:
            del access_list._associations[key]
    return subnet


def _delete_vpc(original: Any, self: Any, vpc_id: str) -> Any:
    """A VPC takes its access lists along."""
    vpc = original(self, vpc_id)
    for key in [key for key, access_list in self.network_acls.items() if access_list.vpc_id == vpc_id]:
        del self.network_acls[key]
    return vpc


def _make_rule(original: Any, self: Any, *arguments: Any, **named: Any) -> None:
    """Keeps the description of a prefix list, whose place moto's rules do not have."""
    original(self, *arguments, **named)
    prefix_list = named.get("prefix_list_id") or (arguments[7] if len(arguments) > 7 else None) or {}
    self._prefix_description = prefix_list.get("Description")


def _rule_description(rule: Any) -> str | None:
    told = rule.ip_range.get("Description") or rule.source_group.get("Description") or rule._prefix_description
    return str(told) if told else None


def _modify_rules(original: Any, self: Any, group_id: str, rules: Mapping[str, Mapping[str, Any]]) -> None:
    """Replaces everything that each rule says, whatever its source is."""
    group = self.get_security_group_by_name_or_id(group_id)
    if group is None:
        raise InvalidSecurityGroupNotFoundError(group_id)
    for rule_id, wanted in rules.items():
        rule = group.get_rule(rule_id)
        if rule is None:
            raise InvalidSecurityGroupRuleIdNotFoundError(rule_id)
        rule.ip_protocol = wanted["IpProtocol"]
        is_portless = rule.ip_protocol == "-1"
        rule.from_port = None if is_portless else int(wanted["FromPort"])
        rule.to_port = None if is_portless else int(wanted["ToPort"])
        _redirect(rule, wanted, self.account_id)


def _redirect(rule: Any, wanted: Mapping[str, Any], account_id: str) -> None:
    described = {"Description": wanted["Description"]} if wanted.get("Description") else {}
    rule.ip_range, rule.source_group, rule.prefix_list_id, rule._prefix_description = {}, {}, None, None
    if wanted.get("CidrIpv4"):
        rule.ip_range = {"CidrIp": wanted["CidrIpv4"], **described}
    elif wanted.get("CidrIpv6"):
        rule.ip_range = {"CidrIpv6": wanted["CidrIpv6"], **described}
    elif wanted.get("ReferencedGroupId"):
        owner = {"OwnerId": account_id, "UserId": account_id}
        rule.source_group = {"GroupId": wanted["ReferencedGroupId"], **owner, **described}
    else:
        rule.prefix_list_id, rule._prefix_description = wanted.get("PrefixListId"), wanted.get("Description")


def _add_version(original: Any, self: Any, data: dict[str, Any], description: str) -> Any:
    """A version says nothing of the template's own tags, which moto writes into its data."""
    specifications = [spec for spec in data.get("TagSpecifications", []) if spec["ResourceType"] != "launch-template"]
    kept = {key: value for key, value in data.items() if key != "TagSpecifications" and value is not None}
    return original(self, {**kept, **({"TagSpecifications": specifications} if specifications else {})}, description)


MENDS: tuple[tuple[type, str, Callable[..., Any]], ...] = (
    (instance_responses.InstanceResponse, "run_instances", _run_instances),
    (Instance, "prep_nics", _prepare_interfaces),
    (Instance, "terminate", _terminate),
    (InstanceBackend, "modify_instance_security_groups", _regroup_instance),
    (IamInstanceProfileAssociationBackend, "replace_iam_instance_profile_association", _replace_profile),
    (NatGatewayBackend, "delete_nat_gateway", _delete_nat_gateway),
    (SubnetBackend, "delete_subnet", _delete_subnet),
    (VPCBackend, "delete_vpc", _delete_vpc),
    (SecurityGroupRule, "__init__", _make_rule),
    (SecurityGroupBackend, "modify_security_group_rules", _modify_rules),
    (LaunchTemplate, "create_version", _add_version),
)
