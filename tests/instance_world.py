"""The script on the instance, with Docker, the AWS command line and the metadata service played."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from components.boot import instance_boot

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop@sha256:" + "a" * 64
SPEC: dict[str, Any] = {
    "image": IMAGE,
    "port": 8080,
    "colour": "blue",
    "log_group": "logs",
    "environment": {"MOOD": "calm"},
}
FACTS = {"region": "eu-west-1", "instance": "i-1", "zone": "eu-west-1a", "version": "1.2"}
METADATA = {"placement/region": "eu-west-1", "instance-id": "i-1", "placement/availability-zone": "eu-west-1a"}


class FakeCommands:
    """Records commands; answers by what they start with."""

    def __init__(self, *, has_image: bool, states: list[str]) -> None:
        self.ran: list[list[str]] = []
        self.has_image = has_image
        self.states = states
        self.known: dict[str, str] = {}
        self.environment: dict[str, str] = {}
        self.user, self.jobs, self.volume_status = "10001:10001", "", 0

    def became(self, command: list[str], environment: dict[str, str]) -> list[str]:
        self.environment = environment
        return command

    def __call__(self, command: list[str], **options: Any) -> Any:
        self.ran.append(command)
        if "describe-auto-scaling-instances" in command:
            return subprocess.CompletedProcess(command, returncode=0, stdout=self.described(self.states.pop(0)))
        missing = command[:3] == ["docker", "image", "inspect"] and not self.has_image
        output: Any = "1.2\n" if options.get("text") else b"one-time"
        if "{{.Config.User}}" in command:
            output = f"{self.user}\n"
        if command[0] == "systemctl":
            output = self.jobs
        if command[0] == sys.executable:
            return subprocess.CompletedProcess(command, returncode=self.volume_status)
        if command[:3] == ["aws", "ssm", "get-parameters"]:
            names = command[command.index("--names") + 1 :]
            assert len(names) <= 10, "SSM takes ten"
            found = [{"Name": name, "Value": self.known[name]} for name in names if name in self.known]
            output = json.dumps({"Parameters": found, "InvalidParameters": []}).encode()
        return subprocess.CompletedProcess(command, returncode=1 if missing else 0, stdout=output)

    def described(self, state: str) -> bytes:
        if state == "throttled":
            raise subprocess.CalledProcessError(254, ["aws"])
        member = {"AutoScalingGroupName": "blue-group-1", "LifecycleState": state}
        return json.dumps({"AutoScalingInstances": [member] if state else []}).encode()

    @property
    def told(self) -> list[list[str]]:
        return [command for command in self.ran if "complete-lifecycle-action" in command]


class FakeMetadata:
    def get(self, path: str) -> str:
        return METADATA[path]


Boot = Callable[..., tuple[Any, FakeCommands]]


def played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Boot:
    """Runs the script's main with everything around it played; gives back its status and the commands that it ran."""

    def run(
        *arguments: str,
        spec: dict[str, Any] = SPEC,
        has_image: bool = False,
        states: Sequence[str] = (),
        known: dict[str, str] | None = None,
        **told: Any,
    ) -> tuple[Any, FakeCommands]:
        file = tmp_path / "container.json"
        file.write_text(json.dumps(spec))
        commands = FakeCommands(has_image=has_image, states=[*states])
        commands.known = known or {}
        vars(commands).update(told)
        monkeypatch.setattr(instance_boot, "CONTAINER_FILE", str(file))
        monkeypatch.setattr(instance_boot, "Metadata", FakeMetadata)
        monkeypatch.setattr(subprocess, "run", commands)
        monkeypatch.setattr(os, "execvpe", lambda file, command, environment: commands.became(command, environment))
        monkeypatch.setattr(instance_boot, "RUN_FOLDER", str(tmp_path))
        monkeypatch.setattr(instance_boot, "TOLD_FILE", str(tmp_path / "told"))
        return instance_boot.main(list(arguments)), commands

    return run
