"""An image that is unpacked already, and a driver."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from localcloud.images.cache import UnpackedImage
from localcloud.images.oci import ImageConfig
from localcloud.images.reference import ImageReference
from localcloud.instances.container import ContainerSpec
from localcloud.instances.driver import Launch
from localcloud.instances.process import ProcessDriver, ProcessInstance

DIGEST = "sha256:" + "0a" * 32
ProcessLaunch = Launch[UnpackedImage]
MakeLaunch = Callable[..., ProcessLaunch]
Start = Callable[[ProcessLaunch], ProcessInstance]


@pytest.fixture
def make_launch(tmp_path: Path) -> MakeLaunch:
    """A launch of Python code, of words, or of the sample app."""

    def make(*words: str, address: str = "127.16.0.9", rootfs: Path | None = None, **environment: str) -> ProcessLaunch:
        if rootfs is None:
            rootfs = tmp_path / "rootfs"
            (rootfs / "srv" / "app").mkdir(parents=True, exist_ok=True)
        config = ImageConfig(command=words, working_directory="/srv/app", labels={}, environment={})
        return Launch(
            instance_id="i-0123456789abcdef0",
            address=address,
            zone="eu-west-1b",
            spec=ContainerSpec(
                image=ImageReference("r", "t", DIGEST), port=8080, colour="green", environment=environment
            ),
            image=UnpackedImage(digest=DIGEST, rootfs=rootfs, config=config),
            folder=tmp_path / "instance",
            log=tmp_path / "logs" / "instance.log",
        )

    return make


@pytest.fixture
def start() -> Iterator[Start]:
    driver = ProcessDriver()
    started: list[ProcessInstance] = []

    def begin(launch: ProcessLaunch) -> ProcessInstance:
        started.append(driver.start(launch))
        return started[-1]

    yield begin
    for instance in started:
        instance.stop(timedelta())
    driver.close()
