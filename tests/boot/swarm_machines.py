"""Nodes of a swarm that boot for real, a machine each, on one cable; AWS is as boot.swarm_cloud plays it."""

import base64
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boot.cloud import METADATA_ADDRESS
from boot.image import Image
from boot.machine import Machine, cloud_of, lay_out, started
from boot.swarm_cloud import ECR, ECR_ADDRESS, address
from components.swarm_cluster import SwarmCluster
from deployed import deploy
from localcloud.dataplane.certificates import self_signed

TRUST = "[Service]\nEnvironment=SSL_CERT_FILE=/etc/played-ca.pem\n"
"""The door's only difference from a real node: it trusts the played registry."""


def user_data() -> dict[str, str]:
    """The very user data of a SwarmCluster, by role."""
    found = deploy(
        lambda: SwarmCluster(
            "swarm",
            {
                "environment": "dev",
                "managers": 1,
                "workers": 1,
                "instance_types": ["t4g.small"],
                "vpc_id": "vpc-1",
                "subnet_ids": ["subnet-a", "subnet-b"],
                "load_balancer_security_group_id": "sg-balancer",
                "target_group_arns": {"blue": "arn:blue", "green": "arn:green"},
                "repository_arn": "arn:repository",
                "log_group_arn": "arn:logs",
            },
        )
    ).resources
    templates = {role: found[f"swarm-{role}s-template"].inputs["userData"] for role in ("manager", "worker")}
    return {role: base64.b64decode(text).decode() for role, text in templates.items()}


@dataclass(frozen=True)
class Site:
    """Machines that boot, and others that could."""

    machines: list[Machine]
    start: Callable[[], Machine]
    """Boots the next one."""

    def told(self) -> dict[str, Any]:
        """What AWS has seen."""
        return self.machines[0].seen()

    def terminate(self, number: int) -> None:
        """Has the scaling group drop a machine's instance, and ends the machine if it still runs."""
        cloud, instance = self.machines[0].cloud, self.told()["instances"][number]
        assert cloud.stdin is not None
        assert cloud.stdout is not None
        cloud.stdin.write(f"{instance}\n")
        cloud.stdin.flush()
        cloud.stdout.readline()
        os.kill(self.machines[number].pid, signal.SIGKILL)


def told(manager: Machine) -> dict[str, dict[str, Any]]:
    """The nodes as the manager tells them, by instance."""
    ids = manager.run("/usr/bin/docker", "node", "ls", "--quiet").split()
    # One that is removed meanwhile is left out.
    found = json.loads(manager.run("/usr/bin/docker", "node", "inspect", *ids, check=False) or "[]")
    return {node["Description"]["Hostname"].partition(".")[0]: node for node in found}


@contextmanager
def nodes(folder: Path, root: Path, image: Image, roles: Sequence[str], booting: int) -> Iterator[Site]:
    """Machines of these roles on this root, as many of them booting as told; they end with the block."""
    lay_out(folder, image)
    for role, text in user_data().items():
        (folder / f"user-data-{role}").write_text(text)
    _certify(folder)
    with ExitStack() as stack:
        holders = [stack.enter_context(_network()) for _ in roles]
        _cable(holders)
        pids = [str(pid) for pid in holders]
        cloud = stack.enter_context(cloud_of("boot.swarm_cloud", folder, ",".join(roles), *pids))
        machines: list[Machine] = []

        def start() -> Machine:
            number = len(machines)
            made = _machine(folder / f"node-{number}", root, holders[number], cloud, folder)
            machines.append(stack.enter_context(made))
            return machines[-1]

        for _ in range(booting):
            start()
        yield Site(machines, start)


@contextmanager
def _machine(folder: Path, root: Path, pid: int, cloud: "subprocess.Popen[str]", common: Path) -> Iterator[Machine]:
    for place, text in (
        ("etc/played-ca.pem", (common / "certificate.pem").read_text()),
        ("etc/hosts", f"127.0.0.1 localhost\n{ECR_ADDRESS} {ECR}\n"),
        ("etc/systemd/system/teal-door.service.d/trust.conf", TRUST),
    ):
        file = folder / "upper" / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    with started(folder, root, pid, cloud) as machine:
        yield machine


@contextmanager
def _network() -> Iterator[int]:
    """A process that holds a network namespace, as long as the block lasts."""
    process = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
    try:
        deadline = time.monotonic() + 10
        while Path(f"/proc/{process.pid}/ns/net").readlink() == Path("/proc/self/ns/net").readlink():
            assert time.monotonic() < deadline, "no network namespace"
            time.sleep(0.02)
        yield process.pid
    finally:
        process.kill()
        process.wait(10)


def _cable(holders: Sequence[int]) -> None:
    """Loopback for each, with AWS's addresses, and a bridge in the first one's namespace that all are on."""
    first, *others = holders
    _ip(first, "link", "add", "cable", "type", "bridge")
    _ip(first, "link", "set", "cable", "up")
    _ip(first, "address", "add", f"{address(0)}/24", "dev", "cable")
    for number, pid in enumerate(others, start=1):
        _ip(first, "link", "add", f"to{number}", "type", "veth", "peer", "name", "cable", "netns", str(pid))
        _ip(first, "link", "set", f"to{number}", "master", "cable", "up")
        _ip(pid, "address", "add", f"{address(number)}/24", "dev", "cable")
        _ip(pid, "link", "set", "cable", "up")
    for pid in holders:
        _ip(pid, "link", "set", "lo", "up")
        _ip(pid, "address", "add", f"{METADATA_ADDRESS}/32", "dev", "lo")


def _ip(pid: int, *words: str) -> None:
    command = ["nsenter", f"--net=/proc/{pid}/ns/net", "ip", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr}"


def _certify(folder: Path) -> None:
    """A certificate of ECR's host name, which signs itself."""
    certificate, key = self_signed((ECR,))
    (folder / "certificate.pem").write_bytes(certificate)
    (folder / "key.pem").write_bytes(key)
