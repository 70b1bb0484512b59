"""A stack of its own, in a cloud of its own, whose first `up` is killed again and again on its way.

What the engine cannot know: a resource that was being made when the engine was killed is in no state, or in one as a
pending create. On AWS it would be there twice afterwards, or in the way of the second one by its name or its addresses.
The embedded cloud takes back what nobody heard of, so there it is made once.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import psutil
import pytest
from pulumi.automation.events import EngineEvent

from engine.world import World, copy_project, run, running_world
from localcloud.errors import StackFailed
from localcloud.stacks import LocalStack
from toolchain import Toolchain

KILLED_AFTER = (8, 35, 70)
"""Finished resources of one run, of some ninety, after which the engine is killed."""
COMES_WITH_ITS_OWNER = ("ec2 describe_network_interfaces", "ec2 describe_volumes")


@dataclass
class Killer:
    """Kills the engine once so many resources have been gone through."""

    after: int
    seen: int = 0

    def __call__(self, event: EngineEvent) -> None:
        """Takes one engine event."""
        if event.res_outputs_event is None:
            return
        self.seen += 1
        if self.seen == self.after:
            [engine] = [child for child in psutil.Process().children(recursive=True) if is_engine(child)]
            engine.kill()


def is_engine(process: psutil.Process) -> bool:
    return process.name() == "pulumi" and "up" in process.cmdline()


@pytest.fixture(scope="module")
def lone_world(engine: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with running_world(tmp_path_factory.mktemp("lone-cloud") / "home", engine) as world:
        yield world


@pytest.fixture(scope="module")
def trial(lone_world: World, tmp_path_factory: pytest.TempPathFactory) -> LocalStack:
    """A stack of our own program, with qa's settings."""
    return lone_world.stack("trial", copy_project(tmp_path_factory.mktemp("interrupted") / "copy", "trial", like="qa"))


def orphans(world: World, before: frozenset[str], stack: LocalStack) -> set[str]:
    """What was made and is not in the state."""
    known = str(world.checkpoint(stack)["resources"])
    made = {item for item in world.inventory() - before if not item.startswith(COMES_WITH_ITS_OWNER)}
    return {item for item in made if item.split(" ", 2)[2] not in known}


def test_the_preview_of_a_stack_that_never_was_up_promises_all_and_makes_nothing(
    lone_world: World, trial: LocalStack
) -> None:
    before = lone_world.inventory()
    promised = dict(trial.preview())
    assert promised.keys() == {"create"}
    assert promised["create"] > 80
    assert lone_world.inventory() == before


@pytest.mark.long
def test_an_up_that_was_killed_again_and_again_converges(lone_world: World, trial: LocalStack) -> None:
    before = lone_world.inventory()
    for after in KILLED_AFTER:
        with pytest.raises(StackFailed):
            trial.up(Killer(after))
        with pytest.raises(StackFailed, match="locked by another run, or by one that was killed"):
            trial.up()
        trial.cancel()
    heard = run(trial.up)
    assert heard.changes.keys() <= {"create", "update"}
    assert len(heard.named("same")) > 20, "what an earlier run had made was not made again"
    assert trial.exports()["url"]
    assert dict(trial.preview(refresh=True, expect_no_changes=True)).keys() <= {"same", "read"}
    assert not orphans(lone_world, before, trial)
