import importlib
import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from cli_world import FakeCloud, Teal, record_of
from fake_swarm import fake_docker
from localcloud.errors import StackFailed
from localcloud.stacks import LocalStack

Settings = Callable[[str], None]


@pytest.fixture
def dev(project: Path) -> Settings:
    """Writes dev's stack file: lines of its config."""

    def write(text: str) -> None:
        (project / "Pulumi.dev.yaml").write_text(f"config:\n{text}\n")

    return write


@pytest.fixture
def exports(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the engine brings back from a run, instead of running."""
    found: dict[str, Any] = {"isReleased": True, "url": "http://web.example"}

    def up(stack: LocalStack, on_event: object = None) -> Mapping[str, Any]:
        return found

    monkeypatch.setattr(LocalStack, "up", up)
    return found


def test_an_unknown_stack_is_refused_before_anything_starts(teal: Teal, home: Path) -> None:
    ended = teal("local", "up", "production")
    assert (ended.code, ended.out) == (1, "")
    assert ended.told == "teal: there is no stack 'production': Pulumi.<stack>.yaml exists for dev, prod, qa, stage"
    assert [path.name for path in home.iterdir()] == ["durations.json"]


def test_a_stack_in_a_swarm_needs_the_docker_driver_before_anything_starts(
    teal: Teal, home: Path, dev: Settings
) -> None:
    dev("  teal:orchestrator: swarm")
    ended = teal("local", "up")
    assert (ended.code, ended.out) == (1, "")
    assert ended.told == (
        "teal: services of Docker Swarm (orchestrator: swarm) need the docker driver: `teal local up --driver docker`"
    )
    assert [path.name for path in home.iterdir()] == ["durations.json"]


def test_a_stack_in_a_swarm_needs_an_engine_in_swarm_mode(
    teal: Teal, home: Path, dev: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dev("  teal:orchestrator: swarm")
    with fake_docker(tmp_path) as engine:
        engine.is_manager = False
        monkeypatch.setenv("DOCKER_HOST", engine.host)
        ended = teal("local", "up", "--driver", "docker")
    assert ended.code == 1
    assert ended.told == (
        f"teal: the Docker engine at {engine.host} manages no swarm: "
        "docker swarm init --advertise-addr 127.0.0.1 --listen-addr 127.0.0.1:2377"
    )
    assert [path.name for path in home.iterdir()] == ["durations.json"]


@pytest.mark.usefixtures("binaries")
def test_a_cloud_of_processes_must_end_before_a_swarm(teal: Teal, cloud: FakeCloud, dev: Settings) -> None:
    cloud.add_stack("dev", "ca-central-1a")
    dev("  teal:orchestrator: swarm")
    ended = teal("local", "up", "--driver", "docker")
    assert ended.code == 1
    assert "`teal local down`, then `teal local up --driver docker`" in ended.told


def test_outside_a_project_it_says_where_to_go(teal: Teal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ended = teal("local", "up")
    assert ended.code == 1
    assert ended.told == (f"teal: {tmp_path} is in no project (no Pulumi.yaml here or above): change into one")


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ("  teal:zone: 3", "teal:zone is unknown: the keys are those that Pulumi.yaml declares"),
        ("  teal:zones: 7", "teal:zones is '7': input should be less than or equal to 6"),
        ("  teal:zones: {{", "Pulumi.dev.yaml is not YAML: "),
        (
            "  teal:cidrBlock: 10.0.0.0/28\n  teal:zones: 6",
            "teal:cidrBlock is '10.0.0.0/28': must be a private (RFC 1918) IPv4 block of size /16 to /21",
        ),
        ("  teal:cidrBlock: 10.0.0.1/16", "teal:cidrBlock is '10.0.0.1/16': 10.0.0.1/16 has host bits set"),
        ("  teal:domain: www.teal.example", "teal: domain and zoneName must be given together, or neither"),
        ("  teal:instances: 5", "teal: maxInstances must be at least instances (5), got 4"),
    ],
)
def test_a_bad_stack_file_is_one_line_before_anything_starts(
    teal: Teal, dev: Settings, home: Path, config: str, told: str
) -> None:
    dev(config)
    ended = teal("local", "up")
    assert (ended.code, ended.out) == (1, "")
    assert ended.told.startswith(f"teal: {told}")
    assert not (home / "lock").exists()


@pytest.mark.parametrize("content", [b"name: {{", b"name: \xff\xfe"])
def test_a_project_file_that_is_not_yaml_is_one_line(teal: Teal, project: Path, content: bytes) -> None:
    (project / "Pulumi.yaml").write_bytes(content)
    ended = teal("local", "up")
    assert ended.code == 1
    assert ended.told.startswith(f"teal: {project / 'Pulumi.yaml'} is not YAML: ")


def test_without_pulumi_and_told_to_use_only_that_it_says_what_to_install(
    teal: Teal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAL_TOOLCHAIN", "path")
    monkeypatch.setenv("PATH", "/nowhere")
    ended = teal("local", "up")
    assert (ended.code, ended.out) == (1, "")
    assert ended.told.startswith("teal: TEAL_TOOLCHAIN=path leads to no engine: install the Pulumi CLI ")


@pytest.mark.usefixtures("binaries")
def test_it_prints_the_url_and_nothing_else(teal: Teal, cloud: FakeCloud, exports: dict[str, Any]) -> None:
    url = cloud.add_stack("dev", "ca-central-1a", "ca-central-1b")
    ended = teal("local", "up")
    assert (ended.code, ended.out) == (0, f"{url}\n")
    assert [line.split(" (")[0] for line in ended.err.splitlines() if line.startswith("✓")] == [
        "✓ Pulumi engine · 3.259.0",
        f"✓ Embedded cloud · {cloud.api.endpoint}, runs already",
        "✓ pulumi up -s dev",
        "✓ Instances of dev · 2 healthy",
    ]
    again = json.loads(teal("local", "up", "--json").out)
    assert again == {"stack": "dev", "url": url, "exports": exports}


@pytest.mark.usefixtures("binaries", "exports")
def test_another_driver_than_the_running_clouds_is_one_line(
    teal: Teal, cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.add_stack("dev", "ca-central-1a", "ca-central-1b")
    assert teal("local", "up", "--driver", "process").code == 0
    monkeypatch.setenv("TEAL_DRIVER", "docker")
    ended = teal("local", "up")
    assert (ended.code, ended.out) == (1, "")
    assert ended.told.startswith("teal: the embedded cloud runs its instances with the process driver, and keeps it")
    assert teal("local", "up", "--driver", "steam").code == 2


@pytest.mark.usefixtures("binaries")
def test_an_environment_without_an_image_says_so_beside_its_url(
    teal: Teal, cloud: FakeCloud, exports: dict[str, Any]
) -> None:
    exports["isReleased"] = False
    url = cloud.add_stack("qa")
    ended = teal("local", "up", "qa")
    assert (ended.code, ended.out) == (0, f"{url}\n")
    assert ended.told == "Nothing is released yet: `teal local up qa --build` gives it its first image."


@pytest.mark.usefixtures("binaries")
def test_instances_that_do_not_get_healthy_are_told_with_their_reason(
    teal: Teal, cloud: FakeCloud, exports: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.import_module("cli.local.up"), "SERVING_SECONDS", 0.1)
    cloud.add_stack("dev", "ca-central-1a")
    cloud.add_instance(2, "dev-blue", "ca-central-1b", health="initial", reason="its process ended: exit code 3")
    ended = teal("local", "up")
    assert (ended.code, ended.out) == (1, "")
    assert ended.told == (
        "teal: after 0 s only 1 of 2 instances healthy, in 1 of 2 zones: its process ended: exit code 3"
    )


@pytest.mark.usefixtures("binaries", "exports")
def test_a_stack_without_a_load_balancer_is_one_line(teal: Teal, cloud: FakeCloud) -> None:
    ended = teal("local", "up")
    assert ended.code == 1
    assert ended.told == "teal: stack dev is up, but the embedded cloud has no load balancer for it"
    assert cloud.status["instances"] == []


@pytest.mark.usefixtures("binaries", "cloud")
def test_a_run_that_fails_is_told_in_one_line(teal: Teal, monkeypatch: pytest.MonkeyPatch) -> None:
    def up(stack: LocalStack, on_event: object = None) -> Mapping[str, Any]:
        raise StackFailed("stack dev: main-vpc: the API refused ec2 create_vpc: VpcLimitExceeded")

    monkeypatch.setattr(LocalStack, "up", up)
    ended = teal("local", "up", "--json")
    assert (ended.code, ended.out) == (1, "")
    assert ended.told == "teal: stack dev: main-vpc: the API refused ec2 create_vpc: VpcLimitExceeded"


@pytest.mark.usefixtures("binaries")
def test_an_api_that_answers_with_an_error_is_one_line(teal: Teal, cloud: FakeCloud) -> None:
    cloud.is_broken = True
    ended = teal("local", "up", "prod")  # which has a domain, so the first call comes before the engine's
    assert (ended.code, ended.out) == (1, "")
    assert "route53" in ended.told or "500" in ended.told


@pytest.mark.usefixtures("binaries")
def test_a_cloud_that_cannot_start_is_told_by_its_last_words(
    teal: Teal, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "import sys; sys.exit('the embedded cloud\\'s load balancer is Envoy, and there is no program for Plan9')"
    monkeypatch.setattr("localcloud.launch.DAEMON", (sys.executable, "-S", "-c", code))
    ended = teal("local", "up")
    assert (ended.code, ended.out) == (1, "")
    assert ended.told == (
        "teal: the embedded cloud ended while it started: the embedded cloud's load balancer is Envoy, and there is no "
        f"program for Plan9 (see {home / 'cloud.log'})"
    )


@pytest.mark.usefixtures("binaries")
@pytest.mark.parametrize(("data", "how"), [("vol-01", "anew, with the data volumes that it left"), ("", "clean")])
def test_a_cloud_that_was_killed_is_told_and_replaced(
    teal: Teal, cloud: FakeCloud, exports: dict[str, Any], monkeypatch: pytest.MonkeyPatch, data: str, how: str
) -> None:
    (cloud.home.volumes / data).mkdir(parents=True)
    cloud.add_stack("dev", "ca-central-1a", "ca-central-1b")
    living = cloud.home.record()
    assert living
    with subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE) as killed:
        cloud.home.write_record(record_of(psutil.Process(killed.pid)))
        killed.kill()
    monkeypatch.setattr("localcloud.launch._launch", lambda *_: living)
    ended = teal("local", "up")
    assert ended.code == 0
    assert (
        f"  The last cloud is gone (it was killed), and its stacks with it: starting {how}." in ended.err.splitlines()
    )
