"""What somebody did behind Pulumi's back, on a stack that serves: found by a refresh, put back by the next up."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from engine.world import BringUp, Heard, World, run

CHANGED = {"main-vpc", "web-listener"}
DELETED = {"web-test", "blue-from-balancer"}
"""Beside them, one of the alarms."""


@dataclass(frozen=True)
class Tampered:
    """What a preview and a refresh made of it, what the next up did, and the preview after that."""

    alarm: str
    ids: Mapping[str, str]
    previewed: Mapping[str, int]
    refreshed: Mapping[str, int]
    repaired: Heard


@pytest.fixture(scope="module")
def tampered(world: World, bring_up: BringUp) -> Tampered:
    """The dev stack after five things were done to it and undone by the engine."""
    dev = bring_up("dev")
    resources = world.checkpoint(dev)["resources"]
    ids = {resource["urn"].rsplit("::", 1)[-1]: resource["id"] for resource in resources if "id" in resource}
    alarm = next(r["urn"].rsplit("::", 1)[-1] for r in resources if r["type"].endswith(":MetricAlarm"))
    tamper(world, ids, alarm)
    previewed, refreshed = dev.preview(refresh=True), dev.refresh()
    return Tampered(alarm, ids, previewed, refreshed, run(dev.up))


def tamper(world: World, ids: Mapping[str, str], alarm: str) -> None:
    """A tag and the weights are changed; an alarm, a security group's rule and a listener's rule are deleted."""
    ec2, elb = world.aws("ec2"), world.aws("elbv2")
    ec2.create_tags(Resources=[ids["main-vpc"]], Tags=[{"Key": "Environment", "Value": "nobody's"}])
    [listener] = elb.describe_listeners(ListenerArns=[ids["web-listener"]])["Listeners"]
    [action] = listener["DefaultActions"]
    for share in action["ForwardConfig"]["TargetGroups"]:
        share["Weight"] = 50
    forward = {"Type": "forward", "ForwardConfig": action["ForwardConfig"]}
    elb.modify_listener(ListenerArn=ids["web-listener"], DefaultActions=[forward])
    world.aws("cloudwatch").delete_alarms(AlarmNames=[ids[alarm]])
    [rule] = ec2.describe_security_group_rules(SecurityGroupRuleIds=[ids["blue-from-balancer"]])["SecurityGroupRules"]
    ec2.revoke_security_group_ingress(GroupId=rule["GroupId"], SecurityGroupRuleIds=[ids["blue-from-balancer"]])
    elb.delete_rule(RuleArn=ids["web-test"])


def test_a_preview_with_refresh_shows_what_changed_and_what_is_gone(tampered: Tampered) -> None:
    assert (tampered.previewed["update"], tampered.previewed["create"]) == (2, 3)


def test_a_refresh_takes_over_the_changes_and_drops_what_is_gone(tampered: Tampered) -> None:
    assert (tampered.refreshed["update"], tampered.refreshed["delete"]) == (2, 3)


def test_the_next_up_puts_the_changes_back_and_recreates_what_was_deleted(tampered: Tampered) -> None:
    assert tampered.repaired.named("update") == CHANGED
    assert tampered.repaired.named("create") == {*DELETED, tampered.alarm}
    assert sum(tampered.repaired.changes.values()) == 5


def test_afterwards_the_account_is_as_it_was(tampered: Tampered, world: World, bring_up: BringUp) -> None:
    [vpc] = world.aws("ec2").describe_vpcs(VpcIds=[tampered.ids["main-vpc"]])["Vpcs"]
    assert {"Key": "Environment", "Value": "dev"} in vpc["Tags"]
    [listener] = world.aws("elbv2").describe_listeners(ListenerArns=[tampered.ids["web-listener"]])["Listeners"]
    shares = listener["DefaultActions"][0]["ForwardConfig"]["TargetGroups"]
    assert {share["Weight"] for share in shares} == {0, 100}
    bring_up("dev").preview(refresh=True, expect_no_changes=True)
