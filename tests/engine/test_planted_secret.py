"""A secret is planted in a stack, the stack lives through all that happens to one, and it is looked for everywhere.

It may be in the memory of the embedded cloud's API, in the processes of the instances that asked for it, and, as long
as a run lasts, in the environment of the program, which is how Pulumi hands over configuration. Nowhere else.
"""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.world import COMMAND_SECONDS, PROJECT, World, copy_project, running_world
from leaks import Glances, Planted, glancing
from localcloud.api.recorder import SWITCH
from localcloud.stacks import LocalStack
from toolchain import Toolchain

SECONDS = 1800
PLANTED = Planted("plant/ed+s3cret=0f8c1d~of&dev")
VARIABLE = "DATABASE_URL"
KEY = f"app:{VARIABLE}"
HOOK = """#!/bin/sh
# Tells all that it gets to know, and has an opinion on version 3.
env; cat; find "$(dirname "$0")" -type f -newer "$0" -exec cat {} +
case "$TEAL_TO_DIGEST$TEAL_DIGEST" in *) test ! -e "$(dirname "$0")/says-no" || exit 3 ;; esac
"""
INSTANCE = b"TEAL_INSTANCE="
"""In the environment of an instance, and of no other process."""
PROGRAM_HOST = "pulumi-language-python-exec"
"""Starts the program, which Pulumi gives the configuration in its environment."""


@dataclass
class Site:
    """A project with the secret in its stack file, encrypted, and all that anybody was told about it."""

    world: World
    project: Path
    told: dict[str, str] = field(default_factory=dict)
    """What was printed, by command."""

    @property
    def stack(self) -> LocalStack:
        return self.world.stack("dev", self.project)

    def teal(self, *words: str, code: int = 0) -> str:
        """What a command prints that ends so."""
        arguments = [Path(sys.executable).with_name("teal"), *words]
        variables = {**os.environ, "TEAL_HOME": str(self.world.home.root), "TEAL_TOOLCHAIN": "build"}
        return self.run(" ".join(words), arguments, variables, code)

    def pulumi(self, *words: str, given: str = "", code: int = 0) -> str:
        """What the engine prints, as a user runs it in the project after `teal local env`."""
        arguments = [self.world.toolchain.pulumi, "--non-interactive", *words, "--stack", "dev"]
        return self.run(" ".join(words), arguments, {**os.environ, **self.stack.environment}, code, given)

    def run(self, name: str, arguments: list[Any], variables: dict[str, str], code: int, given: str = "") -> str:
        done = subprocess.run(
            arguments,
            cwd=self.project,
            env=variables,
            input=given,
            capture_output=True,
            text=True,
            timeout=2 * COMMAND_SECONDS,
            check=False,
        )
        self.told[f"{name} ({len(self.told)})"] = done.stdout + done.stderr
        assert done.returncode == code, done.stderr + done.stdout
        return done.stdout

    def configure(self, change: dict[str, Any]) -> None:
        """Changes settings in the stack file."""
        file = self.project / "Pulumi.dev.yaml"
        about = yaml.safe_load(file.read_text())
        for key, value in change.items():
            if value is None:
                about["config"].pop(key, None)
            else:
                about["config"][key] = value
        file.write_text(yaml.safe_dump(about))

    def setting(self, key: str) -> Any:
        return yaml.safe_load((self.project / "Pulumi.dev.yaml").read_text())["config"][key]

    def user_data(self) -> dict[str, str]:
        """Of launch templates, by version, and of instances, decoded."""
        ec2 = self.world.aws("ec2")
        found = {}
        for template in ec2.describe_launch_templates()["LaunchTemplates"]:
            about = {"LaunchTemplateId": template["LaunchTemplateId"]}
            for version in ec2.describe_launch_template_versions(**about)["LaunchTemplateVersions"]:
                name = f"{template['LaunchTemplateName']} {version['VersionNumber']}"
                found[name] = version["LaunchTemplateData"].get("UserData", "")
        for reservation in ec2.describe_instances()["Reservations"]:
            for instance in reservation["Instances"]:
                asked = ec2.describe_instance_attribute(InstanceId=instance["InstanceId"], Attribute="userData")
                found[instance["InstanceId"]] = asked["UserData"].get("Value", "")
        return {name: base64.b64decode(text).decode() for name, text in found.items() if text}

    def ledger(self) -> str:
        """Every item of the ledger's table, history included."""
        table = self.stack.exports()["ledgerTable"]
        return json.dumps(self.world.aws("dynamodb").scan(TableName=table)["Items"])

    def leaks(self, glances: Glances) -> dict[str, list[str]]:
        """Every place that has it and should not, by kind of place."""
        found = {
            "files": PLANTED.files(self.world.home.root),
            "project": PLANTED.files(self.project),
            "output": [name for name, text in self.told.items() if PLANTED.seen_in(text.encode())],
            "user data": [name for name, text in self.user_data().items() if PLANTED.seen_in(text.encode())],
            "ledger": ["the table"] if PLANTED.seen_in(self.ledger().encode()) else [],
            "command lines": sorted(glances.command_lines),
            "environments": sorted(name for name in glances.environments if PROGRAM_HOST not in name),
        }
        return {kind: places for kind, places in found.items() if places}


@pytest.fixture(scope="module")
def glances() -> Iterator[Glances]:
    with glancing(PLANTED, INSTANCE) as looking:
        yield looking


@pytest.fixture(scope="module")
def site(engine: Toolchain, glances: Glances, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """After all that a stack goes through, things that fail among it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SWITCH, "1")
        base = tmp_path_factory.mktemp("planted")
        with running_world(base / "home", engine) as world:
            hooks = {phase: [{"command": "./hook"}] for phase in ("preparing", "verifying", "done", "rolled_back")}
            project = copy_project(base / "teal", "dev", "dev", hooks=hooks)
            (project / "policy").symlink_to(PROJECT / "policy")
            (project / "policy-exemptions.yaml").symlink_to(PROJECT / "policy-exemptions.yaml")
            (project / "hook").write_text(HOOK)
            (project / "hook").chmod(0o755)
            site = Site(world, project)
            plant(site)
            live_through(site)
            yield site


def plant(site: Site) -> None:
    site.stack.prepare()
    site.pulumi("config", "set", "--secret", KEY, given=PLANTED.word)
    assert site.setting(KEY).keys() == {"secure"}
    site.teal("local", "up", "dev")


def live_through(site: Site) -> None:
    """Releases, looks, and failures of every kind; whatever is printed is kept."""
    quick = ("--steps", "100", "--bake", "0s", "--keep-warm", "0s")
    second, third = (
        site.teal("image", "build", "dev", "--label", f"org.opencontainers.image.version={version}").strip()
        for version in ("2", "3")
    )
    site.teal("release", "plan", "dev", "--image", second, *quick[:4])
    site.teal("release", "start", "dev", "--image", second, *quick)
    (site.project / "says-no").touch()
    site.teal("release", "start", "dev", "--image", third, *quick, code=5)
    (site.project / "says-no").unlink()
    for command in ("status", "history"):
        site.teal("release", command, "dev", "--json")
        site.teal("release", command, "dev")
    site.teal("local", "status", "--json")
    site.teal("local", "logs")
    site.teal("local", "preview", "dev")
    for words in (["stack", "export"], ["stack", "output", "--json"], ["stack", "history", "--json"], ["config"]):
        site.run(" ".join(words), *raw(site, words), code=0)
    break_things(site)


def raw(site: Site, words: list[str]) -> tuple[list[Any], dict[str, str]]:
    """The engine in the folder that the cloud runs the stack in."""
    folder = ["--cwd", str(site.stack.work_dir), "--stack", "dev"]
    return [site.world.toolchain.pulumi, "--non-interactive", *words, *folder], {
        **os.environ,
        **site.stack.environment,
    }


def break_things(site: Site) -> None:
    before = (site.project / "Pulumi.dev.yaml").read_bytes()
    sealed = site.setting(KEY)

    def failing(settings: dict[str, Any]) -> None:
        site.configure(settings)
        site.teal("local", "up", "dev", code=1)
        (site.project / "Pulumi.dev.yaml").write_bytes(before)

    failing({"app:TEAL_OWN": sealed})  # the program refuses the name
    failing({"teal:zones": sealed})  # a secret where a number belongs
    site.pulumi("config", "set", "--secret", "app:LONG", given=PLANTED.word * 200)
    site.teal("local", "up", "dev", code=1)  # the provider refuses its length
    (site.project / "Pulumi.dev.yaml").write_bytes(before)
    taken = {"Name": "/teal-app/dev/TAKEN", "Type": "String", "Value": "somebody else's"}
    site.world.aws("ssm").put_parameter(**taken)
    site.configure({"app:TAKEN": sealed})
    site.teal("local", "up", "dev", code=1)  # the API refuses the call
    (site.project / "Pulumi.dev.yaml").write_bytes(before)


@pytest.mark.long
@pytest.mark.timeout(SECONDS)
def test_the_instances_have_it(site: Site) -> None:
    pids = site.world.pids()
    assert pids
    for pid in pids.values():
        variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        assert f"{VARIABLE}={PLANTED.word}".encode() in variables
    held = site.world.aws("ssm").get_parameter(Name=f"/teal-app/dev/{VARIABLE}", WithDecryption=True)["Parameter"]
    assert (held["Type"], held["Value"]) == ("SecureString", PLANTED.word)


@pytest.mark.long
@pytest.mark.timeout(SECONDS)
def test_it_is_nowhere_else(site: Site, glances: Glances) -> None:
    assert min(len(site.told), len(glances.looked), len(site.user_data())) > 5, "enough was looked at to tell"
    assert site.leaks(glances) == {}
    assert any(PROGRAM_HOST in name for name in glances.environments), "the search sees where it is meant to be"
    assert any(VARIABLE in text for text in site.user_data().values()), "the instances know where to look"
    assert VARIABLE in "".join(site.told.values())
    assert site.world.home.calls_file.read_text().count("/teal-app/dev/") > 0
    assert "HOOK" in site.ledger()


@pytest.mark.long
@pytest.mark.timeout(SECONDS)
def test_a_leak_in_each_kind_of_place_is_seen(site: Site, glances: Glances) -> None:
    seen = site.leaks(glances)
    encoded = base64.b64encode(f"export {VARIABLE}={PLANTED.word}\n".encode()).decode()
    leak = site.world.home.root / "leak"
    (site.project / "leak").write_text(PLANTED.word)
    leak.write_text(encoded)
    site.run("leak", [sys.executable, "-c", f"print({PLANTED.word!r})"], dict(os.environ), 0)
    with subprocess.Popen([sys.executable, "-c", "input()", PLANTED.word], stdin=subprocess.PIPE) as process:
        glances.look()
        process.communicate(b"\n")
    held = {**os.environ, "LEAK": PLANTED.word}
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env=held) as process:
        glances.look()
        process.communicate(b"\n")
    data: dict[str, Any] = {"LaunchTemplateName": "leak", "LaunchTemplateData": {"UserData": encoded}}
    site.world.aws("ec2").create_launch_template(**data)
    table = site.stack.exports()["ledgerTable"]
    key = {"pk": {"S": "leak"}, "sk": {"S": "leak"}, "note": {"S": PLANTED.word}}
    site.world.aws("dynamodb").put_item(TableName=table, Item=key)
    found = site.leaks(glances)
    leak.unlink()
    assert not seen
    assert found.keys() == {
        *("files", "project", "output", "user data", "ledger", "command lines", "environments"),
    }
