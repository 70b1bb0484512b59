from typing import Any

import pytest

from localcloud.provider.errors import ApiRefused

LB = "aws:lb/loadBalancer:LoadBalancer"


@pytest.fixture
def inputs(network: Any) -> dict[str, Any]:
    return {
        "subnets": network.subnets[:2],
        "securityGroups": [network.group],
        "dropInvalidHeaderFields": True,
        "accessLogs": {"bucket": "logs", "enabled": True},
        "tags": {"Team": "shop"},
    }


def test_a_load_balancer_lives(engine: Any, inputs: dict[str, Any], network: Any) -> None:
    balancer = engine.create(LB, inputs, name="alb")
    assert balancer.outputs["name"].startswith("alb-")
    assert balancer.outputs["arn"] == balancer.id
    assert balancer.id.endswith(balancer.outputs["arnSuffix"])
    assert balancer.outputs["arnSuffix"].startswith("app/alb-")
    assert balancer.outputs["dnsName"].endswith(".eu-west-1.elb.amazonaws.com")
    assert balancer.outputs["vpcId"] == network.vpc
    balancer.update(
        idleTimeout=120,
        dropInvalidHeaderFields=None,
        accessLogs={"bucket": "logs", "enabled": True, "prefix": "alb"},
        subnets=network.subnets,
        tags={"Team": "till"},
    )
    balancer.update(accessLogs=None)
    assert "accessLogs" not in balancer.imported() or not balancer.imported()["accessLogs"]["enabled"]
    assert balancer.diff(internal=True).replaces == ("internal",)
    assert balancer.diff(name="other").replaces == ("name",)
    assert {"subnets": network.subnets, "idleTimeout": 120}.items() <= balancer.imported().items()
    balancer.delete()


def test_drift_of_an_attribute_and_of_logs_is_seen(engine: Any, inputs: dict[str, Any], call: Any) -> None:
    balancer = engine.create(LB, inputs)
    attributes = [{"Key": "routing.http.drop_invalid_header_fields.enabled", "Value": "false"}]
    call("elbv2", "modify_load_balancer_attributes", LoadBalancerArn=balancer.id, Attributes=attributes)
    attributes = [{"Key": "access_logs.s3.enabled", "Value": "false"}]
    call("elbv2", "modify_load_balancer_attributes", LoadBalancerArn=balancer.id, Attributes=attributes)
    found = balancer.refresh()
    assert (found["dropInvalidHeaderFields"], found["accessLogs"]["enabled"]) == (False, False)
    balancer.delete()


def test_a_protected_load_balancer_is_not_deleted(engine: Any, inputs: dict[str, Any]) -> None:
    balancer = engine.create(LB, {**inputs, "enableDeletionProtection": True})
    with pytest.raises(ApiRefused, match="deletion protection is enabled"):
        balancer.delete()
    balancer.update(enableDeletionProtection=False)
    balancer.delete()


def test_two_subnets_of_one_zone_are_refused(engine: Any, inputs: dict[str, Any], network: Any, call: Any) -> None:
    zone = network.zones[0]
    twin = call("ec2", "create_subnet", VpcId=network.vpc, CidrBlock="10.0.99.0/24", AvailabilityZone=zone)
    with pytest.raises(ApiRefused, match="two different Availability Zones"):
        engine.create(LB, {**inputs, "subnets": [network.subnets[0], twin["Subnet"]["SubnetId"]]})


def test_a_name_is_taken_once(engine: Any, inputs: dict[str, Any]) -> None:
    balancer = engine.create(LB, {**inputs, "name": "once"})
    with pytest.raises(ApiRefused, match="DuplicateLoadBalancerName"):
        engine.create(LB, {**inputs, "name": "once"})
    balancer.delete()


@pytest.mark.parametrize(
    ("path", "change", "reason"),
    [
        ("name", {"name": "a" * 33}, "1 to 32 letters"),
        ("name", {"name": "internal-x"}, "internal-"),
        ("idleTimeout", {"idleTimeout": 4001}, "from 1 to 4000, got 4001"),
        ("subnets", {"subnets": ["subnet-1"]}, "at least two"),
        ("desyncMitigationMode", {"desyncMitigationMode": "lax"}, "monitor, defensive, strictest, got 'lax'"),
        ("loadBalancerType", {"loadBalancerType": "network"}, "must be one of application"),
        ("accessLogs.bucket", {"accessLogs": {"enabled": True}}, "must name a bucket"),
        ("accessLogs.colour", {"accessLogs": {"bucket": "b", "colour": 1}}, "does not apply accessLogs.colour"),
        ("subnetMappings", {"subnetMappings": []}, "does not apply property subnetMappings"),
    ],
)
def test_what_aws_refuses_is_refused(engine: Any, path: str, change: dict[str, Any], reason: str) -> None:
    assert reason in engine.refusals(LB, {"subnets": ["subnet-1", "subnet-2"], **change})[path]
