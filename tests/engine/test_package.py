"""The folder of components as the engine takes it: a package with a schema, and stacks that outlive a rename."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from engine.world import COMMAND_SECONDS, PROJECT, REGION, Heard, World
from scripts.schema_changes import changes
from toolchain import Toolchain

COMPONENTS = PROJECT / "components"
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
    done = subprocess.run(
        ["pulumi", "package", "get-schema", COMPONENTS],
        env=engine_home,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told, kept = json.loads(done.stdout), json.loads((COMPONENTS / "schema.json").read_text())
    assert (told["name"], told["version"]) == (kept["name"], kept["version"])
    assert changes(kept, told) == changes(told, kept) == []
    for token, about in told["resources"].items():
        assert about["isComponent"]
        assert about["description"] == kept["resources"][token]["description"]
        for name, each in about["inputProperties"].items():
            assert each["description"] == kept["resources"][token]["inputProperties"][name]["description"]


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


def package(folder: Path) -> Path:
    """The components in another place, beside an environment that has what they need."""
    folder.mkdir()
    (folder / ".venv").symlink_to(sys.prefix)
    shutil.copytree(COMPONENTS, folder / "components", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    return folder / "components"


def change(path: Path, pattern: str, to: str) -> None:
    """Replaces in a file, where there must be something to replace."""
    text, count = re.subn(pattern, to, path.read_text())
    assert count, f"{path.name} has no {pattern}"
    path.write_text(text)
