"""Sticky sessions and a rollback, in a real release: whoever stuck to the bad image is back with the other at once."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from engine.test_release_hooks import Site
from engine.world import copy_project, running_world, within
from toolchain import Toolchain

VISITORS, ASKED = 24, 5
COOKIE = "AWSALBTG"


@pytest.fixture
def site(engine: Toolchain, tmp_path: Path) -> Iterator[Site]:
    project = copy_project(tmp_path / "project", "dev", "dev", stickySeconds=300)
    with running_world(tmp_path / "home", engine):
        yield Site(project, tmp_path / "home")


def status(site: Site) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(site.teal("release", "status", "dev", "--json").stdout)
    return found


def answers(visitor: httpx.Client) -> list[str]:
    """The images that a visitor met, in order; a failed request fails the test."""
    return [visitor.get("/version").raise_for_status().json()["digest"] for _ in range(ASKED)]


@pytest.mark.long
def test_visitors_who_stick_to_the_bad_image_are_taken_back_with_the_release(site: Site) -> None:
    up = site.teal("local", "up", "dev")
    assert up.returncode == 0, up.stderr
    url = up.stdout.strip()
    good = status(site)["colours"]["blue"]["digest"]
    bad = site.teal("image", "build", "dev", "--label", "org.opencontainers.image.version=2").stdout.strip()
    words = ["release", "start", "dev", "--image", bad, "--steps", "50,100", "--bake", "3m"]
    running = subprocess.Popen(
        [Path(sys.executable).with_name("teal"), *words],
        cwd=site.project,
        env=site.variables,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        with ExitStack() as leaving:
            visitors = [
                leaving.enter_context(httpx.Client(base_url=url, timeout=10, trust_env=False)) for _ in range(VISITORS)
            ]
            within(60, lambda: {httpx.get(f"{url}/version", trust_env=False).json()["digest"]} == {bad})
            met = [set(answers(visitor)) for visitor in visitors]
            assert all(len(images) == 1 for images in met), "a visitor met both images: nobody sticks"
            stuck = [visitor for visitor, images in zip(visitors, met, strict=True) if images == {bad}]
            assert 0 < len(stuck) < VISITORS
            assert all(COOKIE in visitor.cookies for visitor in visitors)
            back = site.teal("release", "rollback", "dev", "--reason", "it is bad")
            assert back.returncode == 0, back.stderr
            assert {image for visitor in visitors for image in answers(visitor)} == {good}
        assert running.wait(60) == 7
    finally:
        if running.poll() is None:
            running.kill()
            running.wait(10)
