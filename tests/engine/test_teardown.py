"""`destroy` leaves nothing of ours. Last of all, since it ends the stacks that the other tests share."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.world import BringUp, World, copy_project, run
from localcloud.errors import StackFailed

PROTECTED = ("stage", "prod")


def test_a_destroy_of_a_protected_stack_fails_and_leaves_what_cannot_be_made_again(
    world: World, bring_up: BringUp
) -> None:
    """Load balancer (and with it the address), ledger and registry stay; the rest is made again by the next up."""
    stage = bring_up("stage")
    exports = stage.exports()
    with pytest.raises(StackFailed, match="protect"):
        stage.destroy()
    world.aws("elbv2").describe_load_balancers(LoadBalancerArns=[exports["loadBalancerArn"]])
    assert world.aws("dynamodb").scan(TableName=exports["ledgerTable"])["Items"]
    world.aws("ecr").describe_repositories(repositoryNames=[exports["repositoryUrl"].partition("/")[2]])
    stage.up()
    stage.preview(refresh=True, expect_no_changes=True)
    assert stage.exports()["loadBalancerArn"] == exports["loadBalancerArn"]


@pytest.mark.parametrize("name", ["qa", "dev", *PROTECTED])
def test_a_destroy_removes_the_whole_stack(
    name: str,
    world: World,
    bring_up: BringUp,
    up_seconds: dict[str, float],
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    stack = bring_up(name)
    if name in PROTECTED:  # as its owner would: first an up without protection, then the destroy
        stack = world.stack(name, copy_project(tmp_path / "copy", name, like=name, protects=False))
        assert run(stack.up).changes.keys() == {"update"}
    started = time.monotonic()
    stack.destroy()
    del up_seconds[name]  # whoever comes later, in whatever order, brings it up anew
    record_property("seconds of destroy", round(time.monotonic() - started, 1))
    assert not stack.exports()
    assert name not in world.statuses()


def test_when_all_stacks_are_destroyed_the_account_is_as_it_was_at_first(
    world: World, untouched: frozenset[str], up_seconds: dict[str, float]
) -> None:
    if up_seconds:
        pytest.skip(f"not all are destroyed: {', '.join(up_seconds)}")
    assert world.inventory() == untouched
