"""The official installer: tried within a few seconds, and given up when it fails."""

import http.server
import socket
import threading
import time

import pytest

import toolchain
from toolchain import errors, official

INSTALLS = """
import pathlib
from importlib.metadata import version
binary = pathlib.Path.home() / ".pulumi" / "versions" / version("pulumi") / "bin" / "pulumi"
binary.parent.mkdir(parents=True)
binary.write_text("#!/bin/sh\\necho v3.300.0\\n")
binary.chmod(0o755)
"""


@pytest.fixture
def forced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAL_TOOLCHAIN", "official")
    monkeypatch.setattr(official, "is_reachable", lambda _: True)


@pytest.mark.usefixtures("machine", "forced")
def test_what_the_installer_installs_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(official, "INSTALL_PROGRAM", INSTALLS)
    found = toolchain.ensure()
    assert (found.version, found.source) == ("3.300.0", "installed")


@pytest.mark.usefixtures("machine", "forced")
@pytest.mark.parametrize(
    ("program", "says"), [("raise SystemExit(3)", r"failed \(exit code 3\)"), ("pass", "without an engine")]
)
def test_an_installer_that_fails_says_so(monkeypatch: pytest.MonkeyPatch, program: str, says: str) -> None:
    monkeypatch.setattr(official, "INSTALL_PROGRAM", program)
    with pytest.raises(errors.OfficialUnavailable, match=says):
        toolchain.ensure()


@pytest.mark.usefixtures("machine", "fake_go", "forced")
def test_after_a_failed_installer_the_engine_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEAL_TOOLCHAIN")
    monkeypatch.setattr(official, "INSTALL_PROGRAM", "raise SystemExit(3)")
    assert toolchain.ensure().source == "built"


def test_a_site_that_takes_connections_and_never_answers_is_out_of_reach_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(official, "PROBE_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        assert not official.is_reachable(f"http://127.0.0.1:{silent.getsockname()[1]}/")
    assert time.monotonic() - started < 1


def test_a_site_that_answers_is_within_reach() -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler) as site:
        thread = threading.Thread(target=site.handle_request)
        thread.start()
        assert official.is_reachable(f"http://127.0.0.1:{site.server_port}/pyproject.toml")
        thread.join(5)
