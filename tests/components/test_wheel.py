"""The components as others install them by pip: under a name of their own, typed, without the rest of Teal."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from scripts.component_schema import ROOT

COMPONENTS = ROOT / "components"
SECONDS = 240.0
NAMES_OF_OURS = """
import importlib.metadata, pathlib, sys, teal_components
from teal_components import Network
assert "pulumi_docker" not in sys.modules, "who builds no image needs no Docker SDK"
assert Network.__module__ == "teal_components.network"
for name in ("py.typed", "boot/teal.service", "boot/teal-swarm.service", "boot/teal-door.service"):
    assert (pathlib.Path(teal_components.__file__).parent / name).is_file(), name
for name in teal_components.__all__:
    getattr(teal_components, name)
print(*sorted(each.name.lower().replace("_", "-") for each in importlib.metadata.distributions()))
"""
WRONG = """
from teal_components import Network
Network("net", {"cidr_block": "10.0.0.0/16", "zones": 3})
"""
MYPY = """
[mypy]
strict = true
[mypy-pulumi_aws.*]
follow_imports = skip
"""
"""pulumi_aws has a thousand modules; that components fit to them is for `make types` to say."""
PINNED = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^\s;\\]+)", re.MULTILINE)


def run(*command: str | Path, folder: Path) -> str:
    """What a command printed, which must succeed."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that holds the wheel and what that asks for."""
    folder = tmp_path_factory.mktemp("wheel")
    source, uv = folder / "components", Path(sys.executable).with_name("uv")
    shutil.copytree(COMPONENTS, source, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "build"))
    options = ("--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation")
    run(sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", folder, source, folder=folder)
    [wheel] = folder.glob("teal_components-*.whl")
    run(uv, "venv", "--quiet", "--python", sys.executable, folder / "venv", folder=folder)
    made = folder / "venv" / "bin" / "python"
    run(uv, "pip", "install", "--quiet", "--python", made, wheel, folder=folder)
    return made


@pytest.mark.process
@pytest.mark.timeout(SECONDS)
def test_a_fresh_environment_has_the_components_and_nothing_else_of_teal(python: Path, tmp_path: Path) -> None:
    installed = set(run(python, "-c", NAMES_OF_OURS, folder=tmp_path).split())
    assert {"teal-components", "pulumi", "pulumi-aws", "pulumi-docker"} <= installed
    assert not installed & {"teal", "moto", "click", "boto3", "pydantic", "flask"}


@pytest.mark.process
@pytest.mark.timeout(SECONDS)
def test_type_checkers_know_what_components_take(python: Path, tmp_path: Path) -> None:
    programs = []
    for example in sorted((ROOT / "examples").glob("*-python")):
        programs.append(tmp_path / f"{example.name.replace('-', '_')}.py")
        shutil.copy(example / "__main__.py", programs[-1])
    (tmp_path / "mypy.ini").write_text(MYPY)
    check = (sys.executable, "-m", "mypy", "--config-file", tmp_path / "mypy.ini", "--python-executable", python)
    run(*check, "--cache-dir", tmp_path / "cache", *programs, folder=tmp_path)
    wrong = tmp_path / "wrong.py"
    wrong.write_text(WRONG)
    done = subprocess.run(
        [*check, "--cache-dir", tmp_path / "cache", wrong],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert 'TypedDict item "zones" has type "list[str]"' in done.stdout, done.stdout


def test_the_plugin_installs_the_versions_that_teal_itself_has() -> None:
    ours = dict(PINNED.findall((ROOT / "requirements.txt").read_text()))
    plugins = dict(PINNED.findall((COMPONENTS / "requirements.txt").read_text()))
    assert {"pulumi", "pulumi-aws", "pulumi-docker", "pyyaml"} <= plugins.keys()
    assert {name: ours[name] for name in plugins} == plugins, "run make requirements"


def test_pip_accepts_no_version_older_than_ours() -> None:
    ours = dict(PINNED.findall((ROOT / "requirements.in").read_text()))
    wanted = tomllib.loads((COMPONENTS / "pyproject.toml").read_text())["project"]["dependencies"]
    lowest = dict(re.findall(r"(\S+?)>=([0-9.]+)", " ".join(wanted)))
    assert all(lowest[name] == ours[name] for name in ("pulumi", "pulumi-aws", "pulumi-docker"))
