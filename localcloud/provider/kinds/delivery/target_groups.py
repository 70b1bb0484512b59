"""Target groups of application load balancers."""

from typing import Any

from localcloud.provider.kind import AutoName, AwsType, Change, Create, Failures, Prop, Read, Step
from localcloud.provider.kinds.bounds import among, at, no_other_keys, spelled, whole
from localcloud.provider.kinds.common import by_id, deletes
from localcloud.provider.kinds.delivery.elb_common import ELB_TAGS, NAME_MEANING, TAGS_READ, AttributeFamily, arn_suffix
from localcloud.provider.translate import text
from localcloud.provider.values import Properties

ATTRIBUTES = AttributeFamily(
    "describe_target_group_attributes",
    "modify_target_group_attributes",
    "TargetGroupArn",
    keys={
        "deregistrationDelay": "deregistration_delay.timeout_seconds",
        "slowStart": "slow_start.duration_seconds",
        "loadBalancingAlgorithmType": "load_balancing.algorithm.type",
        "loadBalancingAnomalyMitigation": "load_balancing.algorithm.anomaly_mitigation",
        "loadBalancingCrossZoneEnabled": "load_balancing.cross_zone.enabled",
        "stickiness.enabled": "stickiness.enabled",
        "stickiness.type": "stickiness.type",
        "stickiness.cookieDuration": "stickiness.lb_cookie.duration_seconds",
        "stickiness.cookieName": "stickiness.app_cookie.cookie_name",
    },
    defaults={
        "deregistrationDelay": 300,
        "slowStart": 0,
        "loadBalancingAlgorithmType": "round_robin",
        "loadBalancingAnomalyMitigation": "off",
        "loadBalancingCrossZoneEnabled": "use_load_balancer_configuration",
        "stickiness.enabled": False,
        "stickiness.type": "lb_cookie",
        "stickiness.cookieDuration": 86400,
    },
)

HEALTH_CHECK_KEYS = {
    "enabled": "HealthCheckEnabled",
    "healthyThreshold": "HealthyThresholdCount",
    "interval": "HealthCheckIntervalSeconds",
    "path": "HealthCheckPath",
    "port": "HealthCheckPort",
    "protocol": "HealthCheckProtocol",
    "timeout": "HealthCheckTimeoutSeconds",
    "unhealthyThreshold": "UnhealthyThresholdCount",
}
HEALTH_CHECK_DEFAULTS = {
    "enabled": True,
    "healthyThreshold": 3,
    "interval": 30,
    "matcher": "200",
    "path": "/",
    "port": "traffic-port",
    "protocol": "HTTP",
    "timeout": 6,
    "unhealthyThreshold": 3,
}
"""Pulumi's, which are not the API's: so every check is sent whole."""
TEXTS = ("path", "port", "protocol")


def _health_check(change: Change) -> dict[str, Any]:
    wanted = HEALTH_CHECK_DEFAULTS | change.inputs.get("healthCheck", {})
    parameters = {aws: text(wanted[key]) if key in TEXTS else wanted[key] for key, aws in HEALTH_CHECK_KEYS.items()}
    return parameters | {"Matcher": {"HttpCode": text(wanted["matcher"])}}


def _check_found(found: dict[str, Any]) -> dict[str, Any]:
    told = {key: found.get(aws) for key, aws in HEALTH_CHECK_KEYS.items()}
    return told | {"matcher": (found.get("Matcher") or {}).get("HttpCode")}


def _modifies_check(change: Change) -> None:
    change.call("modify_target_group", TargetGroupArn=change.id, **_health_check(change))


def _timeout_below_interval(inputs: Properties) -> Failures:
    check = HEALTH_CHECK_DEFAULTS | (inputs.get("healthCheck") or {})
    if float(check["timeout"]) >= float(check["interval"]):
        reason = (
            f"healthCheck.timeout must be less than healthCheck.interval ({check['interval']}), got {check['timeout']}"
        )
        yield "healthCheck.timeout", reason


def _cookie_named(inputs: Properties) -> Failures:
    if at(inputs, "stickiness.type") == "app_cookie" and not at(inputs, "stickiness.cookieName"):
        yield (
            "stickiness.cookieName",
            "stickiness.cookieName must be given where stickiness.type is app_cookie, got nothing",
        )


def _slow_start_fits(inputs: Properties) -> Failures:
    algorithm = inputs.get("loadBalancingAlgorithmType")
    if inputs.get("slowStart") and algorithm != "round_robin":
        yield (
            "slowStart",
            f"slowStart must be 0 where loadBalancingAlgorithmType is {algorithm}, got {inputs['slowStart']}",
        )


TARGET_GROUP = AwsType(
    token="aws:lb/targetGroup:TargetGroup",
    service="elbv2",
    properties={
        "name": Prop(read="TargetGroupName"),
        "port": Prop(required=True),
        "protocol": Prop(required=True),
        "protocolVersion": Prop(default="HTTP1"),
        "targetType": Prop(default="instance"),
        "vpcId": Prop(required=True),
        "ipAddressType": Prop(default="ipv4"),
        "healthCheck": Prop(resettable=True, read=_check_found),
        "tags": Prop(),
        **{name: ATTRIBUTES.prop(name) for name in sorted({path.split(".")[0] for path in ATTRIBUTES.keys})},
    },
    create=Create(
        "create_target_group",
        "TargetGroups[0].TargetGroupArn",
        extra=_health_check,
        of=frozenset({"healthCheck"}),
    ),
    reads=(
        Read("describe_target_groups", by_id("TargetGroupArns", many=True), "TargetGroups[0]"),
        ATTRIBUTES.read(),
        TAGS_READ,
    ),
    steps=(Step(frozenset({"healthCheck"}), _modifies_check), ATTRIBUTES.step()),
    delete=deletes("delete_target_group", "TargetGroupArn"),
    outputs={"arn": "TargetGroupArn", "arnSuffix": lambda change, _: arn_suffix(change.id)},
    tags=ELB_TAGS,
    name=AutoName("name", 32),
    rules=(
        spelled("name", r"(?!-)(?!.*--)[A-Za-z0-9-]{1,32}(?<!-)", f"{NAME_MEANING}, nor two in a row"),
        whole("port", 1, 65535),
        among("protocol", "HTTP", "HTTPS"),
        among("protocolVersion", "HTTP1", "HTTP2", "GRPC"),
        among("targetType", "instance", "ip"),
        among("ipAddressType", "ipv4", "ipv6"),
        no_other_keys("healthCheck", *HEALTH_CHECK_DEFAULTS),
        spelled("healthCheck.path", r"/\S{0,1023}", "a path of at most 1024 characters that starts with a slash"),
        spelled("healthCheck.matcher", r"[2-4]\d\d([-,][2-4]\d\d)*", "HTTP codes such as 200 or 200,204 or 200-399"),
        among("healthCheck.protocol", "HTTP", "HTTPS"),
        whole("healthCheck.interval", 5, 300),
        whole("healthCheck.timeout", 2, 120),
        whole("healthCheck.healthyThreshold", 2, 10),
        whole("healthCheck.unhealthyThreshold", 2, 10),
        _timeout_below_interval,
        whole("deregistrationDelay", 0, 3600),
        whole("slowStart", 30, 900, beside=(0,)),
        among("loadBalancingAlgorithmType", "round_robin", "least_outstanding_requests", "weighted_random"),
        among("loadBalancingAnomalyMitigation", "on", "off"),
        among("loadBalancingCrossZoneEnabled", "true", "false", "use_load_balancer_configuration"),
        no_other_keys("stickiness", "enabled", "type", "cookieDuration", "cookieName"),
        among("stickiness.type", "lb_cookie", "app_cookie"),
        whole("stickiness.cookieDuration", 1, 604800),
        _cookie_named,
        _slow_start_fits,
    ),
)  # fmt: skip

TYPES = (TARGET_GROUP,)
