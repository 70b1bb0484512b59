import os
import time
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from bench.fault import SLOW_SECONDS, Faulty, faulty


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", [])
    return [b"fine"]


def statuses(application: Faulty, path: str, count: int) -> list[str]:
    told: list[str] = []
    for _ in range(count):
        application({"PATH_INFO": path}, lambda status, _headers: told.append(status[:3]))
    return told


def test_errors_begin_after_so_many_requests() -> None:
    bad = faulty(app, {"BENCH_FAULT": "errors", "BENCH_AFTER": "3"})
    assert statuses(bad, "/version", 5) == ["200", "200", "200", "500", "500"]


def test_health_checks_stay_green_and_do_not_count() -> None:
    bad = Faulty(app, "errors", after=1, share=1)
    assert statuses(bad, "/readyz", 5) == ["200"] * 5
    assert statuses(bad, "/version", 2) == ["200", "500"]


def test_a_share_of_requests_suffers() -> None:
    found = statuses(Faulty(app, "errors", after=0, share=0.5), "/version", 400)
    assert 140 < found.count("500") < 260


def test_slowness_takes_its_time_and_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    assert statuses(Faulty(app, "slow", after=0, share=1), "/", 1) == ["200"]
    assert slept == [SLOW_SECONDS]


def test_a_crash_ends_the_instances_first_process(monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, _signal: killed.append(pid))
    monkeypatch.setattr(os, "_exit", lambda code: (_ for _ in ()).throw(SystemExit(code)))
    monkeypatch.setattr(os, "getppid", lambda: 4711)
    with pytest.raises(SystemExit):
        statuses(Faulty(app, "crash", after=0, share=1), "/", 1)
    assert killed == [4711]


def test_an_unknown_fault_is_refused() -> None:
    with pytest.raises(ValueError, match="fault must be one of errors, crash, slow, got 'x'"):
        Faulty(app, "x", after=0, share=1)
