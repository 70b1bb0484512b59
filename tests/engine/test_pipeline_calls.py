"""The calls that a pipeline really makes in an embedded cloud, against what its roles may do and against the record."""

from pathlib import Path

import pytest

import needed
from engine.pipeline_walk import Walk
from engine.world import running_world
from localcloud.api.recorder import SWITCH
from toolchain import Toolchain

Figure = pytest.Config


@pytest.mark.long
def test_walk(engine: Toolchain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.setenv(SWITCH, "1")
    with running_world(tmp_path / "home", engine) as world:
        folder = tmp_path / "copies"
        folder.mkdir()
        walk = Walk(world, folder)
        try:
            walk.go()
        finally:
            needed.write(walk.needs)
