"""The image runner with a driver that only notes what it is told."""

import base64
import json
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from localcloud.dataplane import image_runner as image_runner_module
from localcloud.dataplane.image_runner import ImageRunner, ReadyInstance, RunningImage
from localcloud.dataplane.leases import Leases
from localcloud.dataplane.runner import Birth, CannotStart
from localcloud.images.cache import UnpackedImage
from localcloud.images.errors import ImageError
from localcloud.images.reference import ImageReference
from localcloud.instances.driver import Launch, Running
from localcloud.instances.errors import InstanceError
from localcloud.volumes import Volumes

DIGEST = f"sha256:{'0' * 64}"
IMAGE = cast(UnpackedImage, type("Image", (), {"digest": DIGEST}))


class FakeDriver:
    def __init__(self) -> None:
        self.launches: list[Launch[UnpackedImage]] = []
        self.problem: Exception | None = None
        self.running = cast(Running, None)

    def start(self, launch: Launch[UnpackedImage]) -> Running:
        if self.problem:
            raise self.problem
        self.launches.append(launch)
        return self.running

    def close(self) -> None:
        pass


class FakeSsm:
    """Gives at most ten parameters a call, as SSM does."""

    def __init__(self, **held: str) -> None:
        self.held = held

    def get_parameters(self, *, Names: list[str], WithDecryption: bool) -> dict[str, Any]:  # noqa: N803  # boto3's
        assert len(Names) <= 10
        assert WithDecryption
        found = [{"Name": name, "Value": self.held[name[1:]]} for name in Names if name[1:] in self.held]
        return {"Parameters": found, "InvalidParameters": []}


def birth(instance_id: str = "i-1", image: str = f"registry.example/web@{DIGEST}", **more: Any) -> Birth:
    container = {"image": image, "port": 8080, "colour": "green", "environment": {"A": "b"}, **more}
    files = {"write_files": [{"path": "/etc/teal/container.json", "content": json.dumps(container)}]}
    user_data = base64.b64encode(f"#cloud-config\n{json.dumps(files)}".encode()).decode()
    return Birth(instance_id, "eu-west-1", "eu-west-1a", "10.0.1.23", user_data)


@pytest.fixture
def driver() -> FakeDriver:
    return FakeDriver()


@pytest.fixture
def runner(driver: FakeDriver, tmp_path: Path) -> ImageRunner[UnpackedImage]:
    def pull(_: object, reference: ImageReference) -> UnpackedImage:
        if reference.repository == "missing":
            raise ImageError("web has no such image")
        return IMAGE

    leases = Leases(Volumes(tmp_path / "volumes", tmp_path / "snapshots"), "http://127.0.0.1:1")
    return ImageRunner(driver, "http://127.0.0.1:1", pull, tmp_path / "instances", leases)


def test_what_the_user_data_names_is_started_on_an_address_of_its_own(
    runner: ImageRunner[UnpackedImage], driver: FakeDriver
) -> None:
    lives = []
    for name in ("i-1", "i-2"):
        prepared = runner.prepare(birth(name))
        assert isinstance(prepared, ReadyInstance)
        assert (prepared.port, prepared.colour, prepared.digest) == (8080, "green", DIGEST)
        lives.append(prepared.start())
    assert [life.address for life in lives] == ["127.16.1.23", "127.16.1.24"]
    assert [(launch.zone, launch.spec.environment) for launch in driver.launches] == [("eu-west-1a", {"A": "b"})] * 2


def test_an_address_is_kept_over_restarts_and_given_back_at_the_end(runner: ImageRunner[UnpackedImage]) -> None:
    prepared = runner.prepare(birth())
    assert isinstance(prepared, ReadyInstance)
    assert prepared.start().address == prepared.start().address == "127.16.1.23"
    runner.forget("i-1")
    other = runner.prepare(birth("i-2"))
    assert isinstance(other, ReadyInstance)
    assert other.start().address == "127.16.1.23"


def test_secrets_come_from_ssm_and_are_shown_by_nothing(
    runner: ImageRunner[UnpackedImage], driver: FakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    ssm = FakeSsm(**{f"k{number}": f"hunter{number}" for number in range(12)})
    monkeypatch.setattr(image_runner_module, "api_client", lambda *_: ssm)
    prepared = runner.prepare(birth(secrets=[[f"KEY_{number}", f"/k{number}"] for number in range(12)]))
    assert isinstance(prepared, ReadyInstance)
    prepared.start()
    [launch] = driver.launches
    assert launch.secrets == {f"KEY_{number}": f"hunter{number}" for number in range(12)}
    assert "hunter" not in repr(prepared) + repr(launch)
    assert "hunter" not in str(launch.spec)


@pytest.mark.parametrize(
    ("held", "told"),
    [({}, "these secrets are not in SSM: /k$"), ({"k": "hunter\0two"}, "the secret KEY holds a zero byte$")],
)
def test_a_secret_that_can_not_be_handed_over_is_told_without_its_value(
    runner: ImageRunner[UnpackedImage], monkeypatch: pytest.MonkeyPatch, held: dict[str, str], told: str
) -> None:
    monkeypatch.setattr(image_runner_module, "api_client", lambda *_: FakeSsm(**held))
    with pytest.raises(CannotStart, match=told) as caught:
        runner.prepare(birth(secrets=[["KEY", "/k"]]))
    assert "hunter" not in str(caught.value)


def test_an_empty_image_is_nothing_to_run(runner: ImageRunner[UnpackedImage]) -> None:
    assert runner.prepare(birth(image="")) is None


def test_bad_user_data_is_told(runner: ImageRunner[UnpackedImage]) -> None:
    with pytest.raises(CannotStart, match="image in"):
        runner.prepare(birth(image="registry.example/web:latest"))


def test_a_missing_image_is_told(runner: ImageRunner[UnpackedImage]) -> None:
    with pytest.raises(CannotStart, match="web has no such image"):
        runner.prepare(birth(image=f"registry.example/missing@{DIGEST}"))


def test_a_driver_that_cannot_start_it_is_told(runner: ImageRunner[UnpackedImage], driver: FakeDriver) -> None:
    prepared = runner.prepare(birth())
    assert isinstance(prepared, ReadyInstance)
    driver.problem = InstanceError("no folder to run in")
    with pytest.raises(CannotStart, match="no folder to run in"):
        prepared.start()


def test_last_words_are_the_last_line_that_says_anything(tmp_path: Path) -> None:
    life = RunningImage("127.16.0.1", cast(Running, None), tmp_path / "instance.log")
    assert life.last_words() == ""
    life.log.write_text("started\nout of memory\n\n")
    assert life.last_words() == "out of memory"


class FakeLease:
    def __init__(self, folder: Path) -> None:
        self.folder, self.handle, self.released = folder, 77, 0

    def release(self) -> None:
        self.released += 1


@pytest.fixture
def lease(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeLease:
    made = FakeLease(tmp_path / "vol-01")
    monkeypatch.setattr(Leases, "take", lambda _, birth, volume_id: made)
    return made


def test_a_data_volume_is_taken_before_the_start_and_let_go_after_the_end(
    runner: ImageRunner[UnpackedImage], driver: FakeDriver, lease: FakeLease
) -> None:
    ended: list[int] = []
    running = type("Running", (), {"stop": lambda *_: ended.append(lease.released)})()
    prepared = runner.prepare(birth(volume={"id": "vol-01"}))
    assert isinstance(prepared, ReadyInstance)
    driver.running = cast(Running, running)
    life = prepared.start()
    [launch] = driver.launches
    assert launch.data is not None
    assert (launch.data.path, launch.data.lock) == (lease.folder, 77)
    life.stop(timedelta())
    assert (ended, lease.released) == ([0], 1)


def test_a_start_that_fails_lets_the_data_volume_go(
    runner: ImageRunner[UnpackedImage], driver: FakeDriver, lease: FakeLease
) -> None:
    prepared = runner.prepare(birth(volume={"id": "vol-01"}))
    assert isinstance(prepared, ReadyInstance)
    driver.problem = InstanceError("no folder to run in")
    with pytest.raises(CannotStart):
        prepared.start()
    assert lease.released == 1


def test_one_that_does_not_end_keeps_its_data_volume(
    runner: ImageRunner[UnpackedImage], driver: FakeDriver, lease: FakeLease
) -> None:
    def stop(*_: object) -> int:
        raise InstanceError("it does not end")

    prepared = runner.prepare(birth(volume={"id": "vol-01"}))
    assert isinstance(prepared, ReadyInstance)
    driver.running = cast(Running, type("Running", (), {"stop": stop})())
    with pytest.raises(InstanceError):
        prepared.start().stop(timedelta())
    assert lease.released == 0


def test_without_a_data_volume_none_is_asked_for(runner: ImageRunner[UnpackedImage], driver: FakeDriver) -> None:
    prepared = runner.prepare(birth())
    assert isinstance(prepared, ReadyInstance)
    prepared.start()
    assert driver.launches[0].data is None
