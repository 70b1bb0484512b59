import base64
import functools
import json
from typing import Any

import pytest
import yaml

from components.boot import instance_boot
from components.swarm_cluster import SwarmCluster
from deployed import Registered, deploy

ARGS: dict[str, Any] = {
    "environment": "dev",
    "workers": 4,
    "instance_types": ["t4g.small"],
    "vpc_id": "vpc-1",
    "subnet_ids": ["subnet-a", "subnet-b"],
    "load_balancer_security_group_id": "sg-balancer",
    "target_group_arns": {"blue": "arn:blue", "green": "arn:green"},
    "repository_arn": "arn:repository",
    "log_group_arn": "arn:logs",
}
KEY = "arn:aws:kms:eu-west-1:123456789012:key/1"
PARAMETERS = "arn:aws:ssm:eu-west-1:123456789012:parameter/teal/dev/swarm/"


@functools.cache
def plain() -> dict[str, Registered]:
    """What most tests look at: made once, since it is forty resources."""
    return deploy(lambda: SwarmCluster("swarm", ARGS)).resources  # type: ignore[arg-type]


def cluster(**changes: Any) -> dict[str, Registered]:
    args: Any = {**ARGS, **changes}
    return deploy(lambda: SwarmCluster("swarm", args)).resources if changes else plain()


def told(resources: dict[str, Registered], role: str) -> dict[str, Any]:
    text = base64.b64decode(resources[f"swarm-{role}s-template"].inputs["userData"]).decode()
    [content] = [f["content"] for f in yaml.safe_load(text)["write_files"] if f["path"] == "/etc/teal/swarm.json"]
    return dict(json.loads(content))


def statements(resources: dict[str, Registered], role: str) -> dict[str, Any]:
    return {s["Sid"]: s for s in json.loads(resources[f"swarm-{role}s-node"].inputs["policy"])["Statement"]}


def rules(resources: dict[str, Registered], direction: str) -> set[tuple[Any, ...]]:
    """Of all groups: whose rule, protocol, ports, and who is on the other side."""
    return {
        (
            r.inputs["securityGroupId"].removeprefix("swarm-").removesuffix("-id"),
            r.inputs["ipProtocol"],
            r.inputs.get("fromPort"),
            r.inputs.get("toPort"),
            r.inputs.get("cidrIpv4") or r.inputs["referencedSecurityGroupId"],
        )
        for r in resources.values()
        if r.type.endswith(f"{direction}Rule")
    }


@pytest.mark.parametrize(("managers", "workers"), [(1, 1), (5, 12)])
def test_both_groups_hold_their_size_over_all_zones(managers: int, workers: int) -> None:
    found = cluster(managers=managers, workers=workers)
    for role, count in (("manager", managers), ("worker", workers)):
        inputs = found[f"swarm-{role}s-group"].inputs
        assert (inputs["minSize"], inputs["maxSize"], "desiredCapacity" in inputs) == (count, count, False)
        assert inputs["vpcZoneIdentifiers"] == ["subnet-a", "subnet-b"]
    assert not [name for name, r in found.items() if r.type.endswith("policy:Policy")], "something scales"


def test_workers_are_in_both_target_groups_and_managers_in_none() -> None:
    found = cluster()
    assert found["swarm-workers-group"].inputs["targetGroupArns"] == ["arn:blue", "arn:green"]
    assert "targetGroupArns" not in found["swarm-managers-group"].inputs


def test_a_worker_without_a_task_of_a_colour_is_not_given_up() -> None:
    assert {cluster()[f"swarm-{role}s-group"].inputs["healthCheckType"] for role in ("manager", "worker")} == {"EC2"}


def test_managers_are_not_moved_between_zones_for_the_sake_of_balance() -> None:
    found = cluster()
    assert found["swarm-managers-group"].inputs["suspendedProcesses"] == ["AZRebalance"]
    assert "suspendedProcesses" not in found["swarm-workers-group"].inputs


def test_nodes_talk_among_themselves_and_workers_get_requests_from_the_load_balancer_only() -> None:
    found = cluster()
    among = {("nodes", *lane, "swarm-nodes-id") for lane in (
        ("tcp", 7946, 7946), ("udp", 7946, 7946), ("udp", 4789, 4789), ("50", None, None))}  # fmt: skip
    assert rules(found, "Ingress") == among | {
        ("managers", "tcp", 2377, 2377, "swarm-nodes-id"),
        ("workers", "tcp", 8081, 8081, "sg-balancer"),
        ("workers", "tcp", 8082, 8082, "sg-balancer"),
    }
    assert rules(found, "Egress") == among | {
        ("nodes", "tcp", 2377, 2377, "swarm-managers-id"),
        ("nodes", "tcp", 443, 443, "0.0.0.0/0"),
    }
    for role in ("manager", "worker"):
        [interface] = found[f"swarm-{role}s-template"].inputs["networkInterfaces"]
        assert interface["securityGroups"] == ["swarm-nodes-id", f"swarm-{role}s-id"]


def test_ports_of_ones_own_are_opened() -> None:
    ports = {line[2] for line in rules(cluster(ports={"green": 9002.0, "blue": 9001.0}), "Ingress")}
    assert {9001, 9002} <= ports
    assert not {8081, 8082} & ports


def test_managers_write_the_parameters_and_read_them_and_no_others() -> None:
    found = statements(cluster(), "manager")
    own = [PARAMETERS + leaf for leaf in ("claim-*", "managers", "manager-token", "worker-token")]
    assert set(found) == {"Publish", "Read", "NoOtherParameters"}
    assert (found["Publish"]["Action"], found["Publish"]["Resource"]) == (["ssm:PutParameter"], own)
    assert (found["Read"]["Action"], found["Read"]["Resource"]) == (["ssm:GetParameters"], own)
    assert found["NoOtherParameters"]["NotResource"] == own
    assert found["NoOtherParameters"]["Effect"] == "Deny"


def test_workers_write_none_and_do_not_see_the_managers_token() -> None:
    found = statements(cluster(), "worker")
    assert {sid: s.get("Resource") for sid, s in found.items()} == {
        "LogIn": ["*"],
        "Pull": ["arn:repository"],
        "Log": ["arn:logs:*"],
        "Read": [PARAMETERS + "managers", PARAMETERS + "worker-token"],
        "NoOtherParameters": None,
    }
    assert found["NoOtherParameters"]["NotResource"] == found["Read"]["Resource"]


def test_with_a_key_tokens_are_encrypted_by_it_and_nodes_may_use_it_through_ssm_alone() -> None:
    found = cluster(kms_key_arn=KEY)
    through = {"StringEquals": {"kms:ViaService": "ssm.eu-west-1.amazonaws.com"}}
    for role, actions in (("manager", ["kms:Decrypt", "kms:Encrypt"]), ("worker", ["kms:Decrypt"])):
        use = statements(found, role)["Key"]
        assert (use["Action"], use["Resource"], use["Condition"]) == (actions, [KEY], through)
        assert told(found, role)["key"] == KEY


def test_a_node_is_told_its_role_and_a_swarm_that_no_earlier_one_is_taken_for() -> None:
    found = cluster()
    for role in ("manager", "worker"):
        assert told(found, role) == {
            "cluster": "dev",
            "role": role,
            "parameters": "/teal/dev/swarm",
            "identity": "swarm-nodes-id",
            "key": "",
            "pool": "100.64.0.0/16",
            "hook": instance_boot.HOOK,
        }


def test_nodes_are_held_back_until_they_have_joined() -> None:
    found = cluster(boot_seconds=90)
    for role in ("manager", "worker"):
        hook = found[f"swarm-{role}s-ready"].inputs
        assert (hook["autoscalingGroupName"], hook["name"]) == (f"swarm-{role}s-group", instance_boot.HOOK)
        assert (hook["defaultResult"], hook["heartbeatTimeout"]) == ("ABANDON", 90)
        told_policy = json.loads(found[f"swarm-{role}s-tell-ready"].inputs["policy"])["Statement"]
        assert {s["Action"]: s["Resource"] for s in told_policy}["autoscaling:CompleteLifecycleAction"] == (
            f"arn:swarm-{role}s-group"
        )


def test_every_child_belongs_to_the_component_and_is_tagged_where_aws_takes_tags() -> None:
    found = cluster(tags={"Team": "shop"})
    children = {name: r for name, r in found.items() if r.type.startswith("aws:")}
    assert {r.parent for r in children.values()} == {"swarm"}
    leaves = {name.removeprefix("swarm-managers-").removeprefix("swarm-workers-"): r for name, r in children.items()}
    untagged = {name for name, r in leaves.items() if "tags" not in r.inputs}
    assert untagged == {"session", "node", "tell-ready", "ready"}
    for name, r in children.items():
        if name.endswith("-group"):
            assert {"key": "Team", "value": "shop", "propagateAtLaunch": True} in r.inputs["tags"]
        elif "tags" in r.inputs:
            assert r.inputs["tags"]["Team"] == "shop"


def test_nodes_start_once_their_rules_and_rights_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    from deployed import Recorder

    waits: dict[str, set[str]] = {}
    register = Recorder.RegisterResource

    def noting(self: Recorder, request: Any) -> Any:
        waits[request.name] = {urn.split("::")[-1] for urn in request.dependencies}
        return register(self, request)

    monkeypatch.setattr(Recorder, "RegisterResource", noting)
    cluster(workers=2)
    for role in ("manager", "worker"):
        assert {f"swarm-{role}s-node", "swarm-from-nodes-orders", "swarm-to-https"} <= waits[f"swarm-{role}s-group"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"environment": "a b"}, "environment must be 1 to 100 letters"),
        ({"managers": 2}, "managers must be one of 1, 3, 5, got 2"),
        ({"workers": 0}, "workers must be a whole number from 1 to 1000, got 0"),
        ({"instance_types": []}, "instance_types must name at least one type"),
        ({"ports": {"blue": 8081}}, "ports must be for blue and green, got blue"),
        ({"ports": {"blue": 8081, "green": 8081}}, "ports must differ, since blue and green share servers, got 8081"),
        ({"ports": {"blue": 80, "green": 8081}}, "ports for blue must be a whole number from 1024 to 65535, got 80"),
        ({"ports": {"blue": 8081, "green": 5000}}, "ports for green must be another than 5000"),
        ({"overlay_cidr_block": "x"}, "overlay_cidr_block must be an IPv4 block"),
        ({"overlay_cidr_block": "100.64.0.0/24"}, "overlay_cidr_block must be of size /8 to /20"),
        ({"volume_gib": 7}, "volume_gib must be a whole number from 8 to 16384, got 7"),
        ({"boot_seconds": 0}, "boot_seconds must be a whole number from 30 to 3600, got 0"),
    ],
)
def test_a_wrong_input_is_refused_by_name(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cluster(**changes)
