import subprocess
import sys
from pathlib import Path

import pytest

from cli_world import Teal
from localcloud.home import Home
from localcloud.logs import bound

INSTANCE = "i-0123456789abcdef0"


@pytest.fixture
def written(home: Path) -> Home:
    """Logs of a cloud and an instance, of 60 lines each; Envoy has said nothing."""
    found = Home(home)
    found.prepare()
    log = found.instance_log(INSTANCE)
    log.parent.mkdir()
    for path, name in ((found.log_file, "cloud"), (log, "instance")):
        path.write_text("".join(f"{name} {number}\n" for number in range(60)))
    return found


@pytest.mark.usefixtures("written")
def test_the_clouds_last_fifty_lines_are_the_default(teal: Teal) -> None:
    assert teal("local", "logs").out.splitlines() == [f"cloud {number}" for number in range(10, 60)]
    assert teal("local", "logs", INSTANCE, "-n", "1").out == "instance 59\n"
    assert teal("local", "logs", "-n", "0").out == ""


def test_the_logs_are_listed_with_their_files(teal: Teal, written: Home) -> None:
    ended = teal("local", "logs", "--list")
    assert [line.split() for line in ended.out.splitlines()] == [
        ["cloud", str(written.log_file)],
        [INSTANCE, str(written.instance_log(INSTANCE))],
    ]


@pytest.mark.usefixtures("written")
@pytest.mark.parametrize("source", ["envoy", "i-1", "../../run/instances/" + INSTANCE])
def test_an_unknown_log_names_those_that_there_are(teal: Teal, source: str) -> None:
    ended = teal("local", "logs", source)
    assert (ended.code, ended.out) == (1, "")
    assert ended.told == f"teal: there is no log of {source!r}: there are cloud, {INSTANCE}"


def test_where_nothing_has_run_there_is_no_log(teal: Teal) -> None:
    ended = teal("local", "logs")
    assert ended.code == 1
    assert ended.told == "teal: there is no log of 'cloud': nothing has run here yet"


def test_the_older_parts_of_a_log_come_first(teal: Teal, written: Home) -> None:
    for number, name in ((1, "newer"), (2, "older")):
        written.log_file.with_name(f"cloud.log.{number}").write_text(f"{name} 0\n{name} 1\n")
    assert teal("local", "logs", "-n", "63").out.splitlines() == [
        "older 1", "newer 0", "newer 1", *(f"cloud {number}" for number in range(60)),
    ]  # fmt: skip
    listed = [line.split()[0] for line in teal("local", "logs", "--list").out.splitlines()]
    assert listed == ["cloud", INSTANCE]


@pytest.mark.engine  # a process, for its whole life
def test_following_goes_on_until_the_reader_leaves(written: Home, project: Path) -> None:
    program = Path(sys.executable).with_name("teal")
    following = subprocess.Popen(
        [program, "local", "logs", "-f", "-n", "1"], cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert following.stdout
    assert following.stderr
    with following.stderr:
        with following.stdout:
            assert following.stdout.readline() == b"cloud 59\n"
            with written.log_file.open("a") as log:
                log.write("one more\n")
            assert following.stdout.readline() == b"one more\n"
            assert bound(written.log_file, most_bytes=1)
            with written.log_file.open("a") as log:
                log.write("after it was emptied\n")
            assert following.stdout.readline() == b"after it was emptied\n"
        with written.log_file.open("a") as log:
            log.write("nobody reads this\n")
        assert following.wait(10) == 1
        assert following.stderr.read() == b""
