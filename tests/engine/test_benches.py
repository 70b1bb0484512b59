"""The benches of releases run and say what they found; whether bounds of time hold, a quiet machine can tell."""

import os
import re
import subprocess
import sys

import pytest

from engine.world import PROJECT
from toolchain import Toolchain

BENCH_SECONDS = 500


def told_by(*words: str) -> str:
    """What a bench printed."""
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=PROJECT,
        env={**os.environ, "TEAL_TOOLCHAIN": "build"},
        capture_output=True,
        text=True,
        timeout=BENCH_SECONDS,
        check=False,
    )
    if done.stderr:
        pytest.fail(done.stderr)
    return done.stdout


@pytest.mark.long
def test_a_release_and_a_rollback_under_load_lose_no_request(engine: Toolchain) -> None:
    told = told_by(
        "bench.release_under_load", "--releases", "1", "--rollbacks", "1", "--rate", "100", "--quiet-seconds", "2",
    )  # fmt: skip
    assert "2 releases, 1 rollbacks by command" in told
    assert "failed requests: 0 (bound: 0) holds" in told
    assert re.search(r"from rollback command to the last bad answer: p50 \d+\.\d+ s", told)


@pytest.mark.long
def test_a_version_that_answers_with_errors_is_taken_back(engine: Toolchain) -> None:
    told = told_by("bench.take_back", "--faults", "errors", "--rate", "100", "--share", "1")
    assert re.search(r"^errors: taken back; \d+\.\d s from first to last bad answer", told, re.MULTILINE)
