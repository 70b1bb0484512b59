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
from volume_world import VolumeWorld, moving

LONG_EXAMPLES, LONG_STEPS = 300, 60
KEPT = 2
"""Snapshots that stay."""


class AnyVolume(AnyEngine):
    """One environment with a data volume, of which EC2 and its servers make what they like."""

    servers = 1
    world: VolumeWorld

    def made(self, is_empty: bool) -> VolumeWorld:
        world = VolumeWorld(State.initial() if is_empty else State.first(LIVE, 1))
        world.shelf.kept = KEPT
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

    @rule(seconds=st.sampled_from([0.0, 10.0, 300.0]), is_breaking=st.booleans(), looks=st.integers(1, 8))
    def snapshots_are_slow_or_break(self, seconds: float, is_breaking: bool, looks: int) -> None:
        self.world.shelf.store_seconds, self.world.shelf.is_breaking = seconds, is_breaking
        self.time_passes(looks)

    @rule(looks=st.integers(1, 20))
    def nobody_tells_of_snapshots(self, looks: int) -> None:
        self.world.shelf.unread = "RequestLimitExceeded"
        self.time_passes(looks)

    @rule(looks=st.integers(1, 20))
    def no_snapshot_is_deleted(self, looks: int) -> None:
        self.world.shelf.stay = "UnauthorizedOperation"
        self.time_passes(looks)

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
        if not hasattr(self, "world") or self.is_foreign:
            return
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
