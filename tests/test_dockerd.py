"""Where no Docker engine answers and none may be started, tests that need one are told as not run, and why."""

import os
import shutil
from pathlib import Path

import pytest

from boot.machine import why_not
from dockerd import docker_engine


def test_without_an_engine_and_without_root_it_is_a_skip_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER", str(tmp_path / "nobody"))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    told = "not run, so nothing is known of images and containers: no Docker client is installed, and no dockerd"
    with pytest.raises(pytest.skip.Exception, match=told), docker_engine(tmp_path):
        pytest.fail("it ran")


def test_without_root_or_a_tool_no_machine_is_booted_and_it_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert why_not() == "it needs root, for namespaces and mounts"
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(shutil, "which", lambda name: None if name == "mmdebstrap" else f"/usr/bin/{name}")
    assert why_not() == "mmdebstrap not installed"
