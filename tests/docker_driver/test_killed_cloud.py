"""A cloud that is killed leaves containers; the next one clears them away, and nobody else's."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from cli.aws import client as aws_client
from docker_world import REGION, Engine, kill, started, within
from localcloud.environment import stack_environment
from localcloud.home import CloudRecord, Home
from localcloud.images.oci import Image
from localcloud.images.packing import pack
from localcloud.images.registry import push
from localcloud.launch import stop
from localcloud.status import plane_status
from scaling_world import INSTANCES, run_instances
from scripts.build_image import ROOT

RUNNING_SECONDS = 60.0


@pytest.fixture
def home(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    made = Home(tmp_path_factory.mktemp("killed") / "home")
    yield made
    stop(made)


def run_image(record: CloudRecord, home: Home, image: Image) -> None:
    """Two instances of an image."""
    variables = stack_environment(record, home, REGION)
    ecr, ec2, scaling = (aws_client(name, variables) for name in ("ecr", "ec2", "autoscaling"))
    repository = ecr.create_repository(repositoryName="app")["repository"]["repositoryUri"]
    run_instances(ec2, scaling, f"{repository}@{push(ecr, 'app', image, 'one')}")


def states(record: CloudRecord) -> list[str]:
    return [instance.state for instance in plane_status(record).instances]


def test_a_killed_clouds_containers_are_cleared_away_by_the_next_one(
    engine: Engine, home: Home, images: Mapping[str, Image], stranger: str
) -> None:
    record = started(home)
    run_image(record, home, images["app"])
    within(RUNNING_SECONDS, lambda: states(record) == ["running"] * INSTANCES, "instances run")
    kill(record)
    left = engine.of_cloud(record.mark)
    assert len(left) == INSTANCES
    assert all(engine.inspect(container)["State"]["Running"] for container in left)
    after = started(home)
    assert after.mark != record.mark
    assert engine.of_cloud(record.mark) == []
    assert record.registry not in engine.run("images", "--digests")
    networks = engine.run("network", "ls", "--format", "{{.Name}}").split()
    assert f"teal-{record.mark}" not in networks
    assert f"teal-{after.mark}" in networks
    assert engine.inspect(stranger)["Id"] == stranger


def test_an_image_that_was_packed_without_docker_is_refused_in_one_line(engine: Engine, home: Home) -> None:
    record = started(home)
    run_image(record, home, pack(ROOT / "app", {}))

    def reasons() -> set[str]:
        return {instance.reason for instance in plane_status(record).instances}

    def are_told() -> Any:
        return reasons() and all("was packed without Docker" in reason for reason in reasons())

    within(RUNNING_SECONDS, are_told, "the instances say why they do not start")
    assert engine.of_cloud(record.mark) == []
