"""A data volume with the docker driver: a folder that one container at a time has, and what it counts outlives it."""

import json
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from docker_world import Engine, Up, dev_up, kill, teal, within
from engine.world import copy_project
from localcloud.home import Home
from localcloud.images.oci import Image

WITH_VOLUME = {"dataVolumeGib": 8, "instances": 1, "maxInstances": 1}
BACK_SECONDS = 20.0


def count(dev: Up) -> int:
    """One more; the number that it is then."""
    asked = urllib.request.Request(f"{dev.url}/counter", method="POST")
    with urllib.request.urlopen(asked, timeout=5) as answer:
        return int(json.load(answer)["count"])


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_project(tmp_path_factory.mktemp("copies") / "teal", "dev", "dev", **WITH_VOLUME)


@pytest.fixture(scope="module")
def dev(
    engine: Engine, images: Mapping[str, Image], project: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Up]:
    with dev_up(Home(tmp_path_factory.mktemp("volume") / "home"), project) as up:
        yield up


def test_an_ordinary_user_writes_to_the_one_folder_that_is_not_read_only(dev: Up, engine: Engine) -> None:
    [instance] = dev.healthy()
    container = engine.inspect(engine.container(dev.home.running().mark, instance))
    [volume] = [path for path in dev.home.volumes.iterdir() if path.is_dir()]
    [mount] = [each for each in container["Mounts"] if each["Type"] == "bind"]
    assert (mount["Source"], mount["Destination"], mount["RW"]) == (str(volume), "/data", True)
    assert "TEAL_DATA=/data" in container["Config"]["Env"]
    assert (container["Config"]["User"], container["HostConfig"]["ReadonlyRootfs"]) == ("10001:10001", True)
    assert [count(dev), count(dev)] == [1, 2]
    assert (volume / "counter").read_text() == "2\n"
    assert (volume / "counter").stat().st_uid == 10001


def test_a_killed_container_is_replaced_by_one_that_counts_on(
    dev: Up, engine: Engine, record_property: Callable[[str, object], None]
) -> None:
    [before], last = dev.healthy(), count(dev)
    engine.run("kill", engine.container(dev.home.running().mark, before))
    killed = time.monotonic()
    within(BACK_SECONDS, lambda: dev.healthy() - {before}, "another one serves")
    assert count(dev) == last + 1
    record_property("a killed container with a data volume", f"counts on after {time.monotonic() - killed:.1f} s")


def test_a_killed_clouds_container_goes_before_the_next_cloud_gives_its_volume_to_another(
    dev: Up, project: Path, engine: Engine
) -> None:
    last, killed = count(dev), dev.home.running()
    kill(killed)
    assert engine.of_cloud(killed.mark), "containers outlive their cloud"
    done = teal(dev.home.root, "local", "up", "dev", "--driver", "docker", folder=project)
    assert done.returncode == 0, done.stderr
    assert engine.of_cloud(killed.mark) == []
    assert count(replace(dev, url=done.stdout.strip().splitlines()[-1])) == last + 1


def test_down_takes_the_volume_along(dev: Up) -> None:
    done = teal(dev.home.root, "local", "down")
    assert (done.returncode, done.stderr.splitlines()[-1]) == (0, "Removed: 1 data volume.")
    assert not dev.home.volumes.exists()
