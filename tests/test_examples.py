"""The examples are whole: one in each language for each component, told in their README."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
SCHEMA = ROOT / "components" / "schema.json"
REFERENCE = re.compile(r"\$\{(?!pulumi\.)(\w+)\.(\w+)[.}]")
README = (EXAMPLES / "README.md").read_text()


def test_every_component_has_an_example_in_yaml_and_in_python() -> None:
    for token in json.loads(SCHEMA.read_text())["resources"]:
        component = token.rpartition(":")[2]
        name = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in component).lstrip("-")
        about = _about(f"{name}-yaml")
        assert token in {resource["type"] for resource in about["resources"].values()}
        assert f" {component}(" in (EXAMPLES / f"{name}-python" / "__main__.py").read_text()


def test_every_example_is_a_project_of_its_own_and_in_the_readme() -> None:
    folders = [folder for folder in EXAMPLES.iterdir() if (folder / "Pulumi.yaml").is_file()]
    assert len(folders) == 34
    for folder in folders:
        about = _about(folder.name)
        assert about["name"] == folder.name
        assert about["description"]
        program = "Pulumi.yaml" if about["runtime"] == "yaml" else "__main__.py"
        assert f"]({folder.name}/{program})" in README
        assert yaml.safe_load((folder / "Pulumi.dev.yaml").read_text())["config"]["aws:region"]


def test_the_whole_service_in_yaml_is_made_of_the_package() -> None:
    wanted = {f"teal:index:{name}" for name in ("Network", "LoadBalancer", "TrafficSplit", "Fleet")}
    found = _about("service-yaml")
    assert wanted <= {resource["type"] for resource in found["resources"].values()}
    assert (EXAMPLES / "service-yaml" / found["packages"]["teal"]).resolve() == ROOT / "components"


@pytest.mark.parametrize("folder", sorted(EXAMPLES.glob("*-yaml")), ids=lambda folder: folder.name)
def test_an_example_in_yaml_gives_components_what_they_take_and_uses_what_they_give(folder: Path) -> None:
    """Every key and reference, without an engine."""
    about, known = _about(folder.name), json.loads(SCHEMA.read_text())["resources"]
    kinds = {name: resource["type"] for name, resource in about["resources"].items()}
    for name, resource in about["resources"].items():
        of, given = known.get(resource["type"]), set(resource["properties"])
        if of:
            assert set(of["requiredInputs"]) <= given <= set(of["inputProperties"]), name
    for name, output in REFERENCE.findall(json.dumps(about)):
        assert name in kinds, f"nothing is called {name}"
        if kinds[name] in known:
            assert output in known[kinds[name]]["properties"], f"{name} has no {output}"


def _about(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((EXAMPLES / name / "Pulumi.yaml").read_text())
    return found
