"""The dev stack in a swarm, from `up` to `down`: each test goes on where the one before ended."""

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bench.cloud import Dev
from bench.samples import Sample
from cli.aws import client as aws_client
from config.stack_files import region_of
from docker_world import BACK_SECONDS, MIB, QUICK, RATE, WHO_AM_I, Engine, Record, Up, dev_up, teal, within
from engine.world import copy_project
from localcloud.environment import stack_environment
from localcloud.home import Home
from localcloud.images.oci import Image
from localcloud.images.registry import push
from scripts.build_image import ROOT

READY_SECONDS = 60.0


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our own project, its dev stack in a swarm."""
    return copy_project(tmp_path_factory.mktemp("project") / "teal", "dev", "dev", orchestrator="swarm")


@pytest.fixture(scope="module")
def dev(
    engine: Engine, images: Mapping[str, Image], project: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Up]:
    with dev_up(Home(tmp_path_factory.mktemp("cloud") / "home"), project) as up:
        yield up


def services(engine: Engine, mark: str) -> list[str]:
    """Ids of a cloud's services."""
    return engine.run("service", "ls", "--quiet", "--filter", f"label=teal.cloud={mark}").split()


def containers(dev: Up) -> dict[str, str]:
    """Container by task, of those that are healthy."""
    return {instance.id: instance.container for instance in dev.status().healthy}


def await_another(dev: Up, task: str) -> None:
    """Waits until two tasks serve, and this is none of them."""
    within(READY_SECONDS, lambda: len(dev.healthy() - {task}) == 2, "another one serves")


def failures(samples: list[Sample]) -> list[str]:
    """What went wrong."""
    return [f"{sample.kind}: {sample.problem}" for sample in samples if sample.is_failed]


def preview(dev: Up, project: Path) -> Mapping[str, Any]:
    """What a run after a look at the cloud would change, by operation."""
    done = teal(dev.home.root, "local", "preview", "dev", "--refresh", "--json", folder=project)
    assert done.returncode == 0, done.stderr
    told: Mapping[str, Any] = json.loads(done.stdout)
    return told


def test_it_serves_the_image_that_docker_built_by_one_digest_everywhere(
    dev: Up, engine: Engine, images: Mapping[str, Image], record_property: Record
) -> None:
    record_property("up, image and engine in their caches", f"{dev.seconds:.0f} s")
    digest = images["app"].digest
    told = dev.version()
    assert told["digest"] == digest
    assert told["instance"] in dev.healthy()
    assert {instance.digest for instance in dev.status().instances} == {digest}
    assert len({instance.zone for instance in dev.status().healthy}) == 2
    ledger = Dev(dev.home, dev.url).ledger.read()
    assert ledger.side(ledger.live).digest == digest
    for container in containers(dev).values():
        image = engine.inspect(container)["Config"]["Image"]
        assert image.endswith(f"@{digest}")
        assert image in engine.inspect(image)["RepoDigests"]


def test_a_task_may_do_little_and_is_published_nowhere(dev: Up, engine: Engine) -> None:
    for container in containers(dev).values():
        told = engine.inspect(container)
        limits = told["HostConfig"]
        assert limits["ReadonlyRootfs"]
        assert limits["CapDrop"] == ["ALL"]
        assert limits["CapAdd"] is None
        assert limits["Memory"] == 512 * MIB
        assert limits["PidsLimit"] == 512
        assert not limits["Privileged"]
        assert not limits["Binds"]
        assert {mount["Type"] for mount in limits["Mounts"]} == {"tmpfs"}
        assert told["Config"]["User"] == "10001:10001"
        assert not any(told["NetworkSettings"]["Ports"].values())
    for service in services(engine, dev.mark):
        assert "Ports" not in engine.inspect(service)["Endpoint"]
    [network] = engine.run(
        "network", "ls", "--quiet", "--filter", f"label=teal.cloud={dev.mark}", "--filter", "driver=overlay"
    ).split()
    assert "encrypted" in engine.inspect(network)["Options"]


def test_a_second_up_changes_nothing(dev: Up, project: Path) -> None:
    done = teal(dev.home.root, "local", "up", "dev", folder=project)
    assert done.returncode == 0, done.stderr
    assert "0 changed" in done.stderr
    assert preview(dev, project).keys() <= {"same"}


def test_replicas_changed_by_hand_are_found_and_put_right(dev: Up, engine: Engine, project: Path) -> None:
    [service] = services(engine, dev.mark)
    engine.run("service", "scale", "--detach", f"{service}=3")
    within(READY_SECONDS, lambda: len(dev.healthy()) == 3, "the third task serves")
    assert preview(dev, project)["update"] == 1
    engine.run("service", "scale", "--detach", f"{service}=2")
    within(READY_SECONDS, lambda: len(dev.healthy()) == 2, "two tasks serve")
    assert preview(dev, project).keys() <= {"same"}


def test_a_killed_container_is_back_within_ten_seconds(dev: Up, engine: Engine, record_property: Record) -> None:
    before = containers(dev)
    victim = min(before)
    engine.run("kill", before[victim])
    killed = time.monotonic()
    within(BACK_SECONDS, lambda: victim not in dev.healthy(), "the load balancer noticed")
    noticed = time.monotonic() - killed
    within(BACK_SECONDS, lambda: len(dev.healthy()) == len(before), "another one serves")
    seconds = time.monotonic() - killed
    record_property("killed container", f"noticed after {noticed:.1f} s, replaced and healthy after {seconds:.1f} s")
    assert seconds < BACK_SECONDS


def test_everyday_work_reaches_into_a_task(dev: Up, project: Path) -> None:
    task = min(dev.healthy())

    def run(*words: str) -> str:
        done = teal(dev.home.root, "containers", *words, folder=project)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert run("exec", "dev", task, "/usr/bin/python3.11", "-c", WHO_AM_I).split() == ["10001", task]
    rows = {row["id"]: row for row in json.loads(run("ps", "dev", "--json"))["containers"]}
    assert (rows[task]["role"], rows[task]["container"], rows[task]["health"]) == ("live", "running", "healthy")
    assert "Starting gunicorn" in run("logs", "dev", task)
    assert task in run("stats", "dev", "--json")
    assert rows[task]["worker"].startswith("i-")
    assert task in run("stats", "dev", rows[task]["worker"])
    done = teal(dev.home.root, "release", "status", "dev", "--json", folder=project)
    assert [(each["instance"], each["act"]) for each in json.loads(done.stdout)["touched"]] == [(task, "exec")]
    for word in ("stop", "kill"):
        task = min(dev.healthy())
        assert "Swarm starts another" in run(word, "dev", task)
        await_another(dev, task)


def test_a_release_under_load_and_its_rollback_fail_no_request(
    dev: Up, images: Mapping[str, Image], project: Path, record_property: Record
) -> None:
    ecr = aws_client("ecr", stack_environment(dev.home.running(), dev.home, region_of(ROOT, "dev")))
    [repository] = ecr.describe_repositories()["repositories"]
    for name in ("one", "two"):
        push(ecr, repository["repositoryName"], images[name], f"test-{name}")

    def release(*words: str) -> float:
        began = time.monotonic()
        done = teal(dev.home.root, "release", *words, folder=project)
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return time.monotonic() - began

    release("start", "dev", "--image", images["one"].digest, *QUICK)
    with Dev(dev.home, dev.url).load(RATE) as load:
        time.sleep(5)
        forth = release("start", "dev", "--image", images["two"].digest, *QUICK)
        assert dev.version()["digest"] == images["two"].digest
        back = release("rollback", "dev", "--bake", "2s", "--keep-warm", "2s")
        time.sleep(5)
        samples = list(load.end())
    failed = failures(samples)
    answers = Counter(sample.digest for sample in samples if sample.digest)
    record_property(
        "release and rollback under load",
        f"{len(samples)} requests at {RATE:g} a second, {len(failed)} failed; {forth:.0f} s there, {back:.0f} s back",
    )
    assert failed == []
    assert set(answers) == {images["one"].digest, images["two"].digest}
    assert dev.version()["digest"] == images["one"].digest
    ledger = Dev(dev.home, dev.url).ledger.read()
    assert ledger.side(ledger.live).digest == images["one"].digest
    assert preview(dev, project).keys() <= {"same"}


def test_a_task_that_is_stopped_under_load_fails_no_request(dev: Up, project: Path) -> None:
    task = min(dev.healthy())
    with Dev(dev.home, dev.url).load(RATE) as load:
        time.sleep(1)
        done = teal(dev.home.root, "containers", "stop", "dev", task, "--wait", folder=project)
        samples = list(load.end())
    assert done.returncode == 0, done.stderr
    assert failures(samples) == []


def test_down_leaves_nothing_and_touches_nobody_else(dev: Up, engine: Engine, project: Path, stranger: str) -> None:
    mark, registry = dev.mark, dev.home.running().registry
    assert services(engine, mark)
    done = teal(dev.home.root, "local", "down", folder=project)
    assert done.returncode == 0, done.stderr
    assert services(engine, mark) == []
    assert engine.of_cloud(mark) == []
    assert engine.run("network", "ls", "--quiet", "--filter", f"label=teal.cloud={mark}") == ""
    assert registry not in engine.run("images", "--digests")
    assert engine.inspect(stranger)["ID"] == stranger
