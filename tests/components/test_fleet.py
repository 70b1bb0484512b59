import base64
import json
from typing import Any

import pulumi
import pytest
import yaml

from components.boot import instance_boot
from components.fleet import Fleet, group_sizes
from deployed import Recorder, Registered, deploy
from fleet_world import ARGS, IMAGE, container


@pytest.fixture(autouse=True)
def numbered_templates(monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider numbers a template's versions; the mocks answer with inputs only."""
    plain = Recorder.new_resource

    def numbered(self: Recorder, args: Any) -> tuple[str, dict[str, Any]]:
        known, state = plain(self, args)
        return known, {**state, "latestVersion": 3} if args.typ.endswith("LaunchTemplate") else state

    monkeypatch.setattr(Recorder, "new_resource", numbered)


def fleet(**changes: Any) -> dict[str, Registered]:
    args: Any = {**ARGS, **changes}
    return deploy(lambda: Fleet("blue", args)).resources


def test_the_instances_run_the_image_by_digest() -> None:
    assert container(fleet(environment={"MOOD": "calm"})) == {
        "image": IMAGE,
        "port": 8080,
        "colour": "blue",
        "log_group": "shop-app",
        "environment": {"MOOD": "calm"},
    }


def test_an_image_that_is_known_later_gets_there_too() -> None:
    assert container(fleet(image=pulumi.Output.from_input(IMAGE)))["image"] == IMAGE


def test_the_group_refers_to_the_template_by_its_number() -> None:
    inputs = fleet()["blue-group"].inputs
    assert inputs["launchTemplate"] == {"id": "blue-template-id", "version": "3"}
    assert "mixedInstancesPolicy" not in inputs


def test_several_types_are_tried_in_their_order() -> None:
    inputs = fleet(instance_types=["t4g.small", "m7g.medium"])["blue-group"].inputs
    policy = inputs["mixedInstancesPolicy"]["launchTemplate"]
    assert policy["launchTemplateSpecification"] == {"launchTemplateId": "blue-template-id", "version": "3"}
    assert policy["overrides"] == [{"instanceType": "t4g.small"}, {"instanceType": "m7g.medium"}]
    assert "launchTemplate" not in inputs


def test_the_ledgers_capacity_is_the_floor_and_scaling_owns_what_is_above_it() -> None:
    found = fleet(capacity=3.0)
    inputs = found["blue-group"].inputs
    assert (inputs["minSize"], inputs["maxSize"], "desiredCapacity" in inputs) == (3, 6, False)
    assert found["blue-cpu"].inputs["targetTrackingConfiguration"]["targetValue"] == 50


def test_an_idle_fleet_has_no_instances_and_no_scaling() -> None:
    found = fleet(capacity=0, image="")
    assert (found["blue-group"].inputs["minSize"], found["blue-group"].inputs["maxSize"]) == (0, 0)
    assert "blue-cpu" not in found
    assert container(found)["image"] == ""


@pytest.mark.parametrize(
    ("capacity", "sizes"), [(0, (0, 0)), (1, (2, 6)), (2, (2, 6)), (4, (4, 6)), (6, (6, 6)), (9, (6, 6))]
)
def test_a_capacity_outside_the_sizes_is_brought_within_them(capacity: int, sizes: tuple[int, int]) -> None:
    assert group_sizes(capacity, 2, 6) == sizes


def test_the_load_balancer_judges_the_instances_health() -> None:
    inputs = fleet()["blue-group"].inputs
    assert (inputs["healthCheckType"], inputs["targetGroupArns"]) == ("ELB", ["arn:blue"])
    assert inputs["healthCheckGracePeriod"] == inputs["defaultInstanceWarmup"] == 180
    assert inputs["vpcZoneIdentifiers"] == ["subnet-a", "subnet-b"]


def test_traffic_comes_from_the_load_balancer_only_and_goes_out_over_https_only() -> None:
    found = fleet()
    [into] = [r.inputs for r in found.values() if r.type.endswith("IngressRule")]
    [out] = [r.inputs for r in found.values() if r.type.endswith("EgressRule")]
    assert (into["referencedSecurityGroupId"], into["fromPort"], into["toPort"]) == ("sg-balancer", 8080, 8080)
    assert "cidrIpv4" not in into
    assert (out["cidrIpv4"], out["fromPort"], out["toPort"]) == ("0.0.0.0/0", 443, 443)
    assert into["description"]
    assert out["description"]


def test_metadata_needs_a_token_and_stays_out_of_a_containers_reach() -> None:
    assert fleet()["blue-template"].inputs["metadataOptions"] == {
        "httpEndpoint": "enabled",
        "httpTokens": "required",
        "httpPutResponseHopLimit": 1,
    }


def test_disks_are_encrypted_and_addresses_private() -> None:
    inputs = fleet(volume_gib=20.0)["blue-template"].inputs
    [disk] = inputs["blockDeviceMappings"]
    [interface] = inputs["networkInterfaces"]
    assert (disk["ebs"]["encrypted"], disk["ebs"]["volumeType"], disk["ebs"]["volumeSize"]) == ("true", "gp3", 20)
    assert interface["associatePublicIpAddress"] == "false"
    assert interface["securityGroups"] == ["blue-security-id"]
    assert "keyName" not in inputs


def test_the_role_pulls_one_repository_and_writes_one_log_group() -> None:
    found = fleet()
    statements = {s["Sid"]: s for s in json.loads(found["blue-pull-and-log"].inputs["policy"])["Statement"]}
    assert {sid: s["Resource"] for sid, s in statements.items()} == {
        "LogIn": "*",
        "Pull": "arn:repository",
        "Log": "arn:logs:*",
        "NoOtherParameters": "*",
    }
    assert found["blue-session"].inputs["policyArn"].endswith("/AmazonSSMManagedInstanceCore")
    assert "ec2.amazonaws.com" in found["blue-role"].inputs["assumeRolePolicy"]


def test_the_image_is_amazon_linux_of_the_types_architecture() -> None:
    asked: list[str] = []

    def published(args: dict[str, Any]) -> dict[str, str]:
        asked.append(args["name"])
        return {"value": "ami-1"}

    args: Any = {**ARGS, "instance_types": ["t3.small"]}
    deploy(lambda: Fleet("blue", args), lookups={"aws:ssm/getParameter:getParameter": published})
    assert asked == ["/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"]


def test_an_image_of_ones_own_needs_no_lookup() -> None:
    args: Any = {**ARGS, "image_id": "ami-own"}
    found = deploy(lambda: Fleet("blue", args), lookups={"aws:ssm/getParameter:getParameter": lambda _: 1 / 0})
    assert found.resources["blue-template"].inputs["imageId"] == "ami-own"


def test_every_child_belongs_to_the_component_and_is_tagged_where_aws_takes_tags() -> None:
    found = fleet(tags={"Team": "shop"})
    children = {name: r for name, r in found.items() if r.type.startswith("aws:")}
    assert {r.parent for r in children.values()} == {"blue"}
    untagged = {name for name, r in children.items() if "tags" not in r.inputs}
    assert untagged == {"blue-session", "blue-pull-and-log", "blue-tell-ready", "blue-ready", "blue-cpu"}
    in_groups = {tag["key"]: tag for tag in children.pop("blue-group").inputs["tags"]}
    assert in_groups["Team"] == {"key": "Team", "value": "shop", "propagateAtLaunch": True}
    assert in_groups["Colour"]["value"] == "blue"
    assert all(r.inputs["tags"]["Team"] == "shop" for name, r in children.items() if name not in untagged)
    [volumes] = found["blue-template"].inputs["tagSpecifications"]
    assert (volumes["resourceType"], volumes["tags"]["Team"]) == ("volume", "shop")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"colour": "red"}, "colour must be one of blue, green, got 'red'"),
        ({"image": "shop:latest"}, "image must be empty or <registry>/<repository>@sha256:"),
        ({"capacity": -1}, "capacity must be a whole number from 0 to 1000, got -1"),
        ({"min_size": 0}, "min_size must be a whole number from 1 to 1000, got 0"),
        ({"max_size": 1}, "max_size must be a whole number from 2 to 1000, got 1"),
        ({"instance_types": []}, "instance_types must name at least one type"),
        ({"port": 80}, "port must be a whole number from 1024 to 65535, got 80"),
        ({"volume_gib": 7}, "volume_gib must be a whole number from 8 to 16384, got 7"),
        ({"cpu_target_percent": 100}, "cpu_target_percent must be a whole number from 10 to 90, got 100"),
        ({"boot_seconds": 0}, "boot_seconds must be a whole number from 30 to 3600, got 0"),
        ({"environment": {"TEAL_ZONE": "x"}}, "environment may not set 'TEAL_ZONE'"),
    ],
)
def test_a_wrong_input_is_refused_by_name(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fleet(**changes)


def test_the_group_holds_instances_back_until_they_say_that_they_are_ready_and_gives_up_those_that_do_not() -> None:
    found = fleet(boot_seconds=90)
    hook = found["blue-ready"].inputs
    assert (hook["autoscalingGroupName"], hook["name"]) == ("blue-group", instance_boot.HOOK)
    assert hook["lifecycleTransition"] == "autoscaling:EC2_INSTANCE_LAUNCHING"
    assert (hook["defaultResult"], hook["heartbeatTimeout"]) == ("ABANDON", 90)
    [first] = found["blue-group"].inputs["initialLifecycleHooks"]
    assert first == {key: value for key, value in hook.items() if key != "autoscalingGroupName"}


def test_an_instance_may_complete_hooks_of_its_own_group_only() -> None:
    found = fleet()
    assert found["blue-tell-ready"].inputs["role"] == found["blue-pull-and-log"].inputs["role"]
    statements = json.loads(found["blue-tell-ready"].inputs["policy"])["Statement"]
    assert {s["Action"]: s["Resource"] for s in statements} == {
        "autoscaling:DescribeAutoScalingInstances": "*",
        "autoscaling:CompleteLifecycleAction": "arn:blue-group",
    }


def test_a_baked_image_gets_short_user_data() -> None:
    inputs = fleet(image_id="ami-own", is_baked=True)["blue-template"].inputs
    assert set(yaml.safe_load(base64.b64decode(inputs["userData"]))) == {"write_files"}
