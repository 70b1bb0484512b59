#!/usr/bin/python3
"""Runs Teal's container on an EC2 instance: user data puts this file there and systemd starts it.

It is Python because Amazon Linux has Python (3.9: nothing newer here) and no JSON tool for shells.
`instance_boot.py pull` logs in to the registry and gets the image by its digest, unless it is there.
`instance_boot.py run LOG_GROUP` becomes `docker run`, so that systemd watches the container itself. Secrets are read
from SSM just before, by the instance's role, and handed over in the environment, never on a command line.
Where the container file names no image, nothing is released: then there is nothing to pull, and `run` ends with
status 78, upon which the unit gives up.
"""

import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from typing import Any

CONTAINER_FILE = "/etc/teal/container.json"
METADATA = "http://169.254.169.254/latest"
RUN_FOLDER = "/run"  # in memory
METADATA_SECONDS = 5
PULL_SECONDS = 240
READ_SECONDS = 60
MOST_AT_ONCE = 10  # parameters that SSM takes in a call
NOTHING_RELEASED = 78
VERSION_LABEL = '{{index .Config.Labels "org.opencontainers.image.version"}}'


class Metadata:
    """The instance's metadata service, spoken to with a session token (IMDSv2)."""

    def __init__(self) -> None:
        ask = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}
        self._token = self._answer("/api/token", "PUT", ask)

    def get(self, path: str) -> str:
        """The text under /latest/meta-data/<path>."""
        return self._answer("/meta-data/" + path, "GET", {"X-aws-ec2-metadata-token": self._token})

    @staticmethod
    def _answer(path: str, method: str, headers: dict[str, str]) -> str:
        request = urllib.request.Request(METADATA + path, headers=headers, method=method)  # noqa: S310  # always http
        with urllib.request.urlopen(request, timeout=METADATA_SECONDS) as answer:  # noqa: S310
            return str(answer.read().decode())


def docker_run(spec: dict[str, Any], facts: dict[str, str], log_group: str) -> list[str]:
    """The command that runs the container of spec; facts are region, instance, zone and version."""
    environment = {
        **spec["environment"],
        "TEAL_COLOUR": spec["colour"],
        "TEAL_DIGEST": spec["image"].partition("@")[2],
        "TEAL_INSTANCE": facts["instance"],
        "TEAL_VERSION": facts["version"] or "0",
        "TEAL_ZONE": facts["zone"],
    }
    port = str(spec["port"])
    command = ["docker", "run", "--rm", "--name", "teal", "--publish", port + ":" + port]
    command += ["--read-only", "--tmpfs", "/tmp", "--tmpfs", "/run", "--pids-limit", "512"]  # noqa: S108  # its own /tmp
    command += ["--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
    command += ["--log-driver", "awslogs", "--log-opt", "mode=non-blocking"]
    command += ["--log-opt", "awslogs-group=" + log_group, "--log-opt", "awslogs-region=" + facts["region"]]
    command += ["--log-opt", "awslogs-stream=" + spec["colour"] + "/" + facts["instance"]]
    for key in sorted(environment):
        command += ["--env", key + "=" + environment[key]]
    for key in sorted(spec.get("secrets", {})):
        command += ["--env", key]  # docker takes the value from its own environment
    return [*command, spec["image"]]


def pull(image: str, region: str) -> None:
    """Gets the image unless it is there. The registry's password lives in a folder that goes with this call."""
    if subprocess.run(["docker", "image", "inspect", image], capture_output=True, check=False).returncode == 0:
        return
    ask = ["aws", "ecr", "get-login-password", "--region", region]
    password = subprocess.run(ask, capture_output=True, check=True, timeout=60).stdout
    with tempfile.TemporaryDirectory(prefix="teal-", dir=RUN_FOLDER) as folder:
        docker = ["docker", "--config", folder]
        login = [*docker, "login", "--username", "AWS", "--password-stdin", image.partition("/")[0]]
        subprocess.run(login, input=password, check=True, timeout=60)
        subprocess.run([*docker, "pull", "--quiet", image], check=True, timeout=PULL_SECONDS)


def secrets_of(spec: dict[str, Any], region: str) -> dict[str, str]:
    """The secrets that spec names, by variable. Raises CalledProcessError for one that the role may not read."""
    wanted = spec.get("secrets", {})
    names = sorted(set(wanted.values()))
    found: dict[str, str] = {}
    for start in range(0, len(names), MOST_AT_ONCE):
        ask = ["aws", "ssm", "get-parameters", "--region", region, "--with-decryption", "--output", "json", "--names"]
        ask += names[start : start + MOST_AT_ONCE]
        told = subprocess.run(ask, stdout=subprocess.PIPE, check=True, timeout=READ_SECONDS).stdout
        found.update({each["Name"]: each["Value"] for each in json.loads(told)["Parameters"]})
    missing = [name for name in names if name not in found]
    if missing:
        raise SystemExit("these secrets are not in SSM: " + ", ".join(missing))
    return {variable: found[name] for variable, name in wanted.items()}


def version_of(image: str) -> str:
    """The version that the image is labelled with; empty without a label."""
    inspect = ["docker", "image", "inspect", "--format", VERSION_LABEL, image]
    return subprocess.run(inspect, capture_output=True, check=True, text=True, timeout=60).stdout.strip()


def main(arguments: list[str]) -> int:
    """Does `pull` or `run LOG_GROUP`; returns the exit status."""
    with open(CONTAINER_FILE, encoding="utf-8") as file:  # noqa: PTH123  # one line either way
        spec = json.load(file)
    if not spec["image"]:
        if arguments == ["pull"]:
            return 0  # systemd heeds status 78 from `run` only
        sys.stderr.write("nothing is released yet: " + CONTAINER_FILE + " names no image\n")
        return NOTHING_RELEASED
    metadata = Metadata()
    region = metadata.get("placement/region")
    if arguments == ["pull"]:
        pull(spec["image"], region)
        return 0
    facts = {
        "region": region,
        "instance": metadata.get("instance-id"),
        "zone": metadata.get("placement/availability-zone"),
        "version": version_of(spec["image"]),
    }
    command = docker_run(spec, facts, log_group=arguments[1])
    environment = {**os.environ, **secrets_of(spec, region)}
    return os.execvpe(command[0], command, environment)  # noqa: S606  # never returns: docker takes this process over


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
