"""The dev stack with the docker driver, from `up` to `down`: each test goes on where the one before ended."""

import json
import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from bench.cloud import Dev
from cli.aws import client as aws_client
from config.stack_files import region_of
from docker_world import BACK_SECONDS, MIB, QUICK, RATE, WHO_AM_I, Engine, Record, Up, dev_up, teal, within
from localcloud.environment import stack_environment
from localcloud.home import DriverName, Home
from localcloud.images.oci import VERSION_LABEL, Image
from localcloud.images.registry import push
from pty_world import terminal
from scripts.build_image import ROOT


@pytest.fixture(scope="module")
def dev(engine: Engine, images: Mapping[str, Image], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with dev_up(Home(tmp_path_factory.mktemp("cloud") / "home")) as up:
        yield up


def test_it_serves_the_image_that_docker_built_by_one_digest_everywhere(
    dev: Up, engine: Engine, images: Mapping[str, Image], record_property: Record
) -> None:
    record_property("up, image and engine in their caches", f"{dev.seconds:.0f} s")
    digest = images["app"].digest
    assert dev.version()["digest"] == digest
    assert {instance.digest for instance in dev.status().instances} == {digest}
    ledger = Dev(dev.home, dev.url).ledger.read()
    assert ledger.side(ledger.live).digest == digest
    for instance in dev.healthy():
        container = engine.inspect(engine.container(dev.mark, instance))
        assert container["Config"]["Image"].endswith(f"@{digest}")
        told = engine.inspect(container["Image"])["RepoDigests"]
        assert [name for name in told if name == container["Config"]["Image"]]


def test_a_container_may_do_little(dev: Up, engine: Engine) -> None:
    for status in dev.status().instances:
        told = engine.inspect(engine.container(dev.mark, status.id))
        limits = told["HostConfig"]
        assert limits["ReadonlyRootfs"]
        assert limits["CapDrop"] == ["ALL"]
        assert limits["CapAdd"] is None
        assert limits["SecurityOpt"] == ["no-new-privileges"]
        assert limits["Memory"] == limits["MemorySwap"] == 512 * MIB
        assert 0 < limits["NanoCpus"] <= 2_000_000_000
        assert limits["PidsLimit"] == 512
        assert not limits["Privileged"]
        assert not limits["Binds"]
        assert told["Config"]["User"] == "10001:10001"
        [[published]] = told["NetworkSettings"]["Ports"].values()
        assert f"{published['HostIp']}:{published['HostPort']}" == status.address
        assert status.address.startswith("127.")


def test_the_other_driver_is_refused_in_one_line(dev: Up) -> None:
    done = teal(dev.home.root, "local", "up", "dev", "--driver", "process")
    assert done.returncode == 1
    assert "teal: the embedded cloud runs its instances with the docker driver" in done.stderr
    assert "`teal local down`" in done.stderr
    assert dev.home.running().driver is DriverName.DOCKER


def test_a_killed_container_is_back_within_ten_seconds(dev: Up, engine: Engine, record_property: Record) -> None:
    before = dev.healthy()
    victim = min(before)
    engine.run("kill", engine.container(dev.mark, victim))
    killed = time.monotonic()
    within(BACK_SECONDS, lambda: victim not in dev.healthy(), "the load balancer noticed")
    noticed = time.monotonic() - killed
    within(BACK_SECONDS, lambda: len(dev.healthy()) == len(before), "another one serves")
    seconds = time.monotonic() - killed
    record_property("killed container", f"noticed after {noticed:.1f} s, replaced and healthy after {seconds:.1f} s")
    assert seconds < BACK_SECONDS
    assert victim not in dev.healthy()


def test_everyday_work_reaches_into_a_container(dev: Up) -> None:
    instance = min(dev.healthy())
    told = teal(dev.home.root, "containers", "exec", "dev", instance, "/usr/bin/python3.11", "-c", WHO_AM_I)
    assert (told.returncode, told.stdout.split()) == (0, ["10001", instance]), told.stderr
    rows = json.loads(teal(dev.home.root, "containers", "ps", "dev", "--json").stdout)
    assert instance in json.dumps(rows)
    logs = teal(dev.home.root, "containers", "logs", "dev", instance)
    assert "Starting gunicorn" in logs.stdout
    ended = teal(dev.home.root, "containers", "kill", "dev", instance)
    assert ended.returncode == 0, ended.stderr
    within(BACK_SECONDS, lambda: instance not in dev.healthy() and len(dev.healthy()) == 2, "another one serves")


def test_somebody_at_a_terminal_gets_python_inside_since_there_is_no_shell(dev: Up) -> None:
    instance = min(dev.healthy())
    command = [str(ROOT / ".venv" / "bin" / "teal"), "containers", "exec", "dev", instance]
    # The cloud knows its engine, whatever is chosen here.
    variables = {**os.environ, "TEAL_HOME": str(dev.home.root), "DOCKER_HOST": "unix:///nowhere.sock"}
    with terminal(command, variables, ROOT) as session:
        session.read_until(">>> ")
        session.type("import os; print('this', 'is', os.environ['TEAL_INSTANCE'])\n")
        session.read_until(f"this is {instance}")
        session.type("open('/srv/new', 'w')\n")
        session.read_until("Read-only file system")
        session.type("exit(4)\n")
        assert session.ended() == 4


def test_an_image_that_is_built_by_hand_is_built_in_the_clouds_engine(dev: Up, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    label = f"{VERSION_LABEL}=by-hand"
    built = teal(dev.home.root, "image", "build", "dev", "--label", label)
    assert built.returncode == 0, built.stderr
    digest = built.stdout.strip()
    shown = json.loads(teal(dev.home.root, "image", "inspect", "dev", digest, "--json").stdout)
    assert (shown["labels"][VERSION_LABEL], shown["user"], len(shown["layers"])) == ("by-hand", "10001:10001", 3)
    assert shown["command"][-1] == "app.supervisor"
    removed = teal(dev.home.root, "image", "rm", "dev", digest, "--yes")
    assert removed.returncode == 0, removed.stderr


def test_a_release_under_load_fails_no_request(dev: Up, images: Mapping[str, Image], record_property: Record) -> None:
    bench = Dev(dev.home, dev.url)
    ecr = aws_client("ecr", stack_environment(dev.home.running(), dev.home, region_of(ROOT, "dev")))
    [repository] = ecr.describe_repositories()["repositories"]
    for name in ("one", "two"):
        push(ecr, repository["repositoryName"], images[name], f"test-{name}")
    bench.run("release", "start", "dev", "--image", images["one"].digest, *QUICK)
    with bench.load(RATE) as load:
        time.sleep(5)
        began = time.monotonic()
        bench.run("release", "start", "dev", "--image", images["two"].digest, *QUICK)
        seconds = time.monotonic() - began
        time.sleep(5)
        samples = load.end()
    failed = [f"{sample.kind}: {sample.problem}" for sample in samples if sample.is_failed]
    answers = Counter(sample.digest for sample in samples if sample.digest)
    record_property(
        "release under load",
        f"{len(samples)} requests at {RATE:g} a second, {len(failed)} failed; released in {seconds:.0f} s",
    )
    assert failed == []
    assert set(answers) == {images["one"].digest, images["two"].digest}
    assert dev.version()["digest"] == images["two"].digest


def test_a_container_that_is_stopped_by_hand_under_load_fails_no_request(dev: Up, record_property: Record) -> None:
    """Some of them take five seconds: the container ends after them."""
    instance = min(dev.healthy())
    began = time.monotonic()
    with Dev(dev.home, dev.url).load(RATE) as load:
        time.sleep(2)
        done = teal(dev.home.root, "containers", "stop", "dev", instance, "--wait", "--json")
        assert done.returncode == 0, done.stderr
        time.sleep(2)
        samples = load.end()
    failed = [f"{sample.kind}: {sample.problem}" for sample in samples if sample.is_failed]
    back = json.loads(done.stdout)["healthy_again_seconds"]
    record_property("stop under load", f"{len(samples)} requests, {len(failed)} failed; healthy again after {back} s")
    assert failed == []
    assert began < min(sample.due for sample in samples), "these are another load's samples"
    assert back < BACK_SECONDS
    assert instance not in dev.healthy()


def test_down_leaves_nothing_and_touches_nobody_else(dev: Up, engine: Engine, stranger: str) -> None:
    mark, registry = dev.mark, dev.home.running().registry
    assert engine.of_cloud(mark)
    done = teal(dev.home.root, "local", "down")
    assert done.returncode == 0, done.stderr
    assert engine.of_cloud(mark) == []
    assert engine.run("network", "ls", "--quiet", "--filter", f"label=teal.cloud={mark}") == ""
    assert registry not in engine.run("images", "--digests")
    assert engine.inspect(stranger)["Id"] == stranger


def test_without_an_engine_it_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    done = teal(tmp_path / "home", "local", "up", "dev", "--driver", "docker")
    assert done.returncode == 1
    assert "no Docker engine answers at unix://" in done.stderr.splitlines()[-1]
