from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from cli.release.judging import rules_of
from config.settings import of_stack
from release.adapters.gathered import Gathered
from release.adapters.judge import Rules, TrafficJudge
from release.adapters.synthetic import Aim
from release.alarms import Alarm, AlarmState
from release.errors import MetricsUnread
from release.judgement import NOTHING, Check, Limits, Probed, Sample
from release.ledger import Colour, InFlight
from release.machine import Phase
from release.verdict import Outcome, Verdict
from release_world import NEXT, flight
from volume_world import moving_flight

LIMITS = Limits(error_share_percent=1, p99_seconds=1.0, min_samples=20, points_over_live=1, times_live=3)
FINE = Sample(requests=100, failed=0, p99_seconds=0.05)
BAD = Sample(requests=100, failed=50, p99_seconds=0.05)
VERIFYING, SHIFTING = flight(phase=Phase.VERIFYING), flight(phase=Phase.SHIFTING, step=0)


@dataclass
class World:
    """What each source of a judge says."""

    target: Sample = FINE
    live: Sample = FINE
    streak: int = 0
    metrics: Mapping[Colour, Sample] | Exception = field(default_factory=lambda: dict.fromkeys(Colour, FINE))
    red: tuple[str, ...] = ()
    alarms_problem: Exception | None = None
    aims: list[Aim] = field(default_factory=list)
    is_closed: bool = False

    def look(self, aim: Aim) -> Probed:
        self.aims.append(aim)
        return Probed(
            target=self.target, live=self.live, users=FINE, streak=self.streak, trouble="status 500", is_cut_off=False
        )

    def close(self) -> None:
        self.is_closed = True

    def ask_metrics(self, _: InFlight) -> Mapping[Colour, Sample]:
        if isinstance(self.metrics, Exception):
            raise self.metrics
        return self.metrics

    def ask_alarms(self, _: InFlight) -> tuple[Alarm, ...]:
        if self.alarms_problem:
            raise self.alarms_problem
        states = {colour: AlarmState.RED if colour in self.red else AlarmState.QUIET for colour in Colour}
        return tuple(Alarm(name=f"web-{c}", colour=c, state=state, why="") for c, state in states.items())


@contextmanager
def judging(world: World, **rules: Any) -> Iterator[TrafficJudge]:
    metrics, alarms = Gathered(world.ask_metrics, 10.0), Gathered(world.ask_alarms, 10.0)
    with closing(TrafficJudge(Rules(limits=LIMITS, **rules), world, metrics, alarms)) as judge:
        judge.verdict(SHIFTING)
        deadline = monotonic() + 5
        while "no answer yet" in str((metrics.latest(SHIFTING), alarms.latest(SHIFTING))):
            assert monotonic() < deadline, "no answer within 5 s"
            sleep(0.005)
        yield judge


def verdict(world: World, release: InFlight = SHIFTING, **rules: Any) -> Verdict:
    with judging(world, **rules) as judge:
        return judge.verdict(release)


def test_all_is_well() -> None:
    world = World()
    fine = verdict(world)
    assert fine.outcome is Outcome.PASS
    assert "probe-errors: 0 of 100 requests failed; probe-latency: p99 is 0.05 s" in fine.why
    assert world.aims[-1] == Aim(Colour.GREEN, NEXT, 5)
    assert world.is_closed


@pytest.mark.parametrize(
    ("world", "told"),
    [
        (World(target=BAD), "probe-errors: 50 of 100 requests failed, 1 % may: status 500"),
        (World(target=NOTHING, streak=3), "probe-errors: 3 requests in a row failed: status 500"),
        (World(metrics={Colour.GREEN: BAD, Colour.BLUE: FINE}), "metric-errors: 50 of 100 requests failed, 1 % may"),
        (World(red=("green",)), "alarms: web-green (green) is red"),
    ],
)
def test_any_source_can_fail_it(world: World, told: str) -> None:
    assert verdict(world) == Verdict(Outcome.FAIL, told)


def test_each_colours_metrics_are_held_against_the_other() -> None:
    assert verdict(World(metrics={Colour.GREEN: FINE, Colour.BLUE: BAD})).outcome is Outcome.PASS
    assert verdict(World(metrics={Colour.GREEN: BAD, Colour.BLUE: BAD})).outcome is Outcome.INCONCLUSIVE


def test_too_few_requests_of_our_own_are_no_data() -> None:
    assert verdict(World(target=NOTHING), VERIFYING).outcome is Outcome.NO_DATA


def test_a_cloudwatch_that_fails_never_fails_the_release_and_is_told() -> None:
    world = World(metrics=MetricsUnread("Rate exceeded"))
    observed = verdict(world)
    assert observed.outcome is Outcome.PASS
    assert observed.why.endswith("observed only: metric-errors: Rate exceeded")
    assert verdict(world, waits_for_metrics=True) == Verdict(Outcome.NO_DATA, "metric-errors: Rate exceeded")
    assert verdict(World(alarms_problem=MetricsUnread("denied"))) == Verdict(Outcome.NO_DATA, "alarms: denied")


def test_metrics_are_waited_for_only_where_told_and_once_there_is_traffic() -> None:
    quiet = World(metrics=dict.fromkeys(Colour, NOTHING))
    assert verdict(quiet).outcome is Outcome.PASS
    assert verdict(quiet, waits_for_metrics=True).outcome is Outcome.NO_DATA
    assert verdict(quiet, VERIFYING, waits_for_metrics=True).outcome is Outcome.PASS
    few = Sample(requests=50, failed=0, p99_seconds=None)
    assert verdict(World(metrics=dict.fromkeys(Colour, few)), waits_for_metrics=True).outcome is Outcome.PASS


def test_before_there_is_traffic_a_red_alarm_is_waited_for() -> None:
    assert verdict(World(red=("green",)), VERIFYING).outcome is Outcome.INCONCLUSIVE


MOVED = moving_flight(phase=Phase.VERIFYING)


@pytest.mark.parametrize(
    "changes", [{"live": BAD, "target": BAD}, {"metrics": dict.fromkeys(Colour, BAD)}], ids=["probe", "metrics"]
)
def test_a_live_colour_that_lost_its_server_to_the_release_excuses_nobody(changes: dict[str, Any]) -> None:
    assert verdict(World(**changes), VERIFYING).outcome is Outcome.INCONCLUSIVE
    assert verdict(World(**changes), MOVED).outcome is Outcome.FAIL


def test_an_alarm_on_a_live_colour_that_lost_its_server_to_the_release_is_told_only() -> None:
    assert verdict(World(red=("blue",)), VERIFYING).outcome is Outcome.INCONCLUSIVE
    moved = verdict(World(red=("blue",)), MOVED)
    assert moved.outcome is Outcome.PASS
    assert "observed only: alarms: web-blue (blue) is red" in moved.why


def test_what_is_observed_only_is_told() -> None:
    found = verdict(World(red=("green",)), observe_only=frozenset({Check.ALARMS}))
    assert found.outcome is Outcome.PASS
    assert found.why.endswith("observed only: alarms: web-green (green) is red")
    assert verdict(World(red=("green",)), despite_alarms=frozenset({"web-green"})).outcome is Outcome.PASS


def test_the_settings_are_the_rules() -> None:
    assert rules_of(of_stack(Path(__file__).parents[2], "dev"), ["web-green"]) == Rules(
        limits=Limits(error_share_percent=1, p99_seconds=1.0, min_samples=20, points_over_live=1, times_live=3),
        despite_alarms=frozenset({"web-green"}),
    )
