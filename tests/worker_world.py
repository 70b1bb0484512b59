"""Workers of a swarm on AWS, played: four services of AWS, and on each worker a `docker` that says what a test gave it.

Scripts that go to a worker are run by a real shell, so their words and quotes are tried as well.
"""

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError

DIGEST = "sha256:" + "0a" * 32
IMAGE = f"127.0.0.1:5000/123456789012.dkr.ecr.eu-west-1.amazonaws.com/app@{DIGEST}"
PORTS = {"blue": 8081, "green": 8082}
DOCKER = """#!/bin/sh
here={folder}
printf '%s\\n' "$*" >> $here/asked
cat $here/$1.out 2> /dev/null
cat $here/$1.err >&2 2> /dev/null
exit $(cat $here/$1.code 2> /dev/null || echo 0)
"""


def task(slot: int, ending: str, colour: str = "blue", environment: str = "prod") -> str:
    """A task's name as Swarm makes it."""
    return f"teal-{environment}-{colour}.{slot}.{ending * 25}"[: len(f"teal-{environment}-{colour}.{slot}.") + 25]


def container(name: str, state: str = "running", age: float = 3600, ended: float = 1, **changes: Any) -> dict[str, Any]:
    """A task's container, in the words by which containers/tasks.py has `docker inspect` tell it.

    Its age and, unless it runs, since when it has ended are seconds.
    """
    colour = name.partition(".")[0].rpartition("-")[2]
    now = datetime.now(UTC)
    began = stamp(now - timedelta(seconds=age))
    return {
        "state": state,
        "started": began,
        "created": began,
        "finished": "0001-01-01T00:00:00Z" if state == "running" else stamp(now - timedelta(seconds=ended)),
        "code": 0,
        "error": "",
        "health": "healthy" if state == "running" else "unhealthy",
        "image": IMAGE,
        "version": "1.4",
        "colour": colour,
        "task": name,
        "ports": {"8080/tcp": [{"HostIp": "", "HostPort": str(PORTS.get(colour, 0))}]},
        **changes,
    }


def stamp(moment: datetime) -> str:
    """A time as Docker writes it."""
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}789Z"


@dataclass
class PlayedWorker:
    """A worker, and what Docker says there."""

    id: str
    zone: str
    folder: Path
    is_known: bool = True
    """Whether SSM knows it."""
    answers: bool = True
    """Whether its agent does what it is told."""
    state: str = "InService"

    def __post_init__(self) -> None:
        self.folder.mkdir()
        program = self.folder / "docker"
        program.write_text(DOCKER.format(folder=self.folder))
        program.chmod(0o755)

    def runs(self, *containers: dict[str, Any]) -> None:
        """From now on these are its containers."""
        self.says("ps", "".join(f"{number:064x}\n" for number, _ in enumerate(containers, 1)))
        self.says("inspect", "".join(json.dumps(each) + "\n" for each in containers))
        stats = {"CPUPerc": "12.50%", "MemUsage": "3MiB / 512MiB", "PIDs": "7"}
        self.says("stats", "".join(json.dumps({"Name": each["task"], **stats}) + "\n" for each in containers))

    def says(self, word: str, out: str, err: str = "", code: int = 0) -> None:
        """What `docker WORD` does from now on."""
        for kind, text in (("out", out), ("err", err), ("code", str(code))):
            (self.folder / f"{word}.{kind}").write_text(text)

    @property
    def asked(self) -> list[str]:
        """The words of each call of `docker`."""
        file = self.folder / "asked"
        return file.read_text().splitlines() if file.exists() else []

    def run(self, script: str) -> "subprocess.CompletedProcess[str]":
        """What comes of a script there."""
        environment = {"PATH": f"{self.folder}:/usr/bin:/bin"}
        return subprocess.run(
            ["/bin/sh", "-c", script], env=environment, capture_output=True, text=True, check=False, timeout=10
        )


@dataclass
class PlayedAws:
    """Scaling groups, target groups, EC2 and SSM of one environment, as boto3's clients of each would tell."""

    workers: Sequence[PlayedWorker]
    health: dict[tuple[str, int], str] = field(default_factory=dict)
    """What the load balancer finds, by worker and port; healthy where nothing is said."""
    calls: list[str] = field(default_factory=list)
    sent: list[list[str]] = field(default_factory=list)
    """The instances that each command was sent to."""
    told: list[str] = field(default_factory=list)
    """Remarks of the command."""
    opened: dict[str, Any] = field(default_factory=dict)
    """What the last session was opened with."""
    _out: set[tuple[str, str]] = field(default_factory=set)
    _results: dict[tuple[str, str], Any] = field(default_factory=dict)
    meta: Any = field(default_factory=lambda: SimpleNamespace(region_name="eu-west-1", endpoint_url="https://ssm"))

    def client(self, _: str) -> "PlayedAws":
        return self

    def get_paginator(self, operation: str) -> "PlayedAws":
        assert operation == "describe_auto_scaling_groups"
        return self

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        wanted = {each["Name"].removeprefix("tag:"): each["Values"][0] for each in asked["Filters"]}
        for name, members in (("swarm-managers", ()), ("swarm-workers", self.workers)):
            tags = {"Project": "teal", "Environment": "prod", "Name": name}
            if wanted.items() <= tags.items():
                yield {"AutoScalingGroups": [{**self._group(members), "Tags": tagged(tags)}]}

    def describe_auto_scaling_groups(self, **asked: Any) -> dict[str, Any]:
        assert asked == {"AutoScalingGroupNames": ["workers"]}
        return {"AutoScalingGroups": [self._group(self.workers)]}

    def describe_auto_scaling_instances(self, **asked: Any) -> dict[str, Any]:
        found = [each for each in self.workers if each.id in asked["InstanceIds"]]
        told = [{"AutoScalingGroupName": "workers", "LifecycleState": each.state} for each in found]
        return {"AutoScalingInstances": told}

    def describe_instances(self, **asked: Any) -> dict[str, Any]:
        [names] = [each["Values"] for each in asked["Filters"]]
        return {"Reservations": [{"Instances": [{"InstanceId": n, "PrivateIpAddress": "10.0.0.7"} for n in names]}]}

    def describe_target_groups(self, **asked: Any) -> dict[str, Any]:
        arns = {f"arn:{colour}": port for colour, port in PORTS.items()}
        return {"TargetGroups": [{"TargetGroupArn": arn, "Port": arns[arn]} for arn in asked["TargetGroupArns"]]}

    def describe_target_group_attributes(self, **_: str) -> dict[str, Any]:
        return {"Attributes": [{"Key": "deregistration_delay.timeout_seconds", "Value": "1"}]}

    def describe_target_health(self, **asked: Any) -> dict[str, Any]:
        arn = asked["TargetGroupArn"]
        registered = [each.id for each in self.workers if (arn, each.id) not in self._out]
        names = [each["Id"] for each in asked.get("Targets", [])] or registered
        return {"TargetHealthDescriptions": [self._target(arn, name) for name in names]}

    def deregister_targets(self, **asked: Any) -> None:
        [target] = asked["Targets"]
        self.calls.append(f"{target['Id']} out of {asked['TargetGroupArn']}")
        self._out.add((asked["TargetGroupArn"], target["Id"]))

    def register_targets(self, **asked: Any) -> None:
        [target] = asked["Targets"]
        self.calls.append(f"{target['Id']} into {asked['TargetGroupArn']}")
        self._out.discard((asked["TargetGroupArn"], target["Id"]))

    def send_command(self, **asked: Any) -> dict[str, Any]:
        there = {each.id: each for each in self.workers if each.is_known}
        if not there.keys() >= set(asked["InstanceIds"]):
            raise ClientError({"Error": {"Code": "InvalidInstanceId", "Message": ""}}, "SendCommand")
        self.sent.append(list(asked["InstanceIds"]))
        [script] = asked["Parameters"]["commands"]
        command = str(len(self.sent))
        for name in asked["InstanceIds"]:
            if there[name].answers:
                self.calls += [f"{name}: {word}" for word in ("stop", "kill") if f"docker {word} " in script]
                self._results[(command, name)] = there[name].run(script)
        return {"Command": {"CommandId": command}}

    def get_command_invocation(self, **asked: str) -> dict[str, Any]:
        done = self._results.get((asked["CommandId"], asked["InstanceId"]))
        if done is None:
            return {"Status": "Pending", "StatusDetails": "Pending"}
        status = "Failed" if done.returncode else "Success"
        told = {"Status": status, "StatusDetails": status, "ResponseCode": done.returncode}
        return {**told, "StandardOutputContent": done.stdout, "StandardErrorContent": done.stderr}

    def start_session(self, **asked: Any) -> dict[str, str]:
        self.opened = asked
        return {"SessionId": "s-1", "TokenValue": "hush", "StreamUrl": "wss://x"}

    def _group(self, members: Sequence[PlayedWorker]) -> dict[str, Any]:
        told = [{"InstanceId": m.id, "AvailabilityZone": m.zone, "LifecycleState": m.state} for m in members]
        return {"Instances": told, "TargetGroupARNs": [f"arn:{colour}" for colour in PORTS] if members else []}

    def _target(self, arn: str, worker: str) -> dict[str, Any]:
        port = PORTS[arn.removeprefix("arn:")]
        if (arn, worker) in self._out:
            told = {"State": "unused", "Reason": "Target.NotRegistered"}
        else:
            told = {"State": self.health.get((worker, port), "healthy")}
        return {"Target": {"Id": worker, "Port": port}, "TargetHealth": told}


def tagged(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def plugin(folder: Path) -> str:
    """A session-manager-plugin that says its version; a PATH that has it."""
    folder.mkdir()
    program = folder / "session-manager-plugin"
    program.write_text("#!/bin/sh\necho 1.2.707.0\n")
    program.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"
