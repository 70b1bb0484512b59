import pytest

from release.alarms import Alarm, AlarmState, alarm_findings, why_not_quiet
from release.judgement import combined
from release.ledger import Colour
from release.verdict import Outcome

GREEN = Colour.GREEN
QUIET, RED, GONE = AlarmState.QUIET, AlarmState.RED, AlarmState.GONE


def alarms(blue: AlarmState = QUIET, green: AlarmState = QUIET) -> list[Alarm]:
    states = {Colour.BLUE: blue, Colour.GREEN: green}
    return [Alarm(name=f"web-{each}", colour=each, state=state, why="too much") for each, state in states.items()]


@pytest.mark.parametrize(
    ("blue", "green", "weight", "outcome"),
    [
        (QUIET, QUIET, 5, Outcome.PASS),
        (QUIET, RED, 0, Outcome.INCONCLUSIVE),
        (QUIET, RED, 5, Outcome.FAIL),
        (QUIET, RED, 100, Outcome.FAIL),
        (RED, QUIET, 0, Outcome.INCONCLUSIVE),
        (RED, QUIET, 5, Outcome.INCONCLUSIVE),
        (RED, QUIET, 100, Outcome.PASS),
        (RED, RED, 5, Outcome.FAIL),
        (QUIET, GONE, 5, Outcome.NO_DATA),
    ],
)
def test_a_release_on_green(blue: AlarmState, green: AlarmState, weight: int, outcome: Outcome) -> None:
    assert combined(alarm_findings(alarms(blue, green), GREEN, weight)).outcome is outcome


def test_an_alarm_that_was_red_before_is_told_and_changes_nothing() -> None:
    verdict = combined(alarm_findings(alarms(green=RED), GREEN, 5, despite=["web-green"]))
    assert verdict.outcome is Outcome.PASS
    assert verdict.why == "observed only: alarms: web-green (green) is red: too much, as before the start"
    assert combined(alarm_findings(alarms(RED, RED), GREEN, 5, despite=["web-blue"])).outcome is Outcome.FAIL


def test_without_alarms_there_is_nothing_to_find() -> None:
    assert alarm_findings([], GREEN, 5) == ()


def test_a_red_alarm_of_either_colour_closes_the_gate_unless_named() -> None:
    assert why_not_quiet(alarms()) is None
    assert why_not_quiet([]) is None
    assert why_not_quiet(alarms(blue=RED)) == "web-blue (blue) is red: too much"
    assert why_not_quiet(alarms(blue=RED), despite=["web-blue"]) is None
    told = why_not_quiet(alarms(RED, RED), despite=["web-blue"])
    assert told == "web-green (green) is red: too much"


def test_a_name_that_no_alarm_has_closes_it_too() -> None:
    assert why_not_quiet(alarms(), despite=["web-grene"]) == (
        "there is no alarm web-grene: there are web-blue, web-green"
    )
