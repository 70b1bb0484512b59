import doctest
from dataclasses import replace

import pytest

from bench import release_under_load
from bench.release_under_load import Found, Wish, report
from bench.samples import Kind, Sample

WISH = Wish(releases=1, rollbacks=1, rate=10, quiet_seconds=1, moved_seconds=1, pace=())
FOUND = Found(started=0, first=3, last=7, releases=2, way_back=[0.5, 0.9])
SAMPLES = [Sample(Kind.KEPT, due / 10, due / 10 + 0.02, 200, "", "") for due in range(101)]


def test_the_examples_in_the_texts_are_true() -> None:
    assert doctest.testmod(release_under_load).failed == 0


def test_bounds_that_hold_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert report(WISH, FOUND, SAMPLES)
    told = capsys.readouterr().out
    assert "101 requests in 10 s, 10.1 a second; 2 releases, 2 rollbacks by command" in told
    assert "during  p50   20.0 ms, p99    20.0 ms (40 requests)" in told
    assert "from rollback command to the last bad answer: p50 0.50 s, p99 0.90 s, most 0.90 s" in told
    assert "FAILS" not in told


@pytest.mark.parametrize(
    ("wish", "found", "samples", "told"),
    [
        (WISH, FOUND, [*SAMPLES, replace(SAMPLES[50], problem="status 503")], "failed requests: 1 (bound: 0) FAILS"),
        (WISH, replace(FOUND, way_back=[0.5, 1.1]), SAMPLES, "rollback, p99: 1.1 s (bound: 1 s) FAILS"),
        (replace(WISH, rate=20), FOUND, SAMPLES, "too few requests a second: 9.5 (bound: 0) FAILS"),
    ],
)
def test_a_bound_that_does_not_hold_fails(
    wish: Wish, found: Found, samples: list[Sample], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not report(wish, found, samples)
    assert told in capsys.readouterr().out
