"""The folder of components as the engine takes it: a package with a schema, and stacks that outlive a rename."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from components.version import VERSION
from engine.world import COMMAND_SECONDS, PROJECT, REGION, Heard, World
from git_server import git_host
from scripts.schema_changes import changes
from toolchain import Toolchain

COMPONENTS = PROJECT / "components"
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.egg-info", "build")
FETCH_SECONDS = 480.0
PROGRAM = """
name: {name}
runtime: yaml
packages:
  teal: {package}
resources:
  shop:
    type: teal:index:{component}
    properties: {{ forceDelete: true, tags: {{ Team: shop }} }}
outputs:
  url: ${{shop.repositoryUrl}}
"""
FORMER_NAMES = """
TYPES = {"teal:index:Registry": ["teal:index:Images"]}
ROLES = {"teal:index:Registry": {"images": ["repository"]}}
"""


@pytest.fixture
def engine_home(engine: Toolchain, tmp_path: Path) -> dict[str, str]:
    """Variables of an engine that has no account and no plugins."""
    return {**os.environ, **engine.environment(), "PULUMI_HOME": str(tmp_path / "home")}


def test_the_engine_reads_from_the_folder_the_schema_that_is_checked_in(engine_home: dict[str, str]) -> None:
    told = json.loads(pulumi(engine_home, COMPONENTS, "package", "get-schema", str(COMPONENTS)))
    kept = json.loads((COMPONENTS / "schema.json").read_text())
    assert (told["name"], told["version"]) == (kept["name"], kept["version"])
    assert changes(kept, told) == changes(told, kept) == []
    for token, about in told["resources"].items():
        assert about["isComponent"]
        assert about["description"] == kept["resources"][token]["description"]
        for name, each in about["inputProperties"].items():
            assert each["description"] == kept["resources"][token]["inputProperties"][name]["description"]


def test_a_project_adds_the_package_by_its_path(engine_home: dict[str, str], tmp_path: Path) -> None:
    """Of YAML's SDK, which is a file that names the package; the other languages' come from the official CLI."""
    folder = project(tmp_path)
    done = pulumi(engine_home, folder, "package", "add", str(COMPONENTS))
    assert "Added package teal" in done
    assert yaml.safe_load((folder / "Pulumi.yaml").read_text())["packages"] == {"teal": str(COMPONENTS)}
    assert [path.name for path in (folder / "sdks" / "teal").iterdir()] == [f"teal-{VERSION}.yaml"]


@pytest.mark.long
def test_a_project_adds_the_package_from_git_with_all_that_it_needs(
    engine_home: dict[str, str], tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """From a tag of a repository, in an environment that the engine makes and pip fills."""
    repository, folder = tmp_path / "git" / "org" / "teal.git", project(tmp_path)
    publish(repository, tmp_path / "checkout")
    trust = tmp_path / "trust.pem"
    with git_host(tmp_path / "git", trust) as host:
        known = dict.fromkeys(("SSL_CERT_FILE", "PIP_CERT"), str(trust))
        started = time.monotonic()
        source = f"{host}/org/teal.git/components@{VERSION}"
        done = pulumi({**engine_home, **known}, folder, "package", "add", source, seconds=FETCH_SECONDS)
        record_property("seconds", round(time.monotonic() - started))
    assert "Added package org/teal" in done
    [fetched] = (tmp_path / "home" / "plugins").glob("resource-*components-v*/")
    assert (fetched / "components" / "PulumiPlugin.yaml").is_file()
    assert (fetched / ".venv" / "bin" / "python").exists()
    told = pulumi(engine_home, folder, "package", "get-schema", str(fetched / "components"))
    assert json.loads(told)["version"] == VERSION


@pytest.mark.long
def test_a_stack_made_under_former_names_is_upgraded_without_a_replacement(strangers: World, tmp_path: Path) -> None:
    """The same components, but that Registry was called Images, and its child images was called repository."""
    before = strangers.inventory()
    was = package(tmp_path / "was")
    for file in ("registry.py", "catalogue.py"):
        change(was / file, r"\bRegistry\b", "Images")
    change(was / "registry.py", r"\{name\}-images", "{name}-repository")
    now = package(tmp_path / "now")
    forgetful = package(tmp_path / "forgetful")
    with (now / "former_names.py").open("a") as table:
        table.write(FORMER_NAMES)
    folder = tmp_path / "renamed"
    folder.mkdir()
    (folder / "Pulumi.dev.yaml").write_text(yaml.safe_dump({"config": {"aws:region": REGION}}))

    def write(component: str, source: Path) -> None:
        (folder / "Pulumi.yaml").write_text(PROGRAM.format(name=folder.name, package=source, component=component))

    write("Images", was)
    stack = strangers.stack("dev", folder)
    made = stack.up()
    try:
        write("Registry", forgetful)
        without = stack.preview()
        assert (without.get("create"), without.get("delete")) == (3, 3), "the fixture renames nothing"
        write("Registry", now)
        heard = Heard()
        upgraded = stack.up(heard)
        assert set(heard.changes) <= {"update"}, heard.by_name
        assert upgraded == made
        urns = {resource["urn"].split("::", 2)[2] for resource in strangers.checkpoint(stack)["resources"]}
        assert "teal:index:Registry$aws:ecr/repository:Repository::shop-images" in urns
        assert not any("Images$" in urn for urn in urns)
        stack.preview(refresh=True, expect_no_changes=True)
    finally:
        stack.destroy()
    assert strangers.inventory() == before


def pulumi(variables: dict[str, str], folder: Path, *arguments: str, seconds: float = COMMAND_SECONDS) -> str:
    """What the engine printed, which must succeed."""
    done = subprocess.run(
        ["pulumi", "--non-interactive", "--color=never", *arguments],
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    return done.stdout + (done.stderr if "add" in arguments else "")


def project(folder: Path) -> Path:
    """A stranger's project without any package."""
    made = folder / "stranger"
    made.mkdir()
    (made / "Pulumi.yaml").write_text("name: stranger\nruntime: yaml\n")
    return made


def publish(repository: Path, checkout: Path) -> None:
    """A repository that holds the components as they stand, with the tag of their version."""
    shutil.copytree(COMPONENTS, checkout / "components", ignore=LEFT_OUT)
    person = ("-c", "user.name=Teal", "-c", "user.email=teal@stranger.example")
    for words in (
        ("init", "--quiet", "--initial-branch=main"),
        ("add", "."),
        (*person, "commit", "--quiet", "--message=As it stands"),
        ("tag", f"v{VERSION}"),
        ("clone", "--quiet", "--bare", ".", str(repository)),
    ):
        subprocess.run(["git", *words], cwd=checkout, check=True, timeout=60)


def package(folder: Path) -> Path:
    """The components in another place, beside an environment that has what they need."""
    folder.mkdir()
    (folder / ".venv").symlink_to(sys.prefix)
    shutil.copytree(COMPONENTS, folder / "components", ignore=LEFT_OUT)
    return folder / "components"


def change(path: Path, pattern: str, to: str) -> None:
    """Replaces in a file, where there must be something to replace."""
    text, count = re.subn(pattern, to, path.read_text())
    assert count, f"{path.name} has no {pattern}"
    path.write_text(text)
