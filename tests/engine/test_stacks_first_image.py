"""An environment that builds nothing gets its first image by digest. After test_stacks, which wants it without one."""

import json
import re

import httpx
import pytest

from engine.world import BringUp, World
from localcloud.stacks import LocalStack

pytestmark = pytest.mark.long  # with their waits they take a minute together

LABEL = "org.opencontainers.image.version=9"


@pytest.fixture(scope="module")
def stage(bring_up: BringUp) -> LocalStack:
    return bring_up("stage")


@pytest.fixture(scope="module")
def digest(world: World, stage: LocalStack) -> str:
    return str(json.loads(world.teal("image", "build", "stage", "--label", LABEL, "--json"))["digest"])


def test_the_same_source_and_labels_have_the_same_digest(world: World, digest: str) -> None:
    assert re.fullmatch("sha256:[0-9a-f]{64}", digest)
    assert world.teal("image", "build", "stage", "--label", LABEL).strip() == digest
    assert world.teal("image", "build", "stage").strip() != digest


def test_an_image_by_digest_becomes_the_first_one(world: World, stage: LocalStack, digest: str) -> None:
    shown = json.loads(world.teal("local", "up", "stage", "--image", digest, "--json"))
    with httpx.Client(verify=False, timeout=10, trust_env=False) as client:  # noqa: S501  # the cloud's own certificate
        told = client.get(f"{shown['url']}/version").raise_for_status().json()
    assert (told["digest"], told["version"]) == (digest, "9")
    stage.preview(refresh=True, expect_no_changes=True)


def test_a_second_first_image_is_refused(world: World, stage: LocalStack, digest: str) -> None:
    with pytest.raises(AssertionError, match=f"stage serves {digest} already"):
        world.teal("local", "up", "stage", "--image", "sha256:" + "0" * 64)
    assert json.loads(world.teal("local", "up", "stage", "--image", digest, "--json"))["exports"]["isReleased"]
