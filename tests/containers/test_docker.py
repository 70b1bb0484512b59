import shlex
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from containers import docker
from containers.docker_hands import Answer, DockerHands
from containers.errors import NotRunning, Unanswered
from containers.model import Inside, Instance, Line

DIGEST = "sha256:" + "0a" * 32
SINCE = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)
ANSWER = f'["running","2026-11-23T12:00:00.123456789Z","r.example/app@{DIGEST}","1.4",0]'


def instance(name: str = "i-1") -> Instance:
    return Instance(id=name, colour="blue", zone="a", address="10.0.0.1", health="healthy", state="InService")


class FakeShell:
    """Answers by the beginning of the last command that a script has."""

    def __init__(self, **answers: Answer) -> None:
        self.answers, self.asked = answers, list[str]()

    def run(self, scripts: Mapping[str, str], seconds: float) -> Mapping[str, Answer]:
        self.asked += scripts.values()
        words = {name: next(word for word in self.answers if f"docker {word}" in s) for name, s in scripts.items()}
        return {name: self.answers[word] for name, word in words.items()}


def hands(**answers: Answer) -> DockerHands:
    return DockerHands(FakeShell(**answers))


def test_inspect_tells_image_version_and_how_often_it_was_started_again() -> None:
    found = docker.inside(f"{ANSWER}\n3\n")
    assert found == Inside(state="running", digest=DIGEST, version="1.4", since=SINCE, restarts=3)
    assert docker.inside(ANSWER.replace('"1.4"', '""')).version == ""


@pytest.mark.parametrize("answer", ["", "no json", '["running"]', "[1,2,3,4,null]"])
def test_an_answer_that_can_not_be_read_says_so(answer: str) -> None:
    with pytest.raises(Unanswered, match="Docker's answer can't be read"):
        docker.inside(answer)


@pytest.mark.parametrize(
    ("memory", "size"),
    [("23.5MiB / 512MiB", 24_641_536), ("1.5GiB / 2GiB", 1_610_612_736), ("900kB / 2GB", 900_000), ("7B / 2GB", 7)],
)
def test_stats_are_read_with_their_units(memory: str, size: int) -> None:
    found = docker.usage(f'{{"CPUPerc":"12.5%","MemUsage":"{memory}","PIDs":"9","Name":"teal"}}')
    assert (found.cpu_percent, found.memory_bytes, found.pids) == (12.5, size, 9)


def test_lines_have_their_time_and_one_that_was_cut_is_left_out() -> None:
    answer = "07:11Z half a line\n2026-11-23T12:00:00.123456789Z one two\n2026-11-23T12:00:01Z \n"
    assert docker.lines(answer) == [Line("one two", SINCE), Line("", datetime(2026, 11, 23, 12, 0, 1, tzinfo=UTC))]


def test_what_is_asked_for_can_not_be_taken_for_something_else() -> None:
    asked = docker.logs(SINCE, 5, "a b; rm -rf /")
    assert shlex.split(asked.rpartition("&&")[2].partition("2>&1")[0])[-1] == "a b; rm -rf /"


def test_exec_without_a_command_is_python_since_the_image_has_no_shell() -> None:
    assert docker.execution((), has_terminal=True) == ["docker", "exec", "--interactive", "--tty", "teal", "python3"]
    assert docker.execution(("ls", "a b"), "c", has_terminal=False) == [
        "docker", "exec", "--interactive", "c", "ls", "a b",
    ]  # fmt: skip


def test_a_server_that_does_not_answer_is_told_beside_those_that_do() -> None:
    class Half:
        def run(self, scripts: Mapping[str, str], seconds: float) -> Mapping[str, Answer]:
            return {"i-1": Answer(out=ANSWER), "i-2": Answer(problem="no answer within 30 s")}

    found = DockerHands(Half()).look([instance("i-1"), instance("i-2")])
    assert (found["i-1"].state, found["i-2"].state) == ("running", "unknown")
    assert found["i-2"].problem == "no answer within 30 s"


def test_without_a_container_stop_and_logs_say_so() -> None:
    gone = Answer(code=1, err="Error: No such container: teal")
    assert hands(inspect=gone).look([instance()])["i-1"] == Inside(state="none")
    with pytest.raises(NotRunning, match="i-1 runs no container now"):
        hands(stop=gone).stop(instance())
    with pytest.raises(NotRunning, match="i-1 runs no container now"):
        hands(logs=gone).log(instance(), None, 10).read()


def test_any_other_no_is_told_in_docker_s_words() -> None:
    with pytest.raises(Unanswered, match="i-1: permission denied"):
        hands(kill=Answer(code=1, err="warning\npermission denied\n")).kill(instance())


def test_following_asks_from_the_last_line_on_and_tells_each_line_once() -> None:
    shell = FakeShell(logs=Answer(out="2026-11-23T12:00:00.5Z one\n2026-11-23T12:00:01.5Z two\n"))
    log = DockerHands(shell).log(instance(), None, 10)
    assert [line.text for line in log.read()] == ["one", "two"]
    shell.answers["logs"] = Answer(out="2026-11-23T12:00:01.5Z two\n2026-11-23T12:00:01.5Z three\n")
    assert [line.text for line in log.read()] == ["three"]
    assert "--tail 10" in shell.asked[0]
    assert "--since 2026-11-23T12:00:01.500000+00:00" in shell.asked[1]
    assert "--tail" not in shell.asked[1]


def test_the_time_is_utc_for_docker() -> None:
    elsewhere = SINCE.astimezone().replace(tzinfo=None).astimezone()
    assert "--since 2026-11-23T12:00:00.123456+00:00" in docker.logs(elsewhere, None)
    assert docker.moment("2026-11-23T14:00:00.123456+02:00") == SINCE
    assert docker.moment("yesterday") is None
