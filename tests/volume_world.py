"""release_world with a data volume: a server holds it while it stands, and for a while afterwards."""

from collections.abc import Mapping
from dataclasses import replace

from release.engine import Engine
from release.errors import InfrastructureFailed, SnapshotFailed, VolumeUnread
from release.ledger import Colour, InFlight, Plan, State
from release.machine import Phase
from release.states import floor, is_cut_off
from release.verdict import GOOD, Verdict
from release_world import LIVE, FakeWorld, bad, flight, plan
from snapshot_world import Shelf

VOLUME = "vol-1"
DETACH_SECONDS = 3.0


def moving(**changes: object) -> Plan:
    """A short release of NEXT on green, with a data volume."""
    one = {"capacity": 1, "capacity_after": 1, "steps": (100,), "warm_seconds": 0.0, "data_volume": VOLUME}
    return plan(**{**one, **changes})


def moving_flight(**changes: object) -> InFlight:
    """Such a release that was just planned."""
    return flight(**{"plan": moving(), **changes})


class VolumeWorld(FakeWorld):
    """A world in which every server wants the volume before it is healthy, and nobody may want it twice."""

    shelf: Shelf

    def __init__(self, state: State | None = None) -> None:
        super().__init__(state or State.first(LIVE, 1))
        self.data = self
        self.shelf = Shelf(self)
        self.holder = self.state.live if self.state.is_released else None
        self.ends_at: float | None = None
        """When the holder lets the volume go; None while it stands."""
        self.is_stuck = False
        """Whether a server that ends keeps the volume."""
        self.snapshots: dict[str, str] = {}
        self.refused: str | None = None
        """Why EC2 makes no snapshot."""
        self.unread: str | None = None
        """Why EC2 tells nothing of volumes."""
        self.torn_program = 0
        """Runs of the program that are to fail with their work half done."""
        self.looks_at_volume = 0

    def is_free(self) -> bool:
        """Port Data."""
        self.looks_at_volume += 1
        if self.unread:
            raise VolumeUnread(self.unread)
        self._pass_on()
        return self.holder is None

    def snapshot(self, release_id: str, written_by: str) -> str:
        """Port Data."""

        def make() -> None:
            if self.refused:
                raise SnapshotFailed(self.refused)
            if release_id not in self.snapshots:  # the adapter's own care, with a test of its own
                self._pass_on()
                assert self.holder is None, f"{self.holder} writes to the volume while it is secured"
                self.snapshots[release_id] = f"snap-{len(self.snapshots) + 1}"
                self.shelf.add(self.snapshots[release_id], release_id, written_by)

        self.wire.over("snapshot", make)
        return self.snapshots[release_id]

    def healthy(self) -> Mapping[Colour, int]:
        self._pass_on()
        return {colour: number if colour is self.holder else 0 for colour, number in super().healthy().items()}

    def _pass_on(self) -> None:
        """Lets whoever has ended lose the volume, and whoever waits for it get it."""
        if self.ends_at is not None and self.clock.monotonic() >= self.ends_at and not self.is_stuck:
            self.holder = self.ends_at = None
        waiting = [colour for colour in Colour if self.servers[colour][1]]
        if self.holder is None and waiting:
            [self.holder] = waiting

    def _place_servers(self) -> None:
        self._pass_on()
        release = self.state.release
        assert release is not None
        super()._place_servers()
        standing = [colour for colour in Colour if self.servers[colour][1]]
        for colour in standing:
            assert self.holder in (None, colour), f"{colour} starts while {self.holder} has the volume"
        target = release.plan.target
        if target in standing:
            assert release.release_id in self.snapshots, f"{target} starts before the volume is secured"
        if self.holder and self.holder not in standing and self.ends_at is None:
            self.ends_at = self.clock.monotonic() + DETACH_SECONDS
        assert len(standing) <= 1, "two writers"
        if self.torn_program:
            self.torn_program -= 1
            raise InfrastructureFailed("the run failed half way")

    def _set(self, weights: Mapping[Colour, int]) -> None:
        assert sum(weights.values()) == 100 or not self.state.is_released
        for colour, weight in weights.items():
            is_fit = self.healthy()[colour] >= floor(self.servers[colour][1])
            is_risen = weight > self.listener[colour]
            assert not is_risen or is_fit or is_cut_off(self.state), f"{colour} is not fit for {weight} %"
        self.listener = dict(weights)
        self.writes.append(self.listener)

    def _check_served(self) -> None:
        """In a gap nobody is."""
        assert (
            is_cut_off(self.state) or not self.state.is_released or any(number for _, number in self.servers.values())
        )

    @property
    def outcome(self) -> object:
        """What a release leaves behind, but for versions and times."""
        self._pass_on()
        return replace(self.state, version=1), self.listener, self.servers, self.holder


def events(world: FakeWorld) -> list[str]:
    return [entry.event for entry in world.entries]


def why(world: FakeWorld, event: str) -> str:
    [found] = [entry.why for entry in world.entries if entry.event == event]
    return found


def started(world: VolumeWorld) -> Engine:
    """An engine whose release, of NEXT with the volume, is in the ledger."""
    return world.started(moving_flight())


def released() -> VolumeWorld:
    world = VolumeWorld()
    assert started(world).run() is Phase.DONE
    return world


def untouched() -> object:
    """What a release that was taken back leaves behind."""
    return VolumeWorld().outcome


def at_phase(world: VolumeWorld, phase: Phase) -> bool:
    return world.state.release is not None and world.state.release.phase is phase


def fails_at(world: VolumeWorld, phase: Phase) -> None:
    """The version turns bad in that phase; in SHIFTING, once it has the requests."""

    def verdict() -> Verdict:
        is_due = at_phase(world, phase) and (phase is not Phase.SHIFTING or world.listener[Colour.GREEN] == 100)
        return bad("status 500") if is_due else GOOD

    world.verdict_now = verdict


def empty() -> VolumeWorld:
    return VolumeWorld(State.initial())
