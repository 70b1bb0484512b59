"""An application load balancer that faces the internet, with its access logs."""

import json
from typing import Any

import pulumi
import pytest

from components.load_balancer import LoadBalancer
from deployed import Deployment, Registered, deploy

ARGS: dict[str, Any] = {"vpc_id": "vpc-1", "vpc_cidr_block": "10.0.0.0/16", "subnet_ids": ["subnet-1", "subnet-2"]}
UNTAGGABLE = (
    "PublicAccessBlock:BucketPublicAccessBlock",
    "OwnershipControls:BucketOwnershipControls",
    "EncryptionConfiguration",
    "LifecycleConfiguration",
    "BucketPolicy",
)


def args(**changes: Any) -> Any:
    return {**ARGS, **changes}


def deployment(**changes: Any) -> Deployment:
    def program() -> None:
        balancer = LoadBalancer("web", args(**changes))
        for output in ("arn", "security_group_id", "log_bucket"):
            pulumi.export(output, getattr(balancer, output))

    return deploy(program)


def balancer(**changes: Any) -> dict[str, Registered]:
    return deployment(**changes).resources


def test_it_tells_where_it_is() -> None:
    assert deployment().exports == {
        "arn": "arn:web-alb",
        "security_group_id": "web-group-id",
        "log_bucket": "web-logs-id",
    }


def test_no_child_is_loose_or_untagged() -> None:
    children = {n: r for n, r in balancer(tags={"Team": "shop"}).items() if r.type.startswith("aws:")}
    assert {child.parent for child in children.values()} == {"web"}
    taggable = {name: child for name, child in children.items() if not child.type.endswith(UNTAGGABLE)}
    assert len(children) - len(taggable) == 5
    assert all(child.inputs["tags"] == {"Team": "shop", "Name": name} for name, child in taggable.items())


def test_it_faces_the_internet_and_refuses_odd_requests() -> None:
    inputs = balancer(idle_timeout_seconds=75.0)["web-alb"].inputs
    assert inputs["internal"] is False
    assert inputs["loadBalancerType"] == "application"
    assert inputs["subnets"] == ["subnet-1", "subnet-2"]
    assert inputs["securityGroups"] == ["web-group-id"]
    assert inputs["dropInvalidHeaderFields"] is True
    assert inputs["desyncMitigationMode"] == "defensive"
    assert inputs["idleTimeout"] == 75


@pytest.mark.parametrize(("serves_https", "ports"), [(False, {80}), (True, {80, 443})])
def test_it_takes_web_requests_from_anywhere_and_nothing_else(serves_https: bool, ports: set[int]) -> None:
    rules = deployment(serves_https=serves_https).of_type("SecurityGroupIngressRule").values()
    assert {(rule.inputs["fromPort"], rule.inputs["toPort"]) for rule in rules} == {(port, port) for port in ports}
    assert all(rule.inputs["cidrIpv4"] == "0.0.0.0/0" and rule.inputs["ipProtocol"] == "tcp" for rule in rules)
    assert all(rule.inputs["description"] for rule in rules)


def test_it_reaches_the_targets_port_within_the_vpc_only() -> None:
    [rule] = deployment(target_port=9000).of_type("SecurityGroupEgressRule").values()
    assert (rule.inputs["cidrIpv4"], rule.inputs["fromPort"], rule.inputs["toPort"]) == ("10.0.0.0/16", 9000, 9000)
    assert rule.inputs["description"]


def test_it_reaches_several_ports_of_targets_where_there_are_several_and_no_other() -> None:
    rules = [r.inputs for r in balancer(target_ports=[8081.0, 8082]).values() if r.type.endswith("EgressRule")]
    assert sorted((rule["fromPort"], rule["toPort"]) for rule in rules) == [(8081, 8081), (8082, 8082)]


def test_protection_is_the_default_and_holds_for_the_logs_too() -> None:
    protected, loose = balancer(), balancer(protects_from_deletion=False)
    assert protected["web-alb"].inputs["enableDeletionProtection"] is True
    assert protected["web-logs"].inputs["forceDestroy"] is False
    assert loose["web-alb"].inputs["enableDeletionProtection"] is False
    assert loose["web-logs"].inputs["forceDestroy"] is True


def test_access_logs_go_to_a_private_encrypted_bucket_and_expire() -> None:
    resources = balancer(log_retention_days=30)
    assert resources["web-alb"].inputs["accessLogs"] == {"bucket": "web-logs-id", "enabled": True}
    privacy = resources["web-logs-privacy"].inputs
    assert [value for key, value in privacy.items() if key != "bucket"] == [True] * 4
    assert resources["web-logs-ownership"].inputs["rule"] == {"objectOwnership": "BucketOwnerEnforced"}
    [encryption] = resources["web-logs-encryption"].inputs["rules"]
    assert encryption["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "AES256"}
    [rule] = resources["web-logs-expiry"].inputs["rules"]
    assert rule["status"] == "Enabled"
    assert rule["expiration"] == {"days": 30}


def test_only_load_balancers_of_this_account_write_logs_and_nobody_goes_without_tls() -> None:
    delivery, tls_only = json.loads(balancer()["web-logs-policy"].inputs["policy"])["Statement"]
    assert delivery["Principal"] == {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"}
    assert delivery["Action"] == "s3:PutObject"
    assert delivery["Resource"] == "arn:web-logs/AWSLogs/123456789012/*"
    assert tls_only["Effect"] == "Deny"
    assert tls_only["Resource"] == ["arn:web-logs", "arn:web-logs/*"]
    assert tls_only["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_subnets_that_are_not_known_yet_are_taken() -> None:
    resources = balancer(subnet_ids=pulumi.Output.from_input(["subnet-8", "subnet-9"]))
    assert resources["web-alb"].inputs["subnets"] == ["subnet-8", "subnet-9"]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"subnet_ids": ["subnet-1"]}, "subnet_ids must name subnets in at least two availability zones, got 1"),
        ({"target_port": 0}, "target_port must be a whole number from 1 to 65535, got 0"),
        ({"idle_timeout_seconds": 4001}, "idle_timeout_seconds must be a whole number from 1 to 4000, got 4001"),
        ({"log_retention_days": 0}, "log_retention_days must be a whole number from 1 to 3653, got 0"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_made(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        LoadBalancer("web", args(**changes))


def test_a_name_too_long_for_aws_is_refused() -> None:
    with pytest.raises(ValueError, match="has 25 characters"):
        LoadBalancer("w" * 21, args())
