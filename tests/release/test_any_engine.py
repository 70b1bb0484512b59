from collections.abc import Callable

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from any_engine import AnyEngine

LONG_EXAMPLES, LONG_STEPS = 400, 60

TestAnyEngine = AnyEngine.TestCase
TestAnyEngine.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)


@pytest.mark.engine  # not for its engine, but for its minutes: `make test-long` runs these
@pytest.mark.long
def test_any_engine_for_ten_thousand_steps(record_property: Callable[[str, object], None]) -> None:
    before = AnyEngine.stepped
    run_state_machine_as_test(
        AnyEngine, settings=settings(max_examples=LONG_EXAMPLES, stateful_step_count=LONG_STEPS, deadline=None)
    )
    record_property("steps of engines in any world", AnyEngine.stepped - before)
    assert AnyEngine.stepped - before >= 10_000
