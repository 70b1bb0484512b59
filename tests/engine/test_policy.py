"""The policy pack in real runs: a stranger's program is stopped, our own is not."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pulumi.automation.events import EngineEvent

from engine.world import PROJECT, REGION, World, write_project
from localcloud.errors import StackFailed
from localcloud.stacks import LocalStack

OPEN_TO_ALL = """
import pulumi_aws as aws

vpc = aws.ec2.Vpc("net-vpc", cidr_block="10.70.0.0/16")
group = aws.ec2.SecurityGroup("net-shell", vpc_id=vpc.id, description="Shell")
aws.vpc.SecurityGroupIngressRule(
    "net-shell-in", security_group_id=group.id, description="Shell", ip_protocol="tcp", from_port=22, to_port=22,
    cidr_ipv4="0.0.0.0/0",
)
"""
EXEMPT = """
- id: ingress-high-risk-ports
  resource: net-shell-in
  reason: a honeypot, which is there to be attacked
  owner: shop
  expires: {day}
"""
Judged = Callable[..., LocalStack]


@dataclass
class Said:
    """What the pack said in a run: level and rule."""

    found: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, event: EngineEvent) -> None:
        if event.policy_event:
            self.found.append((event.policy_event.enforcement_level, event.policy_event.policy_name))


@pytest.fixture
def judged(world: World) -> Judged:
    def stack(name: str, project: Path) -> LocalStack:
        command, variables = world.toolchain.pulumi_command(), world.toolchain.environment()
        packs = (PROJECT / "policy",)
        return LocalStack(project, name, world.home, world.record, REGION, command, variables, packs)

    return stack


def test_a_program_that_breaks_a_rule_is_stopped_and_told_what_to_do(judged: Judged, tmp_path: Path) -> None:
    with pytest.raises(StackFailed) as caught:
        judged("dev", write_project(tmp_path / "strange", OPEN_TO_ALL)).preview()
    told = str(caught.value)
    assert "ingress-high-risk-ports: No remote shell, desktop or database is open to the internet" in told
    assert "net-shell-in: open to everyone: 22." in told
    assert "Use Session Manager in place of SSH and RDP" in told
    assert "vpc-flow-logs: " in told  # which no single resource tells


def test_a_stack_may_only_be_advised_and_an_exemption_says_until_when(judged: Judged, tmp_path: Path) -> None:
    folder, said = write_project(tmp_path / "advised", OPEN_TO_ALL, {"teal:policy": "advisory"}), Said()
    (folder / "policy-exemptions.yaml").write_text(EXEMPT.format(day="2999-12-31"))
    assert judged("dev", folder).preview(said)["create"] == 4
    assert ("advisory", "ingress-authorised-ports") in said.found
    assert {rule for _, rule in said.found} >= {"vpc-flow-logs"}
    assert "ingress-high-risk-ports" not in {rule for _, rule in said.found}


def test_a_bad_file_of_exemptions_stops_the_run_by_one_line(judged: Judged, tmp_path: Path) -> None:
    folder = write_project(tmp_path / "unclear", OPEN_TO_ALL, {"teal:policy": "advisory"})
    (folder / "policy-exemptions.yaml").write_text(EXEMPT.format(day="soon"))
    with pytest.raises(StackFailed, match=r"policy-exemptions\.yaml: entry 1 expires: "):
        judged("dev", folder).preview()


def test_our_own_stack_breaks_no_rule_and_everything_is_decided_once_it_is_up(dev: LocalStack, judged: Judged) -> None:
    said = Said()
    judged(dev.name, PROJECT).preview(said)
    assert said.found == []
