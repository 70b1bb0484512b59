"""A log is read in order whatever moved since the last look; localcloud/logs.py moves it."""

from pathlib import Path

import pytest

from containers.rotated import RotatedLog


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "cloud.log"


def part(log: Path, number: int) -> Path:
    return log.with_name(f"cloud.log.{number}")


def empty(log: Path, older: int = 2) -> None:
    """As localcloud/logs.py does it."""
    draft = log.with_name("cloud.log.new")
    draft.write_bytes(log.read_bytes())
    part(log, older).unlink(missing_ok=True)
    for number in range(older - 1, 0, -1):
        if part(log, number).exists():
            part(log, number).replace(part(log, number + 1))
    draft.replace(part(log, 1))
    log.write_bytes(b"")


def add(log: Path, text: str) -> None:
    with log.open("a") as file:
        file.write(text)


def test_what_there_is_comes_oldest_first(log: Path) -> None:
    part(log, 2).write_text("a")
    part(log, 1).write_text("b")
    log.write_text("c")
    assert RotatedLog(log).added() == b"abc"


def test_a_log_that_comes_later_is_empty_until_then(log: Path) -> None:
    reader = RotatedLog(log)
    assert reader.added() == b""
    log.write_text("a")
    assert (reader.added(), reader.added()) == (b"a", b"")


@pytest.mark.parametrize("times", [1, 2])
def test_what_was_added_is_read_once_however_often_the_log_was_emptied(log: Path, times: int) -> None:
    add(log, "a")
    reader = RotatedLog(log)
    assert reader.added() == b"a"
    for number in range(times):
        add(log, f"b{number}")
        empty(log)
    add(log, "c")
    assert reader.added().decode() == "".join(f"b{number}" for number in range(times)) + "c"
    add(log, "d")
    empty(log)
    assert (reader.added(), reader.added()) == (b"d", b"")


def test_a_log_that_grew_larger_again_than_it_was_is_read_from_its_beginning(log: Path) -> None:
    add(log, "a")
    reader = RotatedLog(log)
    reader.added()
    empty(log)
    add(log, "long enough")
    assert reader.added() == b"long enough"


def test_whoever_slept_too_long_goes_on_with_the_oldest_that_is_left(log: Path) -> None:
    add(log, "0")
    empty(log)
    reader = RotatedLog(log)
    reader.added()
    for text in ("a", "b", "c", "d"):
        add(log, text)
        empty(log)
    add(log, "e")
    assert reader.added() == b"cde"


def test_a_log_that_is_copied_and_not_yet_empty_is_not_read_twice(log: Path) -> None:
    add(log, "a\n")
    reader = RotatedLog(log)
    assert reader.added() == b"a\n"
    add(log, "b\n")
    part(log, 1).write_bytes(log.read_bytes())
    assert reader.added() == b"b\n"
    assert RotatedLog(log).added() == b"a\nb\n"
    log.write_text("c\n")
    assert (reader.added(), reader.added()) == (b"c\n", b"")


def test_while_the_parts_move_nothing_is_read_twice(log: Path) -> None:
    add(log, "a")
    empty(log)
    add(log, "b")
    reader = RotatedLog(log)
    assert reader.added() == b"ab"
    part(log, 1).replace(part(log, 2))  # the next is not there yet
    add(log, "c")
    assert reader.added() == b"c"


def test_a_log_that_was_emptied_by_hand_goes_on(log: Path) -> None:
    add(log, "some words")
    reader = RotatedLog(log)
    reader.added()
    log.write_text("new")
    assert reader.added() == b"new"
