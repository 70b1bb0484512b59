from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from release.errors import IllegalEvent
from release.machine import TRANSITIONS, Event, Phase, after, diagram

PAGE = Path(__file__).parents[2] / "docs" / "release.md"


def reachable(start: Phase) -> set[Phase]:
    found, ahead = set[Phase](), {start}
    while ahead:
        phase = ahead.pop()
        found.add(phase)
        ahead |= set(TRANSITIONS[phase].values()) - found
    return found


def test_every_phase_has_a_row_and_is_reached_from_the_first() -> None:
    assert set(TRANSITIONS) == set(Phase) == reachable(Phase.PLANNED)


def test_every_event_happens_somewhere() -> None:
    assert {event for row in TRANSITIONS.values() for event in row} == set(Event)


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_has_an_end_ahead(phase: Phase) -> None:
    assert any(ahead.is_over for ahead in reachable(phase))


def test_the_ends_are_done_and_rolled_back() -> None:
    assert {phase for phase in Phase if phase.is_over} == {Phase.DONE, Phase.ROLLED_BACK}


@pytest.mark.parametrize("phase", [phase for phase in Phase if not phase.is_over and phase is not Phase.ROLLING_BACK])
@pytest.mark.parametrize("event", [Event.FAILED, Event.TAKEN_BACK])
def test_there_is_a_way_back_from_everywhere(phase: Phase, event: Event) -> None:
    assert after(phase, event) is Phase.ROLLING_BACK


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("event", Event)
def test_an_event_that_the_table_lacks_is_refused_by_name(phase: Phase, event: Event) -> None:
    if event in TRANSITIONS[phase]:
        assert after(phase, event) is TRANSITIONS[phase][event]
    else:
        with pytest.raises(IllegalEvent, match=f"a release that is {phase} takes no {event}"):
            after(phase, event)


def test_the_diagram_in_the_docs_is_drawn_from_the_table() -> None:
    assert f"```mermaid\n{diagram()}\n```" in PAGE.read_text(), "out of date: run scripts/draw_release.py"


class AnyEvents(RuleBasedStateMachine):
    """Throws any event at a release, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.phase, self.happened = Phase.PLANNED, list[Event]()

    @rule(event=st.sampled_from(Event))
    def happens(self, event: Event) -> None:
        before = self.phase
        try:
            self.phase = after(self.phase, event)
        except IllegalEvent:
            assert self.phase is before
        else:
            self.happened.append(event)

    @invariant()
    def done_means_that_all_was_seen_and_nothing_failed(self) -> None:
        if self.phase is Phase.DONE:
            passed = [Event.STARTED, Event.IDLE_HEALTHY, Event.IDLE_VERIFIED, Event.ALL_MOVED, Event.SETTLED]
            assert [event for event in self.happened if event in passed] == passed
            assert not {Event.FAILED, Event.TAKEN_BACK} & set(self.happened)

    @invariant()
    def rolled_back_means_that_live_was_restored_for_a_reason(self) -> None:
        if self.phase is Phase.ROLLED_BACK:
            assert self.happened[-1] is Event.LIVE_RESTORED
            assert {Event.FAILED, Event.TAKEN_BACK} & set(self.happened)


AnyEvents.TestCase.settings = settings(max_examples=50, stateful_step_count=20, deadline=None)
TestAnyEvents = AnyEvents.TestCase
