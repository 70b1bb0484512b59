#!/usr/bin/python3
"""Runs Teal's container on an EC2 instance: user data or the machine image has this file there, and systemd starts it.

It is Python because Amazon Linux has Python (3.9: nothing newer here) and no JSON tool for shells.
`instance_boot.py pull` logs in to the registry and gets the image by its digest, unless it is there.
`instance_boot.py run` becomes `docker run`, so that systemd watches the container itself. Secrets are read from SSM
just before, by the instance's role, and handed over in the environment, never on a command line.
`instance_boot.py ready` waits until the container answers, and tells the scaling group, if that waits to hear it.
`instance_boot.py attach` brings the data volume here, if the container file names one: volume_boot.py does that.
`instance_boot.py detach` lets it go where the unit is being stopped. A container that ended by itself finds it again.
Where the container file names no image, nothing is released: then there is nothing to pull, and `run` ends with
status 78, upon which the unit gives up. What goes wrong is one line in the journal.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from typing import Any

CONTAINER_FILE = "/etc/teal/container.json"
METADATA = "http://169.254.169.254/latest"
RUN_FOLDER = "/run"  # in memory
TOLD_FILE = RUN_FOLDER + "/teal-told"
METADATA_SECONDS = 5
PULL_SECONDS = 240
READY_PATH = "/readyz"
READY_SECONDS = 120
ANSWER_SECONDS = 2
HOOK = "ready"  # the scaling group's lifecycle hook
TELL_SECONDS = 120
TELL_AGAIN_SECONDS = 3
READ_SECONDS = 60
MOST_AT_ONCE = 10  # parameters that SSM takes in a call
NOTHING_RELEASED = 78
UNIT = "teal.service"
VOLUME_SCRIPT = "volume_boot.py"  # beside this one
DATA_SOURCE, DATA_TARGET = "/var/lib/teal/data", "/data"
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


class NotReady(Exception):
    """The container does not answer, and why."""


def docker_run(spec: dict[str, Any], facts: dict[str, str]) -> list[str]:
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
    command += ["--log-opt", "awslogs-group=" + spec["log_group"], "--log-opt", "awslogs-region=" + facts["region"]]
    command += ["--log-opt", "awslogs-stream=" + spec["colour"] + "/" + facts["instance"]]
    if "volume" in spec:
        command += ["--mount", "type=bind,src=" + DATA_SOURCE + ",dst=" + DATA_TARGET]
        environment["TEAL_DATA"] = DATA_TARGET
    for key in sorted(environment):
        command += ["--env", key + "=" + environment[key]]
    for key, _ in spec.get("secrets", []):
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
    wanted = spec.get("secrets", [])
    names = sorted({name for _, name in wanted})
    found: dict[str, str] = {}
    for start in range(0, len(names), MOST_AT_ONCE):
        ask = ["aws", "ssm", "get-parameters", "--region", region, "--with-decryption", "--output", "json", "--names"]
        ask += names[start : start + MOST_AT_ONCE]
        told = subprocess.run(ask, stdout=subprocess.PIPE, check=True, timeout=READ_SECONDS).stdout
        found.update({each["Name"]: each["Value"] for each in json.loads(told)["Parameters"]})
    missing = [name for name in names if name not in found]
    if missing:
        raise SystemExit("these secrets are not in SSM: " + ", ".join(missing))
    return {variable: found[name] for variable, name in wanted}


def version_of(image: str) -> str:
    """The version that the image is labelled with; empty without a label."""
    inspect = ["docker", "image", "inspect", "--format", VERSION_LABEL, image]
    return subprocess.run(inspect, capture_output=True, check=True, text=True, timeout=60).stdout.strip()


def wait_until_ready(port: int, container_pid: str) -> None:
    """Returns once the container answers on its readiness path. Raises NotReady if it ends or takes too long.

    container_pid is the process that systemd watches, empty if unknown.
    """
    url = "http://127.0.0.1:" + str(port) + READY_PATH
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            with urllib.request.urlopen(url, timeout=ANSWER_SECONDS):  # always http
                return
        except OSError as problem:
            why = str(problem)
        if container_pid and not os.path.exists("/proc/" + container_pid):  # noqa: PTH110
            raise NotReady("the container ended before it was ready")
        if time.monotonic() > deadline:
            raise NotReady(url + " does not answer within " + str(READY_SECONDS) + " s: " + why)
        time.sleep(0.5)


def tell_scaling_group(region: str, instance: str) -> None:
    """Lets the scaling group put the instance into service, if it waits to hear.

    Failing would end a container that answers, so this only says what went wrong: a group that hears nothing gives
    the instance up by itself.
    """
    deadline = time.monotonic() + TELL_SECONDS
    while not _hears(region, instance):
        if time.monotonic() > deadline:
            sys.stderr.write("the scaling group could not be told within " + str(TELL_SECONDS) + " s\n")
            return
        time.sleep(TELL_AGAIN_SECONDS)
    with open(TOLD_FILE, "w", encoding="utf-8"):  # noqa: PTH123  # never again until the instance boots
        pass


def _hears(region: str, instance: str) -> bool:
    """Whether the group knows by now, or does not wait to be told; False while it does not listen yet."""
    ask = ["aws", "autoscaling", "describe-auto-scaling-instances", "--instance-ids", instance]
    try:
        answer = subprocess.run([*ask, *_as_json(region)], stdout=subprocess.PIPE, check=True, timeout=60).stdout
        members = json.loads(answer)["AutoScalingInstances"]
        state = members[0]["LifecycleState"] if members else "none"
        if state == "Pending:Wait":
            tell = ["aws", "autoscaling", "complete-lifecycle-action", "--lifecycle-action-result", "CONTINUE"]
            tell += ["--lifecycle-hook-name", HOOK, "--instance-id", instance]
            tell += ["--auto-scaling-group-name", members[0]["AutoScalingGroupName"]]
            subprocess.run([*tell, *_as_json(region)], check=True, timeout=60)
    except subprocess.SubprocessError as problem:
        sys.stderr.write(str(problem) + "\n")
        return False
    return bool(state != "Pending")


def _as_json(region: str) -> list[str]:
    return ["--region", region, "--output", "json"]


def give_data(image: str) -> None:
    """Lets the user that the image runs as write to the data volume. Raises NotReady where that can not be."""
    if not os.path.ismount(DATA_SOURCE):
        raise NotReady("the data volume is not mounted at " + DATA_SOURCE)
    inspect = ["docker", "image", "inspect", "--format", "{{.Config.User}}", image]
    user = subprocess.run(inspect, capture_output=True, check=True, text=True, timeout=60).stdout.strip()
    uid, _, gid = user.partition(":")
    if not uid.isdigit() or not (gid or uid).isdigit():
        raise NotReady("the data volume needs an image whose USER is a number, not " + repr(user))
    os.chown(DATA_SOURCE, int(uid), int(gid or uid))


def is_stopping() -> bool:
    """Whether somebody stops the unit, or the machine goes down; not where the container ended by itself."""
    ask = ["systemctl", "list-jobs", "--no-legend", "--plain", UNIT]
    jobs = subprocess.run(ask, stdout=subprocess.PIPE, check=True, text=True, timeout=10).stdout
    return any(line.split()[1:3] in ([UNIT, "stop"], [UNIT, "restart"]) for line in jobs.splitlines())


def main(arguments: list[str]) -> int:
    """Does `pull`, `attach`, `run`, `ready` or `detach`; returns the exit status."""
    with open(CONTAINER_FILE, encoding="utf-8") as file:  # noqa: PTH123  # one line either way
        spec = json.load(file)
    if not spec["image"]:
        if arguments != ["run"]:
            return 0  # systemd heeds status 78 from `run` only
        sys.stderr.write("nothing is released yet: " + CONTAINER_FILE + " names no image\n")
        return NOTHING_RELEASED
    try:
        return STEPS[arguments[0]](spec)
    except (OSError, subprocess.SubprocessError, NotReady) as problem:
        sys.stderr.write(arguments[0] + ": " + str(problem) + "\n")
        return 1


def _pull(spec: dict[str, Any]) -> int:
    pull(spec["image"], Metadata().get("placement/region"))
    return 0


def _run(spec: dict[str, Any]) -> int:
    metadata = Metadata()
    facts = {
        "region": metadata.get("placement/region"),
        "instance": metadata.get("instance-id"),
        "zone": metadata.get("placement/availability-zone"),
        "version": version_of(spec["image"]),
    }
    if "volume" in spec:
        give_data(spec["image"])
    command = docker_run(spec, facts)
    environment = {**os.environ, **secrets_of(spec, facts["region"])}
    return os.execvpe(command[0], command, environment)  # noqa: S606  # never returns: docker takes this process over


def _ready(spec: dict[str, Any]) -> int:
    wait_until_ready(spec["port"], os.environ.get("MAINPID", ""))
    if not os.path.exists(TOLD_FILE):  # noqa: PTH110
        metadata = Metadata()
        tell_scaling_group(metadata.get("placement/region"), metadata.get("instance-id"))
    return 0


def _attach(spec: dict[str, Any]) -> int:
    return _volume("attach", spec)


def _detach(spec: dict[str, Any]) -> int:
    return _volume("detach", spec) if "volume" in spec and is_stopping() else 0


def _volume(step: str, spec: dict[str, Any]) -> int:
    if "volume" not in spec:
        return 0
    metadata = Metadata()
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), VOLUME_SCRIPT)  # noqa: PTH100, PTH118, PTH120
    about = [metadata.get("placement/region"), metadata.get("instance-id"), spec["volume"]["id"]]
    return subprocess.run([sys.executable, script, step, *about], check=False).returncode


STEPS = {"pull": _pull, "attach": _attach, "run": _run, "ready": _ready, "detach": _detach}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
