"""Application load balancers. Network load balancers differ in too much, and nothing here would carry their traffic."""

from typing import Any

from localcloud.provider.kind import AutoName, AwsType, Change, Create, Failures, Prop, Read, Step
from localcloud.provider.kinds.bounds import among, no_other_keys, spelled, whole
from localcloud.provider.kinds.common import applies, by_id, deletes
from localcloud.provider.kinds.delivery.elb_common import (
    ELB_TAGS,
    LOAD_BALANCER_NAME,
    NAME_MEANING,
    TAGS_READ,
    AttributeFamily,
    arn_suffix,
)
from localcloud.provider.values import Properties

ATTRIBUTES = AttributeFamily(
    "describe_load_balancer_attributes",
    "modify_load_balancer_attributes",
    "LoadBalancerArn",
    keys={
        "enableDeletionProtection": "deletion_protection.enabled",
        "idleTimeout": "idle_timeout.timeout_seconds",
        "clientKeepAlive": "client_keep_alive.seconds",
        "dropInvalidHeaderFields": "routing.http.drop_invalid_header_fields.enabled",
        "desyncMitigationMode": "routing.http.desync_mitigation_mode",
        "enableHttp2": "routing.http2.enabled",
        "enableTlsVersionAndCipherSuiteHeaders": "routing.http.x_amzn_tls_version_and_cipher_suite.enabled",
        "enableXffClientPort": "routing.http.xff_client_port.enabled",
        "enableWafFailOpen": "waf.fail_open.enabled",
        "enableZonalShift": "zonal_shift.config.enabled",
        "preserveHostHeader": "routing.http.preserve_host_header.enabled",
        "xffHeaderProcessingMode": "routing.http.xff_header_processing.mode",
        "accessLogs.bucket": "access_logs.s3.bucket",
        "accessLogs.enabled": "access_logs.s3.enabled",
        "accessLogs.prefix": "access_logs.s3.prefix",
        "connectionLogs.bucket": "connection_logs.s3.bucket",
        "connectionLogs.enabled": "connection_logs.s3.enabled",
        "connectionLogs.prefix": "connection_logs.s3.prefix",
    },
    defaults={
        "enableDeletionProtection": False,
        "idleTimeout": 60,
        "clientKeepAlive": 3600,
        "dropInvalidHeaderFields": False,
        "desyncMitigationMode": "defensive",
        "enableHttp2": True,
        "enableTlsVersionAndCipherSuiteHeaders": False,
        "enableXffClientPort": False,
        "enableWafFailOpen": False,
        "enableZonalShift": False,
        "preserveHostHeader": False,
        "xffHeaderProcessingMode": "append",
        "accessLogs.bucket": "",
        "accessLogs.enabled": False,
        "accessLogs.prefix": "",
        "connectionLogs.bucket": "",
        "connectionLogs.enabled": False,
        "connectionLogs.prefix": "",
    },
)


def _create_parameters(change: Change) -> dict[str, Any]:
    internal = change.inputs.get("internal", False)
    return {"Scheme": "internal" if internal else "internet-facing", "Type": change.inputs["loadBalancerType"]}


def _sets_subnets(change: Change) -> None:
    change.call("set_subnets", LoadBalancerArn=change.id, Subnets=change.inputs["subnets"])


def _two_subnets(inputs: Properties) -> Failures:
    subnets = inputs.get("subnets")
    if subnets is not None and len(set(subnets)) < 2:
        yield "subnets", f"subnets must name at least two, in different zones, got {len(set(subnets))}"


def _logs_somewhere(inputs: Properties) -> Failures:
    for name in ("accessLogs", "connectionLogs"):
        logs = inputs.get(name) or {}
        if logs.get("enabled") and not logs.get("bucket"):
            yield f"{name}.bucket", f"{name}.bucket must name a bucket where {name}.enabled is true, got nothing"


LOAD_BALANCER = AwsType(
    token="aws:lb/loadBalancer:LoadBalancer",
    service="elbv2",
    properties={
        "name": Prop(read="LoadBalancerName"),
        "internal": Prop(default=False, read=lambda found: found["Scheme"] == "internal"),
        "loadBalancerType": Prop(default="application", read="Type"),
        "ipAddressType": Prop(default="ipv4"),
        "subnets": Prop(required=True, read="AvailabilityZones[].SubnetId"),
        "securityGroups": Prop(),
        "tags": Prop(),
        **{name: ATTRIBUTES.prop(name) for name in sorted({path.split(".")[0] for path in ATTRIBUTES.keys})},
    },
    create=Create(
        "create_load_balancer",
        "LoadBalancers[0].LoadBalancerArn",
        extra=_create_parameters,
        of=frozenset({"internal", "loadBalancerType"}),
    ),
    reads=(
        Read("describe_load_balancers", by_id("LoadBalancerArns", many=True), "LoadBalancers[0]"),
        ATTRIBUTES.read(),
        TAGS_READ,
    ),
    steps=(
        Step(frozenset({"subnets"}), _sets_subnets),
        applies("set_security_groups", "LoadBalancerArn", "securityGroups"),
        applies("set_ip_address_type", "LoadBalancerArn", "ipAddressType"),
        ATTRIBUTES.step(),
    ),
    delete=deletes("delete_load_balancer", "LoadBalancerArn"),
    outputs={
        "arn": "LoadBalancerArn",
        "arnSuffix": lambda change, _: arn_suffix(change.id),
        "dnsName": "DNSName",
        "vpcId": "VpcId",
        "zoneId": "CanonicalHostedZoneId",
    },
    tags=ELB_TAGS,
    name=AutoName("name", 32),
    rules=(
        spelled("name", LOAD_BALANCER_NAME, f"{NAME_MEANING}, and not starting with internal-"),
        among("loadBalancerType", "application"),
        among("ipAddressType", "ipv4", "dualstack"),
        among("desyncMitigationMode", "monitor", "defensive", "strictest"),
        among("xffHeaderProcessingMode", "append", "preserve", "remove"),
        whole("idleTimeout", 1, 4000),
        whole("clientKeepAlive", 60, 604800),
        no_other_keys("accessLogs", "bucket", "enabled", "prefix"),
        no_other_keys("connectionLogs", "bucket", "enabled", "prefix"),
        _two_subnets,
        _logs_somewhere,
    ),
)

TYPES = (LOAD_BALANCER,)
