"""How the script on the instance waits for its container, and tells the scaling group."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from components.boot import instance_boot
from instance_world import SPEC, Boot, played


@pytest.fixture
def boot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Boot:
    return played(tmp_path, monkeypatch)


class Container(BaseHTTPRequestHandler):
    """One that is ready when asked for the second time."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(503 if len(self.asked) == 1 else 200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def container() -> Iterator[tuple[int, list[str]]]:
    asked: list[str] = []
    server = HTTPServer(("127.0.0.1", 0), type("Asked", (Container,), {"asked": asked}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server.server_port, asked
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_group_is_told_once_the_container_is_ready_and_never_again(
    boot: Boot, container: tuple[int, list[str]]
) -> None:
    port, asked = container
    status, commands = boot("ready", spec={**SPEC, "port": port}, states=["Pending:Wait"])
    assert (status, asked) == (0, ["/readyz", "/readyz"])
    [told] = commands.told
    options = dict(zip(told[3::2], told[4::2], strict=True))
    assert options == {
        "--lifecycle-action-result": "CONTINUE",
        "--lifecycle-hook-name": "ready",
        "--instance-id": "i-1",
        "--auto-scaling-group-name": "blue-group-1",
        "--region": "eu-west-1",
        "--output": "json",
    }
    status, commands = boot("ready", spec={**SPEC, "port": port})
    assert (status, commands.ran) == (0, [])


@pytest.mark.parametrize(("state", "count"), [("InService", 0), ("", 0), ("Pending:Wait", 1)])
def test_a_group_that_does_not_wait_is_not_told(
    boot: Boot, container: tuple[int, list[str]], state: str, count: int
) -> None:
    status, commands = boot("ready", spec={**SPEC, "port": container[0]}, states=[state])
    assert (status, len(commands.told)) == (0, count)


def test_a_group_that_does_not_listen_yet_is_asked_again(
    boot: Boot, container: tuple[int, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(instance_boot, "TELL_AGAIN_SECONDS", 0)
    states = ["throttled", "Pending", "Pending:Wait"]
    status, commands = boot("ready", spec={**SPEC, "port": container[0]}, states=states)
    assert (status, len(commands.told)) == (0, 1)


def test_a_group_that_can_not_be_told_ends_no_container(
    boot: Boot,
    container: tuple[int, list[str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(instance_boot, "TELL_SECONDS", -1)
    status, _ = boot("ready", spec={**SPEC, "port": container[0]}, states=["throttled"])
    assert status == 0
    assert "could not be told" in capsys.readouterr().err


def test_a_container_that_has_ended_is_not_waited_for(
    boot: Boot, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MAINPID", "999999999")
    began = time.monotonic()
    status, commands = boot("ready", spec={**SPEC, "port": 1})
    assert (status, commands.ran) == (1, [])
    assert capsys.readouterr().err == "ready: the container ended before it was ready\n"
    assert time.monotonic() - began < 5


def test_a_container_that_never_answers_is_given_up(
    boot: Boot, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(instance_boot, "READY_SECONDS", -1)
    status, commands = boot("ready", spec={**SPEC, "port": 1})
    assert (status, commands.told) == (1, [])
    assert capsys.readouterr().err.startswith("ready: http://127.0.0.1:1/readyz does not answer within")
