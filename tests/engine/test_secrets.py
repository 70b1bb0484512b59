"""Secrets stay secret: in the state, in the daemon's log and in whatever the engine and our commands print."""

import os
import subprocess
from pathlib import Path
from typing import Any

import yaml

from engine.world import COMMAND_SECONDS, BringUp, World, run, write_project

PASSWORD = "a-word-that-nobody-may-read"
PROGRAM = """
import pulumi
from pulumi_aws import ssm

password = pulumi.Config().require_secret("password")
parameter = ssm.Parameter("kept", type="SecureString", value=password)
pulumi.export("value", parameter.value)
"""


def files_with(folder: Path, word: str) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and word.encode() in path.read_bytes()]


def test_the_test_header_is_nowhere_in_clear(world: World, bring_up: BringUp) -> None:
    dev = bring_up("dev")
    name = dev.exports()["testHeaderParameter"]
    secret = world.aws("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
    assert len(secret) == 43
    heard = run(dev.up)
    for arguments in (
        ["preview", "--diff", "--refresh"],
        ["stack", "export"],
        ["stack", "output", "--json"],
        ["stack"],
    ):
        world.pulumi(dev, *arguments)
    assert secret not in "".join([*world.printed, *heard.text])
    assert files_with(world.home.backend, "main-vpc"), "this is where the state is"
    assert not files_with(world.home.backend, secret)
    assert not files_with(world.home.projects, secret)
    assert secret not in world.home.log_file.read_text()


def test_a_secret_of_the_configuration_stays_encrypted(world: World, untouched: frozenset[str], tmp_path: Path) -> None:
    folder = write_project(tmp_path / "keeper", PROGRAM, {"keeper:password": "soon"})
    stack = world.stack("dev", folder)
    stack.exports()  # lets the engine make the stack, and the salt that its secrets are encrypted with
    world.pulumi(stack, "config", "set", "--secret", "password", PASSWORD)
    config = yaml.safe_load((stack.work_dir / "Pulumi.dev.yaml").read_text())["config"]
    assert config["keeper:password"].keys() == {"secure"}
    stack.source.write_text(yaml.safe_dump({"config": config}))
    before = world.inventory()
    heard = run(stack.up)
    try:
        assert stack.exports() == {"value": PASSWORD}, "the program got it, and so may who asks for it"
        world.pulumi(stack, "stack", "output", "--json")
        assert PASSWORD not in "".join([*world.printed, *heard.text])
        assert not files_with(world.home.root, PASSWORD)
        stack.preview(refresh=True, expect_no_changes=True)
    finally:
        stack.destroy()
    assert world.inventory() == before


def test_a_secret_that_only_a_team_can_open_gets_a_stand_in_until_somebody_sets_one_here(
    world: World, untouched: frozenset[str], tmp_path: Path
) -> None:
    folder = write_project(tmp_path / "teams", PROGRAM)
    file = folder / "Pulumi.dev.yaml"
    config = yaml.safe_load(file.read_text())["config"]
    sealed = {"secretsprovider": "awskms://alias/team", "encryptedkey": "AQICAHh"}
    file.write_text(yaml.safe_dump({**sealed, "config": {**config, "teams:password": {"secure": "v1:abc:AQICAHh"}}}))
    before, stack = world.inventory(), world.stack("dev", folder)
    assert stack.up()["value"] == "stand-in for config.teams:password"
    assert not run(stack.up).changes
    file.write_text(yaml.safe_dump({"config": config}))
    given: dict[str, Any] = {"input": PASSWORD, "text": True, "cwd": folder, "env": {**os.environ, **stack.environment}}
    command = [
        str(world.toolchain.pulumi),
        "--non-interactive",
        "config",
        "set",
        "--secret",
        "password",
        "--stack",
        "dev",
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=COMMAND_SECONDS, **given)
    assert "encryptionsalt" in yaml.safe_load(file.read_text())
    assert stack.up()["value"] == PASSWORD
    stack.preview(refresh=True, expect_no_changes=True)
    stack.destroy()
    assert world.inventory() == before
