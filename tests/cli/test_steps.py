import io
import json
import os
import pty
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from rich.console import Console

from cli import steps as module
from cli.steps import Steps
from fake_machine import wait_for

Written = list[str]


class Lines(io.StringIO):
    """No terminal."""

    @property
    def lines(self) -> Written:
        return self.getvalue().splitlines()


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
def plain(lines: Lines, tmp_path: Path) -> Iterator[Steps]:
    with Steps(tmp_path / "durations.json", Console(file=lines, width=20)) as steps:
        yield steps


def test_what_is_over_quickly_leaves_one_line(plain: Steps, lines: Lines) -> None:
    with plain.step("Looking") as step:
        step.detail = "found"
    assert lines.lines == ["✓ Looking · found (0.0 s)"]


def test_what_usually_takes_long_is_told_as_it_begins(plain: Steps, lines: Lines) -> None:
    with plain.step("pulumi up -s dev of a long name", usual_seconds=23):
        assert lines.lines == ["… pulumi up -s dev of a long name (usually 23 s)"]  # not broken at the width


def test_what_turns_out_to_take_long_is_told_once_it_does(
    plain: Steps, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONG_SECONDS", 0.3)
    monkeypatch.setattr(module, "TICK_SECONDS", 0.02)
    with plain.step("Looking"):
        assert lines.lines == []
        wait_for(lambda: bool(lines.lines), 2)
        time.sleep(0.1)
    first, last = lines.lines
    assert first.startswith("… Looking (")
    assert last.startswith("✓ Looking (")


def test_lines_come_no_closer_than_the_plain_tick(plain: Steps, lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PLAIN_TICK_SECONDS", 0.2)
    monkeypatch.setattr(module, "TICK_SECONDS", 0.02)
    began = time.monotonic()
    with plain.step("Building", usual_seconds=240):
        wait_for(lambda: len(lines.lines) == 3, 5)
        assert time.monotonic() - began >= 0.4


def test_ten_seconds_is_the_plain_tick() -> None:
    assert module.PLAIN_TICK_SECONDS == 10
    assert module.LONG_SECONDS == 2


def test_a_step_that_fails_is_marked(plain: Steps, lines: Lines) -> None:
    def fail() -> None:
        with plain.step("Looking") as step:
            step.detail = "[/red] is no markup"
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    assert lines.lines == ["✗ Looking · [/red] is no markup (0.0 s)"]


def test_a_step_may_leave_no_line(plain: Steps, lines: Lines) -> None:
    with plain.step("Asking", leaves_line=False):
        pass
    with pytest.raises(ValueError, match="no"), plain.step("Asking", leaves_line=False):
        raise ValueError("no")
    assert lines.lines == []


def test_a_part_of_a_step_shows_its_own_time(plain: Steps) -> None:
    with plain.step("Pulumi engine") as step:
        step.turn_to("Building", elapsed_seconds=70, usual_seconds=240)
        assert str(step) == "Pulumi engine · Building (70 s, usually 4 min)"
        assert step.ended == "Pulumi engine · Building (0.0 s)"


def test_durations_are_remembered_for_the_next_time(tmp_path: Path, lines: Lines) -> None:
    memory = tmp_path / "durations.json"
    memory.write_text(json.dumps({"pulumi up -s dev": 31.4}))
    with Steps(memory, Console(file=lines)) as steps:
        with steps.step("pulumi up -s dev", usual_seconds=20):
            assert lines.lines == ["… pulumi up -s dev (usually 31 s)"]
        with steps.step("Cloud") as step:
            step.is_typical = False
    assert json.loads(memory.read_text()) == {"pulumi up -s dev": 0.0}


@pytest.mark.parametrize("content", ["", "[]", '{"a": "b"}', '{"a": null}', '{"a": [1]}'])
def test_a_memory_that_makes_no_sense_is_none(tmp_path: Path, content: str, lines: Lines) -> None:
    memory = tmp_path / "durations.json"
    memory.write_text(content)
    with Steps(memory, Console(file=lines)) as steps, steps.step("a", usual_seconds=3) as step:
        assert step.usual_seconds == 3


def test_a_memory_that_cannot_be_written_is_no_reason_to_fail(tmp_path: Path, lines: Lines) -> None:
    with Steps(tmp_path / "none" / "durations.json", Console(file=lines)) as steps, steps.step("a"):
        pass
    assert lines.lines == ["✓ a (0.0 s)"]


def shown_on_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """What a step shows while it runs, and once it is over."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr(module, "TICK_SECONDS", 0.05)
    controller, terminal = pty.openpty()
    os.set_blocking(controller, False)
    shown: Written = []

    def has_shown(text: str) -> bool:
        with suppress(BlockingIOError):
            shown.append(os.read(controller, 65536).decode(errors="replace"))
        return text in "".join(shown)

    with os.fdopen(terminal, "w") as screen:
        with Steps(tmp_path / "durations.json", Console(file=screen)) as steps, steps.step("Building") as step:
            step.detail = "half-way"
            wait_for(lambda: has_shown("Building · half-way ("), 5)
            living = "".join(shown)
        wait_for(lambda: has_shown("✓"), 5)
    os.close(controller)
    return living, "".join(shown).removeprefix(living)


def test_a_terminal_gets_a_living_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    living, last = shown_on_a_terminal(tmp_path, monkeypatch)
    assert any(spinner in living for spinner in "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏")
    assert "✓" not in living
    assert "…" not in living + last
    assert "\x1b[32m✓ \x1b[0mBuilding · half-way (" in last


def test_no_color_is_heeded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    living, last = shown_on_a_terminal(tmp_path, monkeypatch)
    assert "\x1b[32m" not in living + last
    assert "✓ Building" in last
