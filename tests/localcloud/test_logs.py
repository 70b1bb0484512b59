"""Logs that stay within their bound while others write to them, and a writer that a full disk does not end."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from containers.rotated import RotatedLog
from localcloud import logs as module
from localcloud.home import Home
from localcloud.logs import Logs, SteadyFile, SteadyText, bound, numbered
from small_disk import largest_file

BATCH = 500
WRITER = f"""
import os, sys
for first in range(0, int(sys.argv[1]), {BATCH}):
    input()
    for number in range(first, first + {BATCH}):
        os.write(1, b"line %07d\\n" % number)
    os.write(2, b".")
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "instance.log"


@pytest.fixture
def steady(log: Path) -> Iterator[SteadyFile]:
    with log.open("ab") as file:
        yield SteadyFile(file.fileno())


def parts(log: Path) -> dict[str, str]:
    return {path.name.removeprefix("instance.log"): path.read_text() for path in log.parent.iterdir()}


def test_a_log_within_its_bound_is_left_alone(log: Path) -> None:
    log.write_text("12345")
    assert not bound(log, 5)
    assert parts(log) == {"": "12345"}


def test_what_is_too_much_moves_one_on_and_the_oldest_goes(log: Path) -> None:
    for content in ("first", "second", "third", "fourth"):
        log.write_text(content)
        assert bound(log, 4, older=2)
    log.write_text("now")
    assert parts(log) == {"": "now", ".1": "fourth", ".2": "third"}


def test_who_has_it_open_to_append_goes_on_at_its_beginning(log: Path) -> None:
    with log.open("ab", buffering=0) as others:
        others.write(b"before\n")
        assert bound(log, 1)
        others.write(b"after\n")
    assert parts(log) == {"": "after\n", ".1": "before\n"}


def test_a_log_that_can_not_be_copied_stays_as_it_is(log: Path) -> None:
    log.write_text("x" * 1000)
    numbered(log, 1).write_text("older")
    with largest_file(100), pytest.raises(OSError, match="File too large"):
        bound(log, 10)
    assert parts(log) == {"": "x" * 1000, ".1": "older"}


@pytest.mark.process
def test_a_process_that_writes_past_the_bound_is_read_whole_and_in_order_while_it_does(
    log: Path, record_property: Callable[[str, object], None]
) -> None:
    """As an instance writes: its standard output is the file."""
    lines = 20_000
    follower, found, sizes, emptied = RotatedLog(log), b"", [], 0
    command = [sys.executable, "-S", "-c", WRITER, str(lines)]
    pipe = subprocess.PIPE
    with (
        log.open("ab") as output,
        subprocess.Popen(command, stdin=pipe, stdout=output, stderr=pipe, bufsize=0) as writer,
    ):
        assert writer.stdin
        assert writer.stderr
        for _ in range(lines // BATCH):
            writer.stdin.write(b"\n")
            found += follower.added()
            emptied += bound(log, 30_000, older=3)
            assert writer.stderr.read(1) == b"."
            sizes.append(sum(path.stat().st_size for path in log.parent.iterdir()))
    found += follower.added()
    told = [int(number) for number in re.findall(r"^line (\d{7})$", found.decode(), re.MULTILINE)]
    assert told == sorted(set(told)), "a line was read twice, or out of order"
    record_property("lines of a flat-out writer lost in emptying its log", f"{lines - len(told)} of {lines}")
    gaps = [after - before - 1 for before, after in pairwise([-1, *told, lines]) if after != before + 1]
    assert len(gaps) <= emptied, "what is written in the instant of emptying may be lost, and nothing else"
    assert max(gaps, default=0) <= BATCH
    assert emptied > 3
    assert max(sizes) < 4 * 60_000
    assert {path.name for path in log.parent.iterdir()} == {"instance.log", *(f"instance.log.{n}" for n in (1, 2, 3))}


def test_what_the_disk_does_not_take_is_left_out_and_told_of_later(log: Path, steady: SteadyFile) -> None:
    steady.write(b"one\n")
    with largest_file(10):
        for word in (b"two two two\n", b"three three\n"):
            steady.write(word)
    steady.write(b"four\n")
    first, half, told, last = log.read_text().splitlines()
    assert (first, half, last) == ("one", "two tw", "four")
    assert json.loads(told) == {
        "event": "not all of this log could be written", "times": 2, "problem": "File too large",
    }  # fmt: skip
    steady.write(b"five\n")
    assert log.read_text().endswith("four\nfive\n"), "once"


def test_text_is_written_by_print_and_by_whoever_wants_a_stream(log: Path, steady: SteadyFile) -> None:
    text = SteadyText(steady)
    print("grüße \udc80", file=text, flush=True)
    assert text.writable()
    assert log.read_text() == "grüße ?\n"


def test_no_line_of_the_clouds_own_is_lost_while_its_log_is_emptied(log: Path, steady: SteadyFile) -> None:
    enough, lines, moved = threading.Event(), 0, 0

    def write() -> None:
        nonlocal lines
        while not enough.is_set():
            steady.write(f"{lines}\n".encode())
            lines += 1

    thread = threading.Thread(target=write)
    thread.start()
    while moved < 20:
        moved += bound(log, 500, older=30, alone=steady.alone)
    enough.set()
    thread.join(10)
    older = sorted((path for path in log.parent.glob("*.log.*")), key=lambda path: -int(path.suffix[1:]))
    assert len(older) == 20
    found = "".join(path.read_text() for path in (*older, log))
    assert [int(line) for line in found.splitlines()] == list(range(lines))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.prepare()
    return made


@pytest.fixture
def logs(home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Logs]:
    monkeypatch.setattr(module, "MOST_BYTES", 10)
    with home.log_file.open("ab") as own:
        yield Logs(home, SteadyFile(own.fileno()))


def instance(home: Home, name: str, content: str, at: int | None = None) -> Path:
    made = home.instance_log(name)
    made.parent.mkdir()
    made.write_text(content)
    if at is not None:
        os.utime(made, (at, at))
    return made


def test_every_log_of_a_cloud_is_kept_small(home: Home, logs: Logs) -> None:
    chatty, quiet = instance(home, "i-1", "x" * 11), instance(home, "i-2", "x")
    envoy = home.envoy / "envoy.log"
    for path in (home.log_file, envoy):
        path.write_text("y" * 11)
    logs.keep_small({"i-1", "i-2"})
    for path in (chatty, envoy, home.log_file):
        assert (path.stat().st_size, numbered(path, 1).stat().st_size) == (0, 11)
    assert quiet.read_text() == "x"


def test_logs_of_instances_that_ended_long_ago_go_and_those_of_the_living_stay(
    home: Home, logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_ENDED", 2)
    for number in range(5):
        instance(home, f"i-{number}", "words", at=1000 + number)
    logs.keep_small({"i-0"})
    assert sorted(path.name for path in home.instances.iterdir()) == ["i-0", "i-3", "i-4"]


def test_a_log_that_can_not_be_kept_small_is_told_once_and_ends_nothing(
    home: Home, logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(module.LOG, "warning", lambda event, **about: told.append(f"{event}: {about['problem']}"))
    log = instance(home, "i-1", "x" * 100)
    with largest_file(50):
        for _ in range(2):
            logs.keep_small({"i-1"})
    assert told == ["a log grows beyond its bound: File too large"]
    logs.keep_small({"i-1"})
    assert log.stat().st_size == 0
