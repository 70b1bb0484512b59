"""Images by hand: who needs one, and what `rm` refuses; for real it is in tests/engine/test_containers.py."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from cli.image import rm as rm_module
from cli.image.uses import Use, uses_of
from cli_world import Teal
from containers.registry import StoredImage
from containers_world import NOON
from release.errors import LockHeld
from release.ledger import Colour, Side, State
from release_world import LIVE, NEXT, flight

OTHER, OLD = "sha256:" + "c" * 64, "sha256:" + "d" * 64


def state(**changes: Any) -> State:
    values: dict[str, Any] = {
        "version": 7,
        "live": Colour.BLUE,
        "blue": Side(digest=LIVE, capacity=2, weight=100),
        "green": Side(digest=OLD, capacity=0, weight=0),
        "release": None,
    }
    return State(**{**values, **changes})


def test_both_colours_need_their_image_the_idle_one_to_go_back() -> None:
    assert [(use.digest, str(use), use.runs) for use in uses_of("dev", state())] == [
        (LIVE, "dev blue (live)", True),
        (OLD, "dev green (idle, no servers: the way back)", False),
    ]


def test_a_release_in_flight_needs_its_target_and_its_way_back() -> None:
    release = flight(previous=Side(digest=OLD, capacity=0, weight=0))
    found = list(uses_of("qa", state(green=Side(digest=NEXT, capacity=2, weight=0), release=release)))
    assert {(use.digest, use.what) for use in found} == {
        (LIVE, "blue (live)"), (NEXT, "green (idle)"), (NEXT, "target of r-1"), (OLD, "way back of r-1"),
    }  # fmt: skip


def test_where_nothing_is_released_nothing_is_needed() -> None:
    assert list(uses_of("prod", State.initial())) == []


@dataclass
class FakeRegistry:
    name: str = "app"
    removed: list[str] = field(default_factory=list)

    def images(self) -> list[StoredImage]:
        return [
            StoredImage(digest=digest, tags=(f"build-{digest[7]}",), size_bytes=1, pushed_at=NOON)
            for digest in (LIVE, OTHER)
        ]

    def remove(self, digests: list[str]) -> None:
        self.removed += digests


@dataclass
class FakeLocks:
    """Somebody starts a release just before the lock is ours, if asked to; then their image is needed, too."""

    needs: list[Use]
    comes_between: Use | None = None
    is_held: bool = False
    did: list[str] = field(default_factory=list)

    def acquire(self, who: str, purpose: str) -> "FakeLocks":
        if self.is_held:
            raise LockHeld("bob has held it since noon")
        if self.comes_between:
            self.needs.append(self.comes_between)
        self.did.append(purpose)
        return self

    def release(self) -> None:
        self.did.append("let go")


@dataclass
class World:
    registry: FakeRegistry
    locks: FakeLocks


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    needs = [Use(LIVE, "qa", "blue (live)", runs=True)]
    made = World(FakeRegistry(), FakeLocks(needs))

    @contextmanager
    def step(*_: Any, **__: Any) -> Iterator[None]:
        yield

    @contextmanager
    def place_of(_: str) -> Iterator[Any]:
        yield SimpleNamespace(locks=made.locks, steps=SimpleNamespace(step=step))

    monkeypatch.setattr(rm_module, "place_of", place_of)
    monkeypatch.setattr(rm_module, "repository_of", lambda _: made.registry)
    monkeypatch.setattr(rm_module, "uses", lambda _: made.locks.needs)
    return made


def test_without_yes_nothing_is_removed(teal: Teal, world: World) -> None:
    ended = teal("image", "rm", "dev", OTHER)
    assert ended.code == 0
    assert ended.out == f"would remove   {OTHER} (build-c)\nNothing was removed: say so with --yes.\n"
    assert (world.registry.removed, world.locks.did) == ([], [])


def test_with_yes_it_is_removed_under_the_lock(teal: Teal, world: World) -> None:
    assert teal("image", "rm", "dev", "build-c", OTHER[:20], "--yes").code == 0
    assert world.registry.removed == [OTHER]
    assert world.locks.did == ["remove 1 images", "let go"]


def test_what_any_stack_needs_stays_and_so_does_all_the_rest(teal: Teal, world: World) -> None:
    ended = teal("image", "rm", "dev", OTHER, LIVE, "--yes")
    assert ended.code == 4
    assert f"needed         {LIVE} (build-a): qa blue (live)" in ended.out
    assert ended.out.endswith("Nothing was removed.\n")
    assert world.registry.removed == []
    told = json.loads(teal("image", "rm", "dev", LIVE, "--json").out)
    assert told == {"images": [LIVE], "removed": False, "needed": {LIVE: ["qa blue (live)"]}}


def test_a_release_that_started_meanwhile_keeps_its_image(teal: Teal, world: World) -> None:
    world.locks.comes_between = Use(OTHER, "dev", "target of r-1", runs=False)
    ended = teal("image", "rm", "dev", OTHER, "--yes")
    assert (ended.code, ended.told) == (4, f"teal: {OTHER} is needed: dev target of r-1")
    assert world.registry.removed == []
    assert world.locks.did[-1] == "let go"


def test_while_somebody_has_the_lock_nothing_is_removed(teal: Teal, world: World) -> None:
    world.locks.is_held = True
    assert teal("image", "rm", "dev", OTHER, "--yes").code == 7
    assert world.registry.removed == []
