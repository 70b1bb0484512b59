"""The folders of components/: none is forgotten where they are listed; servers need nothing beside their scripts."""

import ast
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from scripts.component_schema import ROOT

COMPONENTS = ROOT / "components"
ROOMS = {path.parent.name for path in COMPONENTS.glob("*/__init__.py")}
ON_SERVERS = ("instance_boot.py", "volume_boot.py", "swarm_boot.py", "swarm_tend.py", "swarm_door.py")


def tools(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads(file.read_text())["tool"]
    return found


def contract(name: str) -> dict[str, Any]:
    found: dict[str, Any]
    [found] = [each for each in tools(ROOT / "pyproject.toml")["importlinter"]["contracts"] if each["name"] == name]
    return found


def test_pip_installs_every_room() -> None:
    packages = tools(COMPONENTS / "pyproject.toml")["setuptools"]["packages"]
    assert len(ROOMS) > 1
    assert {*packages} == {"teal_components", *(f"teal_components.{room}" for room in ROOMS)}


def test_every_room_is_its_components_own() -> None:
    rooms = {f"components.{room}" for room in ROOMS}
    theirs = contract("what components are made of is theirs alone")
    others = {*tools(ROOT / "pyproject.toml")["importlinter"]["root_packages"]} - {"components"}
    assert ({*theirs["forbidden_modules"]}, {*theirs["source_modules"]}) == (rooms, others)
    assert {*contract("what components are made of knows no component")["source_modules"]} == rooms


@pytest.mark.parametrize("name", ON_SERVERS)
def test_a_script_on_a_server_needs_the_systems_python_alone(name: str) -> None:
    imported: set[str] = set()
    for node in ast.walk(ast.parse((COMPONENTS / "boot" / name).read_text())):
        if isinstance(node, ast.Import):
            imported |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add("." * node.level + (node.module or ""))
    assert {each.split(".")[0] for each in imported} <= sys.stdlib_module_names
