"""The engines of any_engine with a data volume: whatever happens, it has one writer, and is secured before the next."""

from collections.abc import Callable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from any_engine import AnyEngine
from release.ledger import Colour, Plan, State
from release.machine import Phase
from release_world import LIVE
from snapshot_world import made
from volume_world import VolumeWorld, moving

LONG_EXAMPLES, LONG_STEPS = 300, 60
KEPT = 2
"""Snapshots that stay."""
TROUBLES: tuple[dict[str, object], ...] = (
    {},
    {"store_seconds": 5.0},
    {"store_seconds": 3600.0},
    {"is_breaking": True},
    {"unread": "RequestLimitExceeded"},
    {"stay": "UnauthorizedOperation"},
)
"""What may be the matter with snapshots, by attribute of the shelf."""
CALLS = st.none() | st.integers(0, 25)
"""At which call of a release it is killed: it makes some fifteen, and one for each snapshot that it deletes."""


class AnyVolume(AnyEngine):
    """One environment with a data volume, of which EC2 and its servers make what they like."""

    servers = 1
    world: VolumeWorld

    def made(self, is_empty: bool) -> VolumeWorld:
        world = VolumeWorld(State.initial() if is_empty else State.first(LIVE, 1))
        world.shelf.kept = KEPT
        world.shelf.put(*(made(number, LIVE if number == 1 else "") for number in range(1, 5)))
        return world

    def wanted(self, steps: tuple[int, ...], digest: str, capacity: int) -> Plan:
        return moving(digest=digest, target=self.world.state.idle, snapshots_kept=KEPT)

    def check_served(self, colour: Colour, weight: int) -> None:
        """In a gap nobody is; and however it stands, no two colours have servers, in the ledger or the world."""
        state, world = self.world.state, self.world
        assert state.release is not None or self.is_foreign or not weight or world.servers[colour][1]
        assert not (state.blue.capacity and state.green.capacity)
        assert not (world.servers[Colour.BLUE][1] and world.servers[Colour.GREEN][1])
        made = [call for call in world.wire.calls if call == "snapshot"]
        assert len(world.snapshots) <= min(self.releases, len(made))

    @rule()
    def all_recovers(self) -> None:
        super().all_recovers()
        self.world.is_stuck, self.world.refused, self.world.unread, self.world.torn_program = False, None, None, 0
        shelf = self.world.shelf
        shelf.unread, shelf.stay, shelf.store_seconds, shelf.is_breaking = None, None, 0.0, False
        shelf.finish()

    @rule(looks=st.integers(1, 8))
    def nobody_lets_the_volume_go(self, looks: int) -> None:
        self.world.is_stuck = True
        self.time_passes(looks)

    @rule(looks=st.integers(1, 8))
    def no_snapshot_is_made(self, looks: int) -> None:
        self.world.refused = "RequestLimitExceeded"
        self.time_passes(looks)

    @rule(digest=st.sampled_from("bcd"), trouble=st.sampled_from(TROUBLES), call=CALLS, is_before=st.booleans())
    def one_goes_through(self, digest: str, trouble: dict[str, object], call: int | None, is_before: bool) -> None:
        """But for its snapshots, and unless it is killed. Whoever changed the listener has changed it back."""
        self.world.listener, self.is_foreign = self.world.state.shares, False
        self.all_recovers()
        for name, value in trouble.items():
            setattr(self.world.shelf, name, value)
        wire = self.world.wire
        if call is not None:
            at = len(wire.calls) + call
            wire.cut_before, wire.cut_after = (at, None) if is_before else (None, at)
        if self.is_in_flight:
            self.engine = self.world.engine()
            self.does(self.engine.resume)
        else:
            self.somebody_starts((100,), digest, 1)
        if self.engine and self.is_in_flight:
            self.does(self.engine.run)

    @rule(digest=st.sampled_from("bcd"), trouble=st.sampled_from(TROUBLES))
    def another_goes_through(self, digest: str, trouble: dict[str, object]) -> None:
        self.one_goes_through(digest, trouble, None, True)

    @rule(looks=st.integers(1, 8))
    def nobody_tells_who_has_the_volume(self, looks: int) -> None:
        self.world.unread = "RequestLimitExceeded"
        self.time_passes(looks)

    @rule(looks=st.integers(1, 8), is_torn=st.booleans())
    def the_program_fails(self, looks: int, is_torn: bool) -> None:
        if is_torn:
            self.world.torn_program = 1
        else:
            self.world.broken_program = 1
        self.time_passes(looks)
        self.world.broken_program = self.world.torn_program = 0

    def teardown(self) -> None:
        """And once two releases more have ended well, there are just as many snapshots as are to stay."""
        super().teardown()
        if not hasattr(self, "world"):
            return
        self.world.listener, self.is_foreign = self.world.state.shares, False
        for digest in "ef":
            self.somebody_starts((100,), digest, 1)
            assert self.engine is not None
            assert self.engine.run() is Phase.DONE
        assert len(self.world.shelf.ids) <= KEPT


TestAnyVolume = AnyVolume.TestCase
TestAnyVolume.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)


@pytest.mark.engine  # not for its engine, but for its minutes: `make test-long` runs these
@pytest.mark.long
def test_any_volume_for_ten_thousand_steps(record_property: Callable[[str, object], None]) -> None:
    before = AnyVolume.stepped
    run_state_machine_as_test(
        AnyVolume, settings=settings(max_examples=LONG_EXAMPLES, stateful_step_count=LONG_STEPS, deadline=None)
    )
    record_property("steps of engines with a volume in any world", AnyVolume.stepped - before)
    assert AnyVolume.stepped - before >= 10_000
