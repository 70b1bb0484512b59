import importlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cli_world import FakeCloud, Teal
from localcloud.home import CloudRecord
from localcloud.stacks import LocalStack

ROOT = Path(__file__).parents[2]
REPOSITORY = "123456789012.dkr.ecr.ca-central-1.amazonaws.com/app"
DIGEST = "sha256:" + "0a" * 32


@pytest.fixture
def exports(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The exports of the stack as of its last run."""
    found: dict[str, Any] = {"repositoryUrl": REPOSITORY}
    monkeypatch.setattr(LocalStack, "exports", lambda _: found)
    return found


@pytest.mark.usefixtures("binaries", "cloud", "exports")
def test_it_prints_the_digest_and_nothing_else(teal: Teal, monkeypatch: pytest.MonkeyPatch) -> None:
    pushed = []

    def push_app(project: Path, ecr: object, repository: str, labels: Mapping[str, str], cloud: CloudRecord) -> str:
        pushed.append((repository, labels, cloud.driver))
        return DIGEST

    monkeypatch.setattr(importlib.import_module("cli.image.build"), "push_app", push_app)
    assert teal("image", "build").out == f"{DIGEST}\n"
    shown = teal("image", "build", "prod", "--label", "a=b=c", "--label", "d=", "--json").out
    assert json.loads(shown) == {"digest": DIGEST, "repository": REPOSITORY}
    assert pushed == [("app", {}, "process"), ("app", {"a": "b=c", "d": ""}, "process")]


@pytest.mark.usefixtures("binaries", "cloud")
def test_a_stack_that_never_came_up_has_no_registry(teal: Teal, exports: dict[str, Any]) -> None:
    exports.clear()
    ended = teal("image", "build", "qa")
    assert (ended.code, ended.out) == (1, "")
    assert ended.told == "teal: stack qa has no registry yet: bring it up with `teal local up qa`"


@pytest.mark.usefixtures("binaries", "cloud", "exports")
def test_a_project_without_an_app_is_one_line(teal: Teal) -> None:
    ended = teal("image", "build")
    assert (ended.code, ended.out) == (1, "")
    assert "app" in ended.told


@pytest.mark.usefixtures("binaries", "exports")
def test_a_registry_that_answers_with_an_error_is_one_line(teal: Teal, cloud: FakeCloud, project: Path) -> None:
    shutil.copytree(ROOT / "app", project / "app")
    cloud.is_broken = True
    ended = teal("image", "build")
    assert (ended.code, ended.out) == (1, "")
    assert ended.told.startswith("teal: ")
