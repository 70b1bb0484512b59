from collections.abc import Callable, Iterator
from datetime import timedelta
from types import SimpleNamespace

import pytest

from localcloud.dataplane import fleet as fleet_module
from localcloud.dataplane.fleet import Fleet, Phase
from localcloud.dataplane.runner import Birth, CannotStart, VolumeHeld
from localcloud.dataplane.snapshot import TargetState
from localcloud.instances.node import Node
from traffic_world import eventually


class FakeLife:
    address, pid, container = "127.16.0.1", 4711, ""

    def __init__(self) -> None:
        self.alive = True
        self.stopped_with: list[timedelta] = []

    def is_alive(self) -> bool:
        return self.alive

    def stop(self, grace: timedelta) -> None:
        self.alive = False
        self.stopped_with.append(grace)

    def last_words(self) -> str:
        return "out of memory"


class FakePrepared:
    port, colour, digest = 8080, "blue", "sha256:0"

    def __init__(self, lives: list[FakeLife], holders: list[str]) -> None:
        self._lives, self._holders = lives, holders

    def start(self) -> FakeLife:
        if self._holders:
            raise VolumeHeld(f"{self._holders[0]} has vol-1")
        self._lives.append(FakeLife())
        return self._lives[-1]


class FakeRunner:
    def __init__(self) -> None:
        self.lives: list[FakeLife] = []
        self.holders: list[str] = []
        self.problems: list[Exception] = []
        self.has_image = True
        self.node: Node | None = None
        self.prepared = 0
        self.forgotten: list[str] = []

    def prepare(self, birth: Birth) -> FakePrepared | Node | None:
        self.prepared += 1
        if self.node:
            return self.node
        if self.problems:
            raise self.problems.pop()
        return FakePrepared(self.lives, self.holders) if self.has_image else None

    def forget(self, instance_id: str) -> None:
        self.forgotten.append(instance_id)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    made: SimpleNamespace = SimpleNamespace(now=1000.0, monotonic=lambda: made.now)
    monkeypatch.setattr(fleet_module, "time", made)
    return made


@pytest.fixture
def listening(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    state = SimpleNamespace(yes=True)
    monkeypatch.setattr(fleet_module, "accepts_connections", lambda *_: state.yes)
    return state


@pytest.fixture
def runner() -> FakeRunner:
    return FakeRunner()


@pytest.fixture
def draining() -> set[str]:
    return set()


@pytest.fixture
def fleet(
    runner: FakeRunner, draining: set[str], clock: SimpleNamespace, listening: SimpleNamespace
) -> Iterator[Fleet]:
    fleet = Fleet(runner, draining.__contains__)
    yield fleet
    fleet.stop()


def admit(fleet: Fleet, instance_id: str = "i-1") -> None:
    fleet.admit(Birth(instance_id, "eu-west-1", "eu-west-1a", "10.0.0.1", ""), "web")


def reach(fleet: Fleet, phase: Phase, instance_id: str = "i-1") -> None:
    def there() -> bool:
        fleet.step()
        return fleet.members[instance_id].phase is phase

    eventually(there)


def gone(fleet: Fleet, instance_id: str = "i-1") -> Callable[[], bool]:
    def check() -> bool:
        fleet.step()
        return instance_id not in fleet.members

    return check


def test_an_instance_is_offered_once_it_listens(fleet: Fleet, listening: SimpleNamespace) -> None:
    listening.yes = False
    admit(fleet)
    assert fleet.places()["i-1"].state is TargetState.REGISTERED
    reach(fleet, Phase.STARTING)
    assert not fleet.step()
    assert fleet.places()["i-1"].state is TargetState.REGISTERED
    listening.yes = True
    assert fleet.step()
    assert fleet.places()["i-1"] == fleet_module.Place("127.16.0.1", TargetState.READY)


def test_without_an_image_it_idles(fleet: Fleet, runner: FakeRunner) -> None:
    runner.has_image = False
    admit(fleet)
    reach(fleet, Phase.IDLE)
    assert fleet.places()["i-1"].state is TargetState.UNREACHABLE


def test_a_node_of_a_swarm_runs_nothing_itself_and_goes_at_once(fleet: Fleet, runner: FakeRunner) -> None:
    runner.node = Node(cluster="dev", role="worker")
    admit(fleet)
    reach(fleet, Phase.NODE)
    assert fleet.nodes() == {"i-1": (runner.node, "eu-west-1a")}
    assert fleet.lost() == []
    fleet.dismiss_all_but([])
    assert fleet.nodes() == {}
    eventually(gone(fleet))
    assert runner.forgotten == ["i-1"]
    assert runner.lives == []


@pytest.mark.parametrize("problem", [CannotStart("no such image"), RuntimeError("no such image")])
def test_one_that_cannot_be_prepared_is_tried_again_after_a_growing_pause(
    fleet: Fleet, runner: FakeRunner, clock: SimpleNamespace, problem: Exception
) -> None:
    runner.problems = [problem, problem]
    admit(fleet)
    reach(fleet, Phase.FAILED)
    assert fleet.members["i-1"].reason == "no such image"
    clock.now += 0.9
    fleet.step()
    assert runner.prepared == 1
    clock.now += 0.2
    fleet.step()
    reach(fleet, Phase.FAILED)
    assert runner.prepared == 2
    assert fleet.members["i-1"].retry_at == pytest.approx(clock.now + 2)
    clock.now += 2
    reach(fleet, Phase.RUNNING)


def test_one_that_ends_before_it_listens_is_started_again_on_the_same_instance(
    fleet: Fleet, runner: FakeRunner, clock: SimpleNamespace, listening: SimpleNamespace
) -> None:
    listening.yes = False
    admit(fleet)
    reach(fleet, Phase.STARTING)
    runner.lives[0].alive = False
    fleet.step()
    assert fleet.members["i-1"].reason == "its process ended before it listened: out of memory"
    assert fleet.lost() == []
    clock.now += 1
    reach(fleet, Phase.STARTING)
    assert (runner.prepared, len(runner.lives)) == (1, 2)


def test_one_that_dies_is_lost_at_once_and_those_after_it_later(
    fleet: Fleet, runner: FakeRunner, clock: SimpleNamespace
) -> None:
    for number in range(3):
        admit(fleet, f"i-{number}")
        reach(fleet, Phase.RUNNING, f"i-{number}")
        runner.lives[number].alive = False
        fleet.step()
    assert fleet.lost() == ["i-0"]
    assert fleet.lost() == []
    clock.now += 1
    assert fleet.lost() == ["i-1"]
    clock.now += 1
    assert fleet.lost() == ["i-2"]


def test_one_that_serves_is_stopped_only_when_it_is_drained(
    fleet: Fleet, runner: FakeRunner, draining: set[str]
) -> None:
    admit(fleet)
    reach(fleet, Phase.RUNNING)
    draining.add("i-1")
    fleet.dismiss_all_but([])
    fleet.step()
    assert fleet.places()["i-1"].state is TargetState.DRAINING
    assert runner.lives[0].stopped_with == []
    draining.clear()
    eventually(gone(fleet))
    assert runner.lives[0].stopped_with == [fleet_module.STOP_GRACE]
    assert runner.forgotten == ["i-1"]


def test_one_whose_data_volume_is_anothers_waits_and_starts_as_soon_as_it_is_free(
    fleet: Fleet, runner: FakeRunner, clock: SimpleNamespace
) -> None:
    runner.holders.append("i-0")
    admit(fleet)
    reach(fleet, Phase.WAITING)
    clock.now += 300
    assert not fleet.step()
    assert (fleet.members["i-1"].reason, runner.lives) == ("i-0 has vol-1", [])
    assert fleet.places()["i-1"].state is TargetState.REGISTERED
    runner.holders.clear()
    reach(fleet, Phase.RUNNING)
    assert (runner.prepared, fleet.members["i-1"].reason) == (1, "")


def test_one_that_waits_and_is_wanted_no_more_goes_at_once(fleet: Fleet, runner: FakeRunner) -> None:
    runner.holders.append("i-0")
    admit(fleet)
    reach(fleet, Phase.WAITING)
    fleet.dismiss_all_but([])
    eventually(gone(fleet))
    assert runner.lives == []


def test_stopping_the_fleet_ends_every_instance(runner: FakeRunner, clock: object, listening: object) -> None:
    fleet = Fleet(runner, lambda _: True)
    for name in ("i-1", "i-2"):
        admit(fleet, name)
        reach(fleet, Phase.RUNNING, name)
    fleet.stop()
    assert [life.alive for life in runner.lives] == [False, False]
