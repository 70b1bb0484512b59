"""A cloud that is killed leaves services, which Swarm keeps running; they are cleared away, and nobody else's."""

from collections.abc import Iterator, Mapping
from contextlib import closing

import pytest

from docker_world import Engine, kill, started, within
from localcloud.docker import engine as engine_module
from localcloud.docker.services import Services
from localcloud.home import Home
from localcloud.images.oci import Image
from localcloud.launch import stop

RUNNING_SECONDS = 60.0
TASKS = 2


@pytest.fixture
def home(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    made = Home(tmp_path_factory.mktemp("killed") / "home")
    yield made
    stop(made)


def run_service(mark: str) -> None:
    """A service on a network of its own, labelled as a cloud labels them."""
    labels = {"teal.cloud": mark}
    with closing(engine_module.Engine(mark)) as engine:
        services = Services(engine)
        network = services.create_network(f"left-{mark}", {"encrypted": "true"}, {}, Attachable=False, Internal=False)
        template = {
            "ContainerSpec": {"Image": "teal-test:app", "Labels": labels, "ReadOnly": True},
            "Networks": [{"Target": network}],
        }
        mode = {"Replicated": {"Replicas": TASKS}}
        services.create({"Name": f"left-{mark}", "Labels": labels, "TaskTemplate": template, "Mode": mode})


def left(engine: Engine, kind: str, mark: str) -> list[str]:
    return engine.run(kind, "ls", "--quiet", "--filter", f"label=teal.cloud={mark}").split()


@pytest.mark.parametrize("cleared_by", ["the next cloud", "down"])
def test_a_killed_clouds_services_are_cleared_away(
    engine: Engine, home: Home, images: Mapping[str, Image], stranger: str, cleared_by: str
) -> None:
    record = started(home)
    run_service(record.mark)
    within(RUNNING_SECONDS, lambda: len(engine.of_cloud(record.mark)) == TASKS, "tasks run")
    kill(record)
    assert left(engine, "service", record.mark)
    assert len(engine.of_cloud(record.mark)) == TASKS
    if cleared_by == "down":
        stop(home)
    else:
        assert started(home).mark != record.mark
    assert left(engine, "service", record.mark) == []
    assert left(engine, "network", record.mark) == []
    assert engine.of_cloud(record.mark) == []
    assert engine.inspect(stranger)["ID"] == stranger
