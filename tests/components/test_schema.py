"""The package's schema: as it is kept, as it may change, and as a page tells it."""

import ast
import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

import components
from components.catalogue import COMPONENTS
from components.version import VERSION
from scripts import component_schema
from scripts.component_schema import PAGE, ROOT, SCHEMA, as_text, page, released, schema
from scripts.schema_changes import changes, least_version, problems

NETWORK, NAT = "teal:index:Network", "teal:index:Nat"
FOLDER = Path(components.__file__).parent
SOURCES = [*FOLDER.glob("*.py"), *FOLDER.glob("*/*.py")]
"""Not deeper: a build leaves copies of all there."""
BOUNDS = "## 0.2.0\n### Breaking\n- x\n"


@pytest.fixture(scope="module")
def now() -> dict[str, Any]:
    return schema()


@pytest.fixture
def edited(now: dict[str, Any]) -> dict[str, Any]:
    """A schema to change, of the version that follows."""
    return {**deepcopy(now), "version": "0.2.0"}


def test_the_schema_is_the_one_that_is_checked_in(now: dict[str, Any]) -> None:
    kept = json.loads(SCHEMA.read_text())
    told = "; ".join(str(change) for change in changes(kept, now)) or "texts differ"
    assert as_text(now) == SCHEMA.read_text(), f"components/schema.json is out of date ({told}): run make schema"


def test_the_page_tells_the_schema(now: dict[str, Any]) -> None:
    assert page(now) == PAGE.read_text(), "docs/components.md is out of date: run make schema"
    assert all(f"### {component.__name__}\n" in PAGE.read_text() for component in COMPONENTS)


def test_the_version_and_the_changelog_say_what_changed_since_the_last_release(now: dict[str, Any]) -> None:
    *_, last = released().values()
    assert not problems(json.loads(last.read_text()), now, (ROOT / "CHANGELOG.md").read_text())


def test_every_component_is_in_the_package_and_every_text_is_there(now: dict[str, Any]) -> None:
    found = {
        node.name
        for path in SOURCES
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef) and any("ComponentResource" in ast.unparse(base) for base in node.bases)
    }
    assert found == {component.__name__ for component in COMPONENTS}
    assert {f"teal:index:{name}" for name in found} == set(now["resources"])
    told = [*now["resources"].values(), *now["types"].values()]
    for about in told:
        assert about["description"]
        each = {**about.get("inputProperties", {}), **about.get("properties", {})}
        for name, of in each.items():
            assert of.get("description"), f"{name} has no text"
            assert "\n" not in of["description"], f"the text of {name} must be one line"


def test_python_programs_get_every_component_and_what_it_takes() -> None:
    names = {name for each in COMPONENTS for name in (each.__name__, f"{each.__name__}Args")}
    assert names | {"Nat", "SubnetCidrBlocks"} == set(components.__all__)
    assert all(getattr(components, name).__name__ == name for name in components.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Vpc'"):
        _ = components.Vpc


def test_components_import_each_other_by_relative_names() -> None:
    """Else the pip package, which has another name, would look for a package that is not there."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                assert not (node.module or "").startswith("components"), f"{path.name}: {ast.unparse(node)}"
            if isinstance(node, ast.Import):
                assert not any(name.name.startswith("components") for name in node.names), path.name


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (("resources", NETWORK), None, "Network is no component any more"),
        (("types", NAT), None, "Nat is no type any more"),
        (("resources", NETWORK, "inputProperties", "nat"), None, "Network.nat is no input any more"),
        (("resources", NETWORK, "properties", "vpcId"), None, "Network.vpcId is no output any more"),
        (("resources", NETWORK, "required"), [], "Network.vpcId may be missing now"),
        (("resources", NETWORK, "requiredInputs"), ["cidrBlock", "nat", "zones"], "Network.nat must be given now"),
        (
            ("resources", NETWORK, "inputProperties", "zones"),
            {"type": "string", "plain": True},
            "Network.zones was list of string and is string",
        ),
        (
            ("resources", NETWORK, "inputProperties", "kmsKeyArn"),
            {"type": "string", "plain": True},
            "Network.kmsKeyArn takes no outputs any more",
        ),
        (
            ("resources", NETWORK, "properties", "vpcId"),
            {"type": "array", "items": {"type": "string"}},
            "Network.vpcId was string and is list of string",
        ),
        (("types", NAT, "enum"), [{"name": "NONE", "value": "none"}], "Nat.single is no value any more"),
        (("types", "teal:index:SubnetCidrBlocks", "properties", "public"), None, "SubnetCidrBlocks.public is no input"),
    ],
)
def test_a_change_that_breaks_programs_is_told_and_takes_a_minor_version_before_1_0(
    now: dict[str, Any], edited: dict[str, Any], path: tuple[str, ...], value: Any, told: str
) -> None:
    put(edited, path, value)
    breaking = [str(change) for change in changes(now, edited) if change.breaks]
    assert any(change.startswith(told) for change in breaking), breaking
    now_last = {**now, "version": "0.1.0"}
    assert not problems(now_last, edited, BOUNDS)
    [too_low] = problems(now_last, {**edited, "version": "0.1.1"}, "## 0.1.1\n### Breaking\n- x\n")
    assert too_low.startswith("the version must be at least 0.2.0, since after 0.1.0: ")
    assert told in too_low
    [silent] = problems(now_last, edited, "## 0.2.0\n- x\n")
    assert silent.startswith("CHANGELOG.md must say under '## 0.2.0', '### Breaking', how to upgrade, since: ")
    assert problems(now_last, edited, "## 0.1.0\n") == ["CHANGELOG.md has no section '## 0.2.0'"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("resources", "teal:index:Cache"), {"inputProperties": {}, "requiredInputs": [], "properties": {}}),
        (("resources", NETWORK, "inputProperties", "ipv6"), {"type": "boolean", "plain": True}),
        (("resources", NETWORK, "inputProperties", "cidrBlock"), {"type": "string"}),
        (("resources", NETWORK, "requiredInputs"), ["zones"]),
        (("resources", NETWORK, "properties", "vpcArn"), {"type": "string"}),
    ],
)
def test_an_addition_takes_a_patch_before_1_0_and_a_minor_version_later(
    now: dict[str, Any], edited: dict[str, Any], path: tuple[str, ...], value: Any
) -> None:
    put(edited, path, value)
    found = changes(now, edited)
    assert [change.breaks for change in found] == [False]
    assert least_version("0.1.0", found) == "0.1.1"
    assert least_version("1.4.2", found) == "1.5.0"


def test_a_breaking_change_takes_a_major_version_from_1_0_on(now: dict[str, Any], edited: dict[str, Any]) -> None:
    put(edited, ("resources", NETWORK), None)
    assert least_version("1.4.2", changes(now, edited)) == "2.0.0"


def test_a_text_may_change_in_any_version(now: dict[str, Any], edited: dict[str, Any]) -> None:
    edited["resources"][NETWORK]["description"] = "Another text."
    assert changes(now, edited) == []
    assert least_version("0.1.0", []) == "0.1.0"


def test_a_released_schema_never_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(component_schema, "RELEASED", tmp_path)
    monkeypatch.setattr(component_schema, "SCHEMA", tmp_path / "schema.json")
    monkeypatch.setattr(component_schema, "PAGE", tmp_path / "page.md")
    (tmp_path / "page.md").write_text("<!-- components -->\n<!-- end of components -->\n")
    assert component_schema.main(["release"]) == 0
    assert (tmp_path / f"{VERSION}.json").read_text() == (tmp_path / "schema.json").read_text()
    (tmp_path / f"{VERSION}.json").write_text("{}")
    assert component_schema.main(["release"]) == 1
    assert "was released with another schema" in capsys.readouterr().err


def put(into: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    """Sets what is at the end of a path, or removes it for None."""
    *way, last = path
    for step in way:
        into = into[step]
    if value is None:
        del into[last]
    else:
        into[last] = value
