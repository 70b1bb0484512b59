"""The regression suite as a hook, against our own app behind a real socket."""

import os
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from app.factory import create_app
from release.adapters.hook_run import Hook
from release.adapters.hooks import Executables, Surroundings
from release.ledger import InFlight
from release.machine import Phase
from release.verdict import Answer, HookAnswer
from release_world import LIVE, NEXT, flight, plan

ROOT = Path(__file__).parents[2]
SUITE = Hook(command=(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/regression"))
WITHIN_SECONDS = 30.0
pytestmark = [pytest.mark.engine, pytest.mark.long]  # real processes, and a cloud of their own


@pytest.fixture(scope="module")
def hooks() -> Iterator[Executables]:
    """The suite as the only hook of VERIFYING, with NEXT served on green."""
    identity = {
        "TEAL_VERSION": "2", "TEAL_DIGEST": NEXT, "TEAL_COLOUR": "green", "TEAL_INSTANCE": "i-1", "TEAL_ZONE": "a",
    }  # fmt: skip
    server = make_server("127.0.0.1", 0, create_app(identity), threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    around = Surroundings(environment="dev", folder=ROOT, url=url, secret="s3cret", variables=variables)
    adapter = Executables({Phase.VERIFYING: (SUITE,)}, lambda: around)
    yield adapter
    adapter.close()
    server.shutdown()
    server.server_close()


def answer(hooks: Executables, release: InFlight) -> HookAnswer:
    deadline = time.monotonic() + WITHIN_SECONDS
    while (told := hooks.ask(release)).answer is Answer.WAIT:
        assert time.monotonic() < deadline, told.why
        time.sleep(0.05)
    return told


def test_a_version_that_does_its_work_may_go_on(hooks: Executables) -> None:
    told = answer(hooks, flight(phase=Phase.VERIFYING))
    assert told.answer is Answer.GO, told.ended
    assert "10 passed" in told.ended[-1].output


def test_another_version_than_the_one_to_be_released_is_stopped(hooks: Executables) -> None:
    told = answer(hooks, flight(phase=Phase.VERIFYING, release_id="r-2", plan=replace(plan(), digest=LIVE)))
    assert told.answer is Answer.STOP
    assert "1 failed, 9 passed" in told.why
