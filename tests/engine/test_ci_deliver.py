"""`teal ci deliver` and `teal ci drift`, by the command, in an embedded cloud of their own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from engine.world import COMMAND_SECONDS, PROJECT, World, running_world
from toolchain import Toolchain

QUICK = ("--bake", "0s", "--keep-warm", "0s")

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def own(engine: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A cloud in which nothing was ever delivered."""
    with running_world(tmp_path_factory.mktemp("delivery") / "home", engine) as running:
        yield running


def run(world: World, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`teal`, however it ends."""
    return subprocess.run(
        [Path(sys.executable).with_name("teal"), *arguments],
        cwd=PROJECT,
        env={**os.environ, "TEAL_HOME": str(world.home.root), "TEAL_TOOLCHAIN": "build"},
        capture_output=True,
        text=True,
        timeout=3 * COMMAND_SECONDS,
        check=False,
    )


def live(world: World, stack: str) -> str:
    """The digest that a stack's ledger has live."""
    found = json.loads(world.teal("release", "status", stack, "--json"))
    return str(found["colours"][found["live"]]["digest"])


def test_one_image_goes_from_dev_to_qa(own: World, tmp_path: Path) -> None:
    done = run(own, "ci", "deliver", "dev", "qa", *QUICK, "--json")
    assert done.returncode == 0, done.stderr
    [dev, qa] = json.loads(done.stdout)
    assert (dev["stack"], qa["stack"]) == ("dev", "qa")
    assert dev["digest"] == qa["digest"] == live(own, "dev") == live(own, "qa")
    assert dev["image"] != qa["image"]
    for stack in ("dev", "qa"):
        about = httpx.get(f"{own.status(stack).url}/version", trust_env=False).json()
        assert about["digest"] == dev["digest"]
    again = run(own, "ci", "deliver", "dev", "qa", *QUICK)
    assert again.returncode == 0, again.stderr
    assert f"qa serves {dev['digest']} already" in again.stderr


def test_a_new_image_is_released_in_both(own: World) -> None:
    """qa gets what dev serves by then, built elsewhere: by its digest alone."""
    before = live(own, "qa")
    digest = own.teal("image", "build", "dev", "--label", "org.opencontainers.image.version=2").strip()
    own.teal("release", "start", "dev", "--image", digest, "--steps", "100", *QUICK)
    done = run(own, "ci", "deliver", "qa", "--steps", "100", *QUICK)
    assert done.returncode == 0, done.stderr
    assert live(own, "qa") == digest != before
    repository = own.stack("qa").exports()["repositoryUrl"].partition("/")[2]
    [image] = own.aws("ecr").describe_images(repositoryName=repository, imageIds=[{"imageDigest": digest}])[
        "imageDetails"
    ]
    assert image["imageTags"] == [f"build-{digest[7:23]}"]


def test_drift_is_found_where_somebody_changed_something_and_only_there(own: World, tmp_path: Path) -> None:
    clean = run(own, "ci", "drift", "dev", "qa")
    assert (clean.returncode, clean.stdout) == (0, "dev: clean\nqa: clean\n"), clean.stderr
    resources = own.checkpoint(own.stack("qa"))["resources"]
    [vpc] = [each["id"] for each in resources if each["urn"].endswith("::main-vpc")]
    own.aws("ec2").create_tags(Resources=[vpc], Tags=[{"Key": "Environment", "Value": "nobody's"}])
    report, summary = tmp_path / "drift.json", tmp_path / "summary.md"
    found = run(own, "ci", "drift", "--report", str(report), "--markdown", str(summary))
    assert found.returncode == 8, found.stderr
    assert found.stdout == "dev: clean\nqa: drifted: main-vpc (update)\n"
    [dev, qa] = json.loads(report.read_text())["stacks"]
    assert (dev["look"], dev["changes"], qa["look"], qa["pending"]) == ("clean", [], "drifted", 0)
    assert [change["name"] for change in qa["changes"]] == ["main-vpc"]
    assert qa["changes"][0]["keys"]
    assert "| `main-vpc` | `aws:ec2/vpc:Vpc` | update |" in summary.read_text()
    own.aws("ec2").create_tags(Resources=[vpc], Tags=[{"Key": "Environment", "Value": "qa"}])
    assert run(own, "ci", "drift", "qa").returncode == 0
