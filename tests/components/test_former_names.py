"""An upgrade finds what earlier versions made: former names are told to the engine, and none is forgotten."""

import ast
import inspect
import runpy
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from components import former_names
from components.catalogue import COMPONENTS
from components.registry import Registry
from deployed import deploy
from scripts.component_schema import RELEASED, ROOT, released

EXAMPLES = sorted((ROOT / "examples").glob("*-python"))


@pytest.fixture
def renamed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Registry was called Images, and its child images was called repository, before that store."""
    monkeypatch.setattr(former_names, "TYPES", {"teal:index:Registry": ["teal:index:Images"]})
    monkeypatch.setattr(former_names, "ROLES", {"teal:index:Registry": {"images": ["repository", "store"]}})


def test_components_without_former_names_keep_the_callers_options() -> None:
    options = pulumi.ResourceOptions()
    assert former_names.remembering("teal:index:Registry", "shop", options) is options
    assert former_names.remembering("teal:index:Registry", "shop", None) is None


@pytest.mark.usefixtures("renamed")
def test_a_component_and_the_child_that_were_renamed_say_so_and_no_other() -> None:
    made = deploy(lambda: Registry("shop", {})).resources
    assert made["shop"].aliases == ({"type": "teal:index:Images"},)
    assert made["shop-images"].aliases == ({"name": "shop-repository"}, {"name": "shop-store"})
    assert made["shop-lifecycle"].aliases == ()


@pytest.mark.usefixtures("renamed")
def test_a_callers_own_aliases_stay() -> None:
    own = pulumi.ResourceOptions(aliases=[pulumi.Alias(name="store")])
    made = deploy(lambda: Registry("shop", {}, own)).resources
    assert made["shop"].aliases == ({"name": "store"}, {"type": "teal:index:Images"})


def test_every_component_asks_for_its_former_names() -> None:
    for component in COMPONENTS:
        tree = ast.parse(inspect.getsource(component).strip())
        calls = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Call)]
        token = f"teal:index:{component.__name__}"
        wanted = f"super().__init__('{token}', name, {{}}, remembering('{token}', name, opts))"
        assert wanted in calls, f"{component.__name__} must pass its options through remembering"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda folder: folder.name)
def test_what_the_last_release_made_is_made_under_the_same_or_a_remembered_name(
    example: Path, request: pytest.FixtureRequest
) -> None:
    """Else an upgrade would delete it and make another: former_names.py is where a rename is written down."""
    *_, last = released()
    kept = RELEASED / f"{last}.resources" / f"{example.name}.txt"
    made, remembered = _names(example)
    if request.config.getoption("--update"):
        kept.parent.mkdir(exist_ok=True)
        kept.write_text("".join(f"{name}\n" for name in sorted(made)))
    lost = set(kept.read_text().split()) - made - remembered
    assert not lost, f"version {last} made {', '.join(sorted(lost))}"


def _names(example: Path) -> tuple[set[str], set[str]]:
    """What an example makes, as the engine tells resources apart, and what it says that these were called before."""
    config = yaml.safe_load((example / "Pulumi.dev.yaml").read_text())["config"]
    config["domain-python:zoneName"] = "stranger.example"
    program: Callable[[], Any] = lambda: runpy.run_path(str(example / "__main__.py"))  # noqa: E731
    found = deploy(program, config, stack="dev", project=example.name).resources
    made = {_name(each.urn) for each in found.values()}
    former = {
        each.type: {each.type, *(alias["type"] for alias in each.aliases if "type" in alias)} for each in found.values()
    }
    remembered = set()
    for each in found.values():
        kinds, name = _name(each.urn).rsplit("::", 1)
        names = {name, *(alias["name"] for alias in each.aliases if "name" in alias)}
        for chain in product(*(former.get(kind, {kind}) for kind in kinds.split("$"))):
            remembered |= {f"{'$'.join(chain)}::{called}" for called in names}
    return made, remembered


def _name(urn: str) -> str:
    return urn.split("::", 2)[2]
