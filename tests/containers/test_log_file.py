import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from containers import log_file
from containers.log_file import LogFile, time_of

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def line(second: int, event: str = "request") -> str:
    return json.dumps({"time": (NOON + timedelta(seconds=second)).isoformat(), "event": event})


def texts(log: LogFile) -> list[str]:
    return [line.text for line in log.read()]


def test_the_last_lines_come_first_and_then_what_is_added(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("one\ntwo\nthree\nhalf")
    log = LogFile(path, None, 2)
    assert texts(log) == ["two", "three"]
    with path.open("a") as file:
        file.write(" a line\nmore\n")
    assert texts(log) == ["half a line", "more"]
    assert texts(log) == []


def test_a_line_without_a_time_has_that_of_the_line_before(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("\n".join(("before all", line(0), "Traceback", line(60), "after", "")))
    assert [each.at for each in LogFile(path, None, None).read()] == [
        None, NOON, NOON, NOON + timedelta(seconds=60), NOON + timedelta(seconds=60),
    ]  # fmt: skip
    assert texts(LogFile(path, NOON + timedelta(seconds=1), None)) == [line(60), "after"]


def test_a_log_that_is_not_there_yet_is_empty(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "log", None, 10)
    assert texts(log) == []
    (tmp_path / "log").write_text("first\n")
    assert texts(log) == ["first"]


def test_of_a_long_log_the_end_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "MOST_BYTES", 20)
    (tmp_path / "log").write_text("".join(f"line {number:03}\n" for number in range(100)))
    assert texts(LogFile(tmp_path / "log", None, None))[-1] == "line 099"
    assert len(texts(LogFile(tmp_path / "log", None, None))) <= 3


@pytest.mark.parametrize("text", ["", "plain", "{", '{"time": 5}', '{"time": "noon"}', '{"a": 1}', "{}"])
def test_other_lines_have_no_time(text: str) -> None:
    assert time_of(text) is None


def test_a_log_that_was_emptied_meanwhile_goes_on_with_no_line_lost(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("one\nhalf")
    log = LogFile(path, None, None)
    assert texts(log) == ["one"]
    path.with_name("log.1").write_text("one\nhalf a line\ntwo\nand ")
    path.write_text("three\n")
    assert texts(log) == ["half a line", "two", "and three"]
    assert texts(LogFile(path, None, 2)) == ["two", "and three"]
