"""What a pipeline does, from the first `up` to the last `destroy`, and the calls that each of its roles made by it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.world import COMMAND_SECONDS, PROJECT, REGION, World, copy_project, within
from localcloud.api.recorder import recorded
from localcloud.environment import CREDENTIALS
from localcloud.provider.api import Api
from localcloud.registrar import own_zone
from localcloud.stacks import LocalStack
from needed import Need, needs_of

QUICK = ("--steps", "50,100", "--bake", "0s", "--keep-warm", "0s")
OURS = CREDENTIALS["AWS_ACCESS_KEY_ID"]
"""Who signs the calls of engine and commands; the data plane, which is AWS itself, and its instances sign otherwise."""
CHANGED = {
    "drainSeconds": 20,
    "stickySeconds": 60,
    "slowStartSeconds": 30,
    "latencyMilliseconds": 900,
    "logRetentionDays": 90,
    "flowLogRetentionDays": 60,
    "volumeGib": 10,
    "maxInstances": 5,
}
"""Settings that change something in every component, in place."""


@dataclass
class Walk:
    """A pipeline at work in a cloud that records its calls."""

    world: World
    folder: Path
    needs: dict[str, set[Need]] = field(default_factory=lambda: {"preview": set(), "deploy": set(), "release": set()})

    def go(self) -> None:
        """All of it."""
        dev = self.world.stack("dev")
        with self.doing("deploy"):
            dev.up()
        with self.doing("preview", "deploy"):
            dev.preview(refresh=True, expect_no_changes=True)
        self.release()
        with self.doing("deploy"):
            self.copy("dev", like="dev", **CHANGED).up()
            dev.destroy()
        self.like_prod()

    def release(self) -> None:
        """Releases of every ending."""
        with self.doing("deploy"):
            second, third, fourth = (self.build(version) for version in ("2", "3", "4"))
        with self.doing("preview"):
            self.world.teal("release", "plan", "dev", "--image", second)
        with self.doing("release"):
            self.release_command("start", "--image", second, *QUICK)
            warm = self.begin("start", "--image", third, *QUICK[:-1], "5m")
            within(90, lambda: self.phase() == "SETTLING", every=0.5)
            # Metrics are asked for from the first whole minute of a release on: most releases here are over before.
            within(120, lambda: self.is_heard("cloudwatch:GetMetricData"), every=1)
            self.release_command("rollback", "--reason", "recorded")
            self.ended(warm)
            halted = self.begin("start", "--image", fourth, "--steps", "25,100", "--bake", "60s")
            within(90, lambda: self.phase() == "SHIFTING", every=0.5)
            halted.send_signal(signal.SIGINT)
            self.ended(halted)
            resumed = self.begin("resume")
            within(30, lambda: not self.is_paused(), every=0.5)
            self.release_command("pause")
            self.release_command("abort")
            self.ended(resumed)
            self.release_command("rollback", *QUICK[2:])
        with self.doing("preview"):
            self.world.teal("release", "status", "dev")
            self.world.teal("release", "history", "dev")
        with self.doing("deploy"):
            self.world.teal("ci", "provision", "qa")
            self.world.stack("qa").destroy()

    def like_prod(self) -> None:
        """What only a stack with a domain, TLS and gateways has."""
        own_zone(Api(self.world.record.api_url, REGION), "teal.example")
        more = {"interfaceEndpoints": ["ecr.api"], "alarmEmails": ["a@teal.example"]}
        with self.doing("deploy"):
            prod = self.copy("prod", like="prod", **more)
            prod.up()
        with self.doing("preview", "deploy"):
            prod.preview(refresh=True, expect_no_changes=True)
        with self.doing("deploy"):
            self.copy("prod", like="prod", protects=False, **CHANGED).up()
            prod.destroy()

    def copy(self, name: str, like: str, **settings: object) -> LocalStack:
        """The stack, from a copy of the project."""
        folder = self.folder / f"{name}-{len(list(self.folder.iterdir()))}" / PROJECT.name
        stack = self.world.stack(name, copy_project(folder, name, like, **settings))
        stack.source.write_text(f"{stack.source.read_text()}  app:API_KEY: {{secure: of-another-key}}\n")
        return stack

    @contextmanager
    def doing(self, *roles: str) -> Iterator[None]:
        """What is called meanwhile, somebody in each of these roles calls."""
        heard = len(recorded(self.world.home.calls_file))
        yield
        lines = recorded(self.world.home.calls_file)[heard:]
        for role in roles:
            self.needs[role] |= needs_of(line for line in lines if line.who == OURS)

    def is_heard(self, action: str) -> bool:
        """Whether one of us has needed an action so far: the cloud itself reads metrics, too."""
        return any((line.action, line.who) == (action, OURS) for line in recorded(self.world.home.calls_file))

    def build(self, version: str) -> str:
        """The digest of the app with a version on it, in dev's registry."""
        return self.world.teal(
            "image", "build", "dev", "--label", f"org.opencontainers.image.version={version}"
        ).strip()

    def phase(self) -> str | None:
        """That of the release under way."""
        release = self.status()["release"]
        return release["phase"] if release else None

    def is_paused(self) -> bool:
        """Whether the release under way is."""
        return bool(self.status()["release"]["paused"])

    def status(self) -> dict[str, Any]:
        """What `teal release status` tells."""
        found: dict[str, Any] = json.loads(self.world.teal("release", "status", "dev", "--json"))
        return found

    def release_command(self, command: str, *arguments: str) -> None:
        """One that must succeed."""
        self.world.teal("release", command, "dev", *arguments)

    def begin(self, command: str, *arguments: str) -> "subprocess.Popen[str]":
        """A release command, under way."""
        return subprocess.Popen(
            [Path(sys.executable).with_name("teal"), "release", command, "dev", *arguments],
            cwd=PROJECT,
            env={**os.environ, "TEAL_HOME": str(self.world.home.root), "TEAL_TOOLCHAIN": "build"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def ended(self, command: "subprocess.Popen[str]") -> None:
        """Waits until it has ended, however."""
        command.communicate(timeout=COMMAND_SECONDS)
