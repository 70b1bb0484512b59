"""Machines that boot for real. Where none can, nothing here is run, and the report says why."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from boot.cloud import LOG_GROUP, REGISTRY_PORT, VOLUME
from boot.image import Image, image
from boot.machine import Machine, booted, why_not
from boot.root import debian_root
from components.boot.user_data import Container, user_data

CACHE = Path(os.environ.get("TEAL_BOOT_ROOTS", "/var/tmp/teal-boot-roots"))
"""Debian roots, kept from one run to the next."""


@pytest.fixture(scope="session")
def roots() -> Path:
    if why := why_not():
        pytest.skip(f"not run, so nothing is known of the boot: {why}")
    return CACHE


@pytest.fixture(scope="session")
def root(roots: Path) -> Path:
    return debian_root(roots)


@pytest.fixture(scope="session")
def built(root: Path) -> Image:
    return image(root / "bin/busybox")


def told(built: Image, *, is_released: bool = True, is_baked: bool = False, has_volume: bool = False) -> str:
    """The very user data that a Fleet gives its instances, of our registry's image."""
    name = f"127.0.0.1:{REGISTRY_PORT}/shop@{built.digest}" if is_released else ""
    arn = f"arn:aws:ec2:eu-west-1:123456789012:volume/{VOLUME}" if has_volume else ""
    container = Container(image=name, port=8080, colour="blue", environment={"MOOD": "calm"}, volume_arn=arn)
    return user_data(container, LOG_GROUP, is_baked=is_baked)


@pytest.fixture(scope="module")
def machine(root: Path, built: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with booted(tmp_path_factory.mktemp("machine"), root, told(built), built) as machine:
        yield machine
