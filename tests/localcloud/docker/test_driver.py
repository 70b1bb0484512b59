"""The driver with an engine that only notes what it is told. A real one: tests/docker_driver."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from localcloud.docker import driver as module
from localcloud.docker.driver import ContainerInstance, DockerDriver, EngineImage
from localcloud.docker.engine import Box, Engine
from localcloud.docker.errors import DockerError
from localcloud.images.errors import ImageError
from localcloud.images.oci import Image, image_of
from localcloud.images.packing import pack
from localcloud.images.reference import ImageReference
from localcloud.instances.container import ContainerSpec
from localcloud.instances.driver import DataFolder, Driver, Launch, Running

DIGEST = f"sha256:{'0a' * 32}"
REGISTRY = "127.0.0.1:4000"
HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
NAME = f"{REGISTRY}/123456789012/eu-west-1/web@{DIGEST}"
SECONDS = 5.0
GRACE = timedelta(seconds=2.5)
BUILT = image_of(b'{"history": [{"created_by": "RUN make"}]}', (b"layer",))


class FakeEngine:
    """Containers that end when they are told to."""

    processors = 2

    def __init__(self) -> None:
        self.told: list[object] = []
        self.boxes: list[Box] = []
        self.images: dict[str, Any] = {}
        self.to_pull: dict[str, Any] = {"Config": {"User": "10001:10001", "Labels": None}}
        self.refuses = ""
        self.may_create, self.ended = threading.Event(), threading.Event()
        self.may_create.set()
        self.status = 0

    def make_network(self) -> None:
        self.told.append("network")

    def image(self, name: str) -> Mapping[str, Any] | None:
        return self.images.get(name)

    def pull(self, name: str) -> None:
        self.told.append(("pull", name))
        self.images[name] = self.to_pull

    def create(self, box: Box) -> str:
        assert self.may_create.wait(SECONDS)
        if self.refuses:
            raise DockerError(self.refuses)
        self.boxes.append(box)
        return f"c{len(self.boxes)}"

    def start(self, container: str) -> int:
        return 4711

    def follow(self, container: str, log: Path) -> None:
        log.write_text("started\n")
        assert self.ended.wait(SECONDS)

    def wait(self, container: str) -> int:
        return self.status

    def stop(self, container: str, grace_seconds: int) -> None:
        self.told.append(("stop", container, grace_seconds))
        self.ended.set()

    def remove(self, container: str) -> None:
        self.told.append(("remove", container))

    def clear(self, registry: str) -> None:
        self.told.append(("clear", registry))

    def close(self) -> None:
        self.told.append("close")


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def driver(engine: FakeEngine) -> DockerDriver:
    return DockerDriver(cast(Engine, engine), REGISTRY)


@pytest.fixture
def launch(tmp_path: Path) -> Launch[EngineImage]:
    return Launch(
        instance_id="i-1",
        address="127.16.1.2",
        zone="eu-west-1a",
        spec=ContainerSpec(
            image=ImageReference(HOST, "web", DIGEST),
            port=8080,
            colour="green",
            environment={"A": "b", "TEAL_ZONE": "x"},
        ),
        image=EngineImage(name=NAME, digest=DIGEST, version="7"),
        folder=tmp_path / "i-1",
        log=tmp_path / "i-1" / "instance.log",
        instance_type="t4g.small",
        secrets={"API_KEY": "s3cr3t"},
    )


def stored(monkeypatch: pytest.MonkeyPatch, image: Image) -> None:
    """Puts an image into ECR."""
    monkeypatch.setattr(module, "fetch_manifest", lambda *_: image.manifest)
    monkeypatch.setattr(module, "fetch_blob", lambda *_: image.config)


def reference(registry: str = HOST) -> ImageReference:
    return ImageReference(registry, "web", DIGEST)


def wait_for(what: Callable[[], bool]) -> None:
    ended = threading.Event()
    for _ in range(500):
        if what():
            return
        ended.wait(0.01)
    pytest.fail("it did not happen in time")


def test_it_is_a_driver(driver: DockerDriver) -> None:
    one: Driver[EngineImage] = driver
    running: type[Running] = ContainerInstance
    assert one
    assert running


def test_an_image_is_pulled_by_its_digest_once(
    driver: DockerDriver, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(monkeypatch, BUILT)
    engine.to_pull["Config"]["Labels"] = {"org.opencontainers.image.version": "7"}
    assert driver.pull(None, reference()) == EngineImage(name=NAME, digest=DIGEST, version="7")
    assert driver.pull(None, reference()).version == "7"
    assert engine.told == ["network", ("pull", NAME)]


def test_an_image_packed_without_docker_is_refused_before_it_is_pulled(
    driver: DockerDriver, engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Procfile").write_text("web: serve\n")
    stored(monkeypatch, pack(tmp_path, {}))
    with pytest.raises(ImageError, match="was packed without Docker and needs the Python of a machine"):
        driver.pull(None, reference())
    assert engine.told == ["network"]


@pytest.mark.parametrize("user", [None, "", "root", "0", "0:10001"])
def test_an_image_that_runs_as_root_is_refused(
    driver: DockerDriver, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, user: str | None
) -> None:
    stored(monkeypatch, BUILT)
    engine.to_pull["Config"]["User"] = user
    with pytest.raises(ImageError, match=f"{DIGEST} runs as root: give its Dockerfile a USER"):
        driver.pull(None, reference())


def test_another_registry_is_refused(driver: DockerDriver) -> None:
    with pytest.raises(ImageError, match="is in no registry of ECR"):
        driver.pull(None, reference("registry.example"))


def test_a_container_is_the_instance_that_was_asked_for(
    driver: DockerDriver, engine: FakeEngine, launch: Launch[EngineImage]
) -> None:
    instance = driver.start(launch)
    wait_for(lambda: instance.pid == 4711)
    [box] = engine.boxes
    assert (box.image, box.address, box.port) == (NAME, "127.16.1.2", 8080)
    assert (box.size.processors, box.size.memory_bytes) == (2.0, 512 * 1024 * 1024)
    assert box.labels == {"teal.instance": "i-1", "teal.colour": "green"}
    assert box.environment == {
        "A": "b", "API_KEY": "s3cr3t", "TEAL_COLOUR": "green", "TEAL_DIGEST": DIGEST, "TEAL_INSTANCE": "i-1",
        "TEAL_VERSION": "7", "TEAL_ZONE": "eu-west-1a",
    }  # fmt: skip
    assert "s3cr3t" not in repr(box) + repr(launch)
    assert instance.container == box.name
    assert instance.is_alive()
    engine.status = 137
    assert instance.stop(GRACE) == -9
    assert instance.stop(GRACE) == -9
    assert not instance.is_alive()
    assert engine.told == ["network", ("stop", "c1", 3), ("remove", "c1")]


def test_a_container_that_ends_by_itself_is_noticed(
    driver: DockerDriver, engine: FakeEngine, launch: Launch[EngineImage]
) -> None:
    instance = driver.start(launch)
    engine.status = 1
    engine.ended.set()
    wait_for(lambda: not instance.is_alive())
    assert instance.stop(GRACE) == 1
    assert engine.told[-1] == ("remove", "c1")


def test_what_docker_refuses_is_the_instances_last_word(
    driver: DockerDriver, engine: FakeEngine, launch: Launch[EngineImage]
) -> None:
    engine.refuses = "making the container failed: no space left on device"
    instance = driver.start(launch)
    wait_for(lambda: not instance.is_alive())
    assert launch.log.read_text() == "making the container failed: no space left on device\n"
    assert instance.stop(GRACE) != 0
    assert engine.told == ["network"]


def test_a_stop_waits_for_a_container_that_is_being_made(
    driver: DockerDriver, engine: FakeEngine, launch: Launch[EngineImage]
) -> None:
    engine.may_create.clear()
    instance = driver.start(launch)
    assert instance.is_alive()
    threading.Timer(0.1, engine.may_create.set).start()
    assert instance.stop(GRACE) == 0
    assert engine.told == ["network", ("stop", "c1", 3), ("remove", "c1")]


def test_the_end_of_the_driver_leaves_nothing(driver: DockerDriver, engine: FakeEngine) -> None:
    driver.close()
    assert engine.told == ["network", ("clear", REGISTRY), "close"]


def test_a_data_volume_is_mounted_where_a_server_has_it(
    driver: DockerDriver, engine: FakeEngine, launch: Launch[EngineImage], tmp_path: Path
) -> None:
    driver.start(replace(launch, data=DataFolder(tmp_path / "vol-01", 77)))
    driver.start(launch)
    wait_for(lambda: len(engine.boxes) == 2)
    having, plain = sorted(engine.boxes, key=lambda box: box.data is None)
    assert (having.data, having.environment["TEAL_DATA"]) == (tmp_path / "vol-01", "/data")
    assert (plain.data, "TEAL_DATA" in plain.environment) == (None, False)
    engine.ended.set()
