"""Two versions whose static files differ, in the middle of a release: each page finds its own, whoever is asked."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from engine.world import PROJECT, World, running_world, within
from localcloud.images.packing import pack
from localcloud.images.registry import push
from toolchain import Toolchain

ASKED = 24
"""Times that each file is asked for: at even weights not one of 10 million runs meets one colour alone."""
BAKE = "1m"
"""As long it stays in the middle, and as long it is watched after it was taken back."""
LINK = re.compile(r'(?:href|src)="(/assets/[^"]+)"')
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def other_version(world: World, folder: Path) -> str:
    """The digest of the app with one file changed, one added and one gone."""
    source = folder / "app"
    shutil.copytree(PROJECT / "app", source, ignore=shutil.ignore_patterns("__pycache__"))
    with (source / "static" / "page.css").open("a") as style:
        style.write("\nbody { letter-spacing: 0.01em; }\n")
    (source / "static" / "icon.svg").rename(source / "static" / "sign.svg")
    (source / "static" / "more.css").write_text("main { outline: 0; }\n")
    page = source / "templates" / "page.html"
    text = page.read_text().replace("icon.svg", "sign.svg")
    page.write_text(text.replace("</head>", """<link rel="stylesheet" href="{{ asset('more.css') }}"></head>"""))
    [repository] = world.aws("ecr").describe_repositories()["repositories"]
    return push(world.aws("ecr"), repository["repositoryName"], pack(source, {}), "other")


@contextmanager
def at_half(world: World, url: str, digest: str) -> Iterator[None]:
    """The block runs in the middle of a release, which is taken back afterwards."""
    words = ("release", "start", "dev", "--image", digest, "--steps", "50,100", "--bake", BAKE)
    variables = {**os.environ, "TEAL_HOME": str(world.home.root), "TEAL_TOOLCHAIN": "build"}
    running = subprocess.Popen(
        [Path(sys.executable).with_name("teal"), *words],
        cwd=PROJECT, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        within(180, lambda: digest in DIGEST.findall(get(url, "/").text))
        yield
        world.teal("release", "rollback", "dev", "--reason", "seen")
        assert running.wait(120) == 7
    finally:
        if running.poll() is None:
            running.kill()
            running.wait(10)


def get(url: str, path: str) -> httpx.Response:
    """An answer, as a browser without cookies gets it."""
    return httpx.get(f"{url}{path}", timeout=10, trust_env=False, follow_redirects=True)


def pages(url: str) -> dict[str, str]:
    """By digest, the page of each version that answers."""
    texts = [get(url, "/").text for _ in range(ASKED)]
    return {DIGEST.findall(text)[0]: text for text in texts}


def answers(url: str, path: str) -> set[tuple[int, str]]:
    """Status, and the first digits of the content's hash, of every answer."""
    found = [get(url, path) for _ in range(ASKED)]
    return {(answer.status_code, hashlib.sha256(answer.content).hexdigest()[:12]) for answer in found}


@pytest.mark.long
def test_every_file_of_either_page_is_answered_by_whoever_is_asked(engine: Toolchain, tmp_path: Path) -> None:
    with running_world(tmp_path / "home", engine) as world:
        url = world.teal("local", "up", "dev").strip()
        [(first, old)] = pages(url).items()
        digest = other_version(world, tmp_path)
        with at_half(world, url, digest):
            both = pages(url)
            assert both.keys() == {first, digest}
            links = {page: set(LINK.findall(text)) for page, text in both.items()}
            assert (len(links[first]), len(links[digest])) == (2, 3)
            assert not links[first] & links[digest], "the versions share a file, which would show nothing"
            for path in links[first] | links[digest]:
                assert answers(url, path) == {(200, path.split(".")[-2])}, path
        within(60, lambda: pages(url).keys() == {first})
        for path in links[first]:
            assert answers(url, path) == {(200, path.split(".")[-2])}, path
        changed = next(path for path in links[digest] if "page." in path)
        ours = next(path for path in LINK.findall(old) if "page." in path)
        assert answers(url, changed) == {(200, ours.split(".")[-2])}, "a page of a version that is gone"
        world.teal("local", "preview", "dev", "--refresh", "--expect-no-changes")
