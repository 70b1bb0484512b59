from typing import Any

import pytest

from localcloud.provider.errors import ApiRefused

TARGET_GROUP = "aws:lb/targetGroup:TargetGroup"
CHECK = {
    "path": "/readyz",
    "interval": 5,
    "timeout": 2,
    "healthyThreshold": 2,
    "unhealthyThreshold": 2,
    "matcher": "200",
}


@pytest.fixture
def inputs(network: Any) -> dict[str, Any]:
    return {"port": 8080, "protocol": "HTTP", "vpcId": network.vpc, "healthCheck": CHECK, "deregistrationDelay": 30}


def test_a_target_group_lives(engine: Any, inputs: dict[str, Any]) -> None:
    group = engine.create(TARGET_GROUP, {**inputs, "tags": {"Team": "shop"}}, name="web-blue")
    assert group.outputs["arnSuffix"].startswith("targetgroup/web-blue-")
    group.update(healthCheck={**CHECK, "path": "/livez", "interval": 10}, tags={"Team": "till"})
    group.update(slowStart=30, deregistrationDelay=3600)
    group.update(slowStart=None, loadBalancingAlgorithmType="least_outstanding_requests")
    group.update(stickiness={"type": "lb_cookie", "cookieDuration": 60, "enabled": True})
    group.update(stickiness=None)
    assert group.diff(port=9090).replaces == ("port",)
    assert group.diff(vpcId="vpc-2").replaces == ("vpcId",)
    imported = group.imported()
    assert imported["healthCheck"]["path"] == "/livez"
    assert imported["deregistrationDelay"] == 3600
    group.delete()


def test_a_health_check_left_out_goes_back_to_its_default(engine: Any, inputs: dict[str, Any], call: Any) -> None:
    group = engine.create(TARGET_GROUP, inputs)
    group.update(healthCheck={"path": "/readyz"})
    [told] = call("elbv2", "describe_target_groups", TargetGroupArns=[group.id])["TargetGroups"]
    assert (told["HealthCheckIntervalSeconds"], told["HealthyThresholdCount"]) == (30, 3)
    group.delete()


def test_drift_is_seen(engine: Any, inputs: dict[str, Any], call: Any) -> None:
    group = engine.create(TARGET_GROUP, inputs)
    call("elbv2", "modify_target_group", TargetGroupArn=group.id, HealthCheckPath="/elsewhere")
    delay = [{"Key": "deregistration_delay.timeout_seconds", "Value": "1"}]
    call("elbv2", "modify_target_group_attributes", TargetGroupArn=group.id, Attributes=delay)
    found = group.refresh()
    assert (found["healthCheck"]["path"], found["deregistrationDelay"]) == ("/elsewhere", 1)
    group.delete()


def test_a_second_group_of_one_name_is_refused(engine: Any, inputs: dict[str, Any]) -> None:
    group = engine.create(TARGET_GROUP, {**inputs, "name": "twin"})
    with pytest.raises(ApiRefused, match="DuplicateTargetGroupName"):
        engine.create(TARGET_GROUP, {**inputs, "name": "twin"})
    group.delete()


@pytest.mark.parametrize(
    ("path", "change", "reason"),
    [
        ("name", {"name": "a_b"}, "letters, digits or hyphens"),
        ("name", {"name": "a" * 33}, "1 to 32"),
        ("port", {"port": 0}, "from 1 to 65535, got 0"),
        ("healthCheck.path", {"healthCheck": {"path": "readyz"}}, "starts with a slash, got 'readyz'"),
        ("healthCheck.interval", {"healthCheck": {"interval": 4, "timeout": 2}}, "from 5 to 300, got 4"),
        ("healthCheck.timeout", {"healthCheck": {"interval": 5, "timeout": 5}}, "healthCheck.interval (5), got 5"),
        ("healthCheck.healthyThreshold", {"healthCheck": {"healthyThreshold": 1}}, "from 2 to 10, got 1"),
        ("healthCheck.colour", {"healthCheck": {"colour": 1}}, "does not apply healthCheck.colour"),
        ("slowStart", {"slowStart": 10}, "from 30 to 900 or 0, got 10"),
        ("deregistrationDelay", {"deregistrationDelay": 3601}, "from 0 to 3600, got 3601"),
        ("stickiness.cookieName", {"stickiness": {"type": "app_cookie"}}, "must be given"),
        ("protocol", {"protocol": "TCP"}, "HTTP, HTTPS, got 'TCP'"),
        ("slowStart", {"slowStart": 30, "loadBalancingAlgorithmType": "least_outstanding_requests"}, "must be 0"),
    ],
)  # fmt: skip
def test_what_aws_refuses_is_refused(engine: Any, path: str, change: dict[str, Any], reason: str) -> None:
    inputs = {"port": 80, "protocol": "HTTP", "vpcId": "vpc-1", **change}
    assert reason in engine.refusals(TARGET_GROUP, inputs)[path]
