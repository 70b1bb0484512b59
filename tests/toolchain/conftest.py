"""A machine of its own for each test, and nothing of Pulumi on its PATH."""

import os
from pathlib import Path

import pytest

import toolchain
from fake_machine import FAKE_GO, Machine, Reported
from pulumi_project import Project


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    arranged = Machine(tmp_path / "cache", tmp_path / "home", tmp_path / "bin")
    for folder in (arranged.home, arranged.binaries):
        folder.mkdir()
    for name in [name for name in os.environ if name.startswith(("TEAL_", "FAKE_", "GO"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TEAL_CACHE_HOME", str(arranged.cache))
    monkeypatch.setenv("HOME", str(arranged.home))
    monkeypatch.setenv("PATH", f"{arranged.binaries}{os.pathsep}/usr/bin{os.pathsep}/bin")
    return arranged


@pytest.fixture
def fake_go(machine: Machine) -> Path:
    script = machine.binaries / "sdk" / "python" / "cmd" / "pulumi-language-python-exec"
    script.parent.mkdir(parents=True)
    script.write_text("# the SDK's script\n")
    return machine.script("go", FAKE_GO)


@pytest.fixture
def only_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAL_TOOLCHAIN", "build")


@pytest.fixture
def reported() -> Reported:
    return Reported()


@pytest.fixture(scope="session")
def engine() -> toolchain.Toolchain:
    """The real engine: our own build, whatever else is installed. Builds it where nobody has yet."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEAL_TOOLCHAIN", "build")
        return toolchain.ensure()


@pytest.fixture
def project(engine: toolchain.Toolchain, tmp_path: Path) -> Project:
    """An empty folder to put a Pulumi project into."""
    folder = tmp_path / "project"
    folder.mkdir()
    return Project(folder, engine)
