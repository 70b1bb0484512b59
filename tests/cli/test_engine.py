import errno
import importlib
import io
import json
import os
from pathlib import Path

import pytest
from rich.console import Console

from cli.engine import get_engine
from cli.steps import Steps
from cli_world import Teal
from toolchain import Progress, Source, Toolchain
from toolchain.errors import DiskFull
from toolchain.progress import Report

ENGINE = Toolchain(Path("/opt/pulumi/bin/pulumi"), "3.259.0", Source.BUILT)


def told_by(ensure: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr("cli.engine.ensure", ensure)
    written = io.StringIO()
    with Steps(tmp_path / "durations.json", Console(file=written)) as steps:
        assert get_engine(steps) is ENGINE
    return written.getvalue().splitlines()


def test_the_first_build_is_announced_with_how_long_it_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def ensure(report: Report) -> Toolchain:
        report(Progress("Not using /usr/bin/pulumi: it is 3.1.0, older than 3.259.0"))
        for seconds in range(3):
            report(Progress("Downloading the engine's Go modules", seconds, 60))
        report(Progress("Building the Pulumi engine", 0, 240))
        return ENGINE

    assert told_by(ensure, tmp_path, monkeypatch) == [
        "  Not using /usr/bin/pulumi: it is 3.1.0, older than 3.259.0",
        "  The Pulumi engine is not on this machine yet. Getting it takes up to five minutes, once.",
        "✓ Pulumi engine · 3.259.0 (built) (0.0 s)",
    ]
    assert json.loads((tmp_path / "durations.json").read_text()) == {}  # the next time it is there


def test_an_engine_that_is_there_needs_no_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def ensure(report: Report) -> Toolchain:
        report(Progress("Looking for the official Pulumi installer", 0, 1))
        return ENGINE

    assert told_by(ensure, tmp_path, monkeypatch) == ["✓ Pulumi engine · 3.259.0 (built) (0.0 s)"]


@pytest.mark.usefixtures("binaries")
def test_show_tells_which_engine_is_used(teal: Teal, tmp_path: Path) -> None:
    program = tmp_path / "bin" / "pulumi"
    assert teal("toolchain", "show").out == f"{program} 3.259.0 (path)\n"
    shown = json.loads(teal("toolchain", "show", "--json").out)
    assert shown == {"path": str(program), "version": "3.259.0", "source": "path"}


def test_a_cache_that_cannot_be_written_is_one_line(
    teal: Teal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    monkeypatch.setenv("TEAL_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TEAL_TOOLCHAIN", "build")
    for words in (("toolchain", "show"), ("local", "up"), ("toolchain", "export", str(tmp_path / "engines"))):
        ended = teal(*words)
        assert (ended.code, ended.out) == (1, "")
        assert ended.told == (
            f"teal: the cache folder {tmp_path}/cache/toolchain cannot be used (Not a directory): make it writable,"
            " or name another by TEAL_CACHE_HOME"
        )


def test_a_disk_that_fills_up_while_building_is_one_line(
    teal: Teal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(workspace: Path, log: Path, report: Report) -> Path:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(workspace))

    monkeypatch.setenv("TEAL_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TEAL_TOOLCHAIN", "build")
    monkeypatch.setattr("toolchain.install.build", build)
    ended = teal("toolchain", "show")
    assert (ended.code, ended.out) == (1, "")
    assert ended.told == (
        f"teal: no space left for the engine in {tmp_path}/cache/toolchain: make room, or name a folder on another disk"
        " by TEAL_CACHE_HOME"
    )


def test_a_disk_with_too_little_room_is_told_before_the_build(teal: Teal, monkeypatch: pytest.MonkeyPatch) -> None:
    def ensure(report: Report) -> Toolchain:
        raise DiskFull("building the engine needs 5.5 GB for a while")

    monkeypatch.setattr("cli.engine.ensure", ensure)
    assert teal("local", "up").told == "teal: building the engine needs 5.5 GB for a while"


def test_an_unknown_way_to_an_engine_is_one_line(teal: Teal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAL_TOOLCHAIN", "docker")
    assert (
        teal("toolchain", "show").told == "teal: TEAL_TOOLCHAIN is 'docker'; allowed are path, official, mirror, build"
    )


def test_an_exported_engine_is_told_by_its_folder(teal: Teal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def export(directory: Path, report: Report) -> Path:
        report(Progress("Building the Pulumi engine", 1, 240))
        return directory / "3.259.0"

    module = importlib.import_module("cli.toolchain.export")  # by name it is the command
    monkeypatch.setattr(module, "export_toolchain", export)
    ended = teal("toolchain", "export", str(tmp_path / "engines"))
    assert ended.out == f"{tmp_path}/engines/3.259.0\n"
