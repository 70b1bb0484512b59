"""A project and a home of its own for each test, and the command in this process."""

import json
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from traceback import format_exception

import psutil
import pytest
from click.testing import CliRunner

from cli.main import main
from cli_world import FAKE_PULUMI, REGION, Ended, FakeCloud, Teal, breaking, record_of
from localcloud.api.routes import answering
from localcloud.api.server import ApiServer
from localcloud.home import Home
from localcloud.launch import STATUS_PATH
from localcloud.provider.api import Api

ROOT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def project(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project's own stack files in a folder of their own, which is where commands run."""
    folder = tmp_path / "project"
    folder.mkdir()
    for file in ROOT.glob("Pulumi*.yaml"):
        shutil.copy(file, folder)
    about = folder / "Pulumi.yaml"
    about.write_text(about.read_text().replace("eu-west-1", REGION))
    for name in [name for name in os.environ if name.startswith(("TEAL_", "_TEAL_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TEAL_HOME", str(home))
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def teal(project: Path) -> Teal:
    """Runs a command; a traceback is a failure of the test."""

    def run(*arguments: str) -> Ended:
        result = CliRunner().invoke(main, arguments, prog_name="teal")
        if result.exception and not isinstance(result.exception, SystemExit):
            pytest.fail("".join(format_exception(result.exception)))
        return Ended(result.exit_code, result.stdout, result.stderr)

    return run


@pytest.fixture
def binaries(tmp_path: Path, project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an engine on PATH that does nothing, and never ends an `up` unless told."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("pulumi", "pulumi-language-python"):
        program = folder / name
        program.write_text(FAKE_PULUMI)
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("TEAL_TOOLCHAIN", "path")
    return folder


@pytest.fixture(scope="session")
def api_url() -> Iterator[str]:
    """One server for all tests: to stop one takes half a second."""
    with ApiServer([breaking, answering(STATUS_PATH, lambda: json.dumps(FakeCloud.current.status).encode())]) as server:
        yield server.url


@pytest.fixture(scope="session")
def api(api_url: str) -> Api:
    return Api(api_url, REGION)


@pytest.fixture
def cloud(home: Path, project: Path, api: Api) -> Iterator[FakeCloud]:
    """A cloud that runs in the home, with nothing in it."""
    made = FakeCloud.current = FakeCloud(Home(home), api)
    made.home.prepare()
    made.home.write_record(record_of(psutil.Process(), api.endpoint))
    yield made
    made.is_broken = False
    made.clear()
