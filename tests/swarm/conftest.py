"""A cloud whose tasks run in a swarm. Where no engine can be had in swarm mode nothing is run, and the report says why.

An engine that tests found in swarm mode is used as it is. One that they started themselves is put into swarm mode, on
loopback only, and taken out again. Somebody's engine in no swarm is left as it is.
"""

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from config.settings import of_stack
from docker_world import Engine, built_images, mark
from localcloud.docker.client import Client
from localcloud.docker.services import GATEWAY, INIT
from localcloud.images.oci import Image
from scripts.build_image import ROOT

VXLAN = 4789
BRIDGE = Path("/sys/class/net") / GATEWAY


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    mark(items, Path(__file__).parent)


@pytest.fixture(scope="session")
def engine(docker_client: Client, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A Docker engine in swarm mode."""
    found = Engine(docker_client)
    if json.loads(found.run("info", "--format", "{{json .Swarm}}")).get("ControlAvailable"):
        yield found
        return
    is_ours = str(tmp_path_factory.getbasetemp()) in os.environ.get("DOCKER_HOST", "")
    if not is_ours:
        pytest.skip("not run, so nothing is known of swarms: this machine's Docker engine is in none, and not ours")
    if BRIDGE.exists():
        pytest.skip("not run, so nothing is known of swarms: another engine's swarm has this machine's docker_gwbridge")
    before = packet_rules()
    try:
        found.run(*INIT.split()[1:])
    except subprocess.CalledProcessError as error:
        pytest.skip(f"not run, so nothing is known of swarms: {error.stderr.strip()}")
    yield found
    found.run("swarm", "leave", "--force")
    # What the engine leaves behind, whatever it is told: its bridge, and rules for each encrypted network.
    if BRIDGE.exists():
        subprocess.run(["ip", "link", "delete", GATEWAY], check=True, timeout=10)
    for table, rule in sorted(packet_rules() - before):
        subprocess.run(["iptables", "-t", table, "-D", *shlex.split(rule)], check=True, timeout=10)
    assert packet_rules() == before


def packet_rules() -> set[tuple[str, str]]:
    """Table and rule of everything that this machine's packet filter does to VXLAN; none where it has no tool."""
    if shutil.which("iptables-save") is None:
        return set()
    told = subprocess.run(["iptables-save"], capture_output=True, text=True, timeout=10, check=True).stdout
    found, table = set(), ""
    for line in told.splitlines():
        if line.startswith("*"):
            table = line[1:]
        elif line.startswith("-A ") and f"--dport {VXLAN} " in line:
            found.add((table, line.removeprefix("-A ")))
    return found


@pytest.fixture(scope="session")
def images(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Image]:
    """See built_images."""
    return built_images(engine.client, tmp_path_factory.mktemp("images"), of_stack(ROOT, "dev").version)


@pytest.fixture
def stranger(engine: Engine, images: Mapping[str, Image]) -> Iterator[str]:
    """Another cloud's service, as its label is enough of a difference: its id."""
    labels = ("--label", "teal.cloud=another", "--container-label", "teal.cloud=another")
    made = engine.run("service", "create", "--quiet", "--detach", "--replicas", "0", *labels, "teal-test:app")
    yield made
    engine.run("service", "rm", made)
