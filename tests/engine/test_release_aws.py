"""The release commands by the way that leads to AWS: variables of the user's, project folder, own backend.

What they reach is the embedded API all the same, by the endpoint and the credentials that `teal local env` prints.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from engine.world import COMMAND_SECONDS, World, copy_project, running_world
from localcloud.stacks import LocalStack
from release.adapters.automation import StackProgram
from release.errors import InfrastructureFailed
from toolchain import Toolchain

Teal = Callable[..., subprocess.CompletedProcess[str]]


def variables_of(world: World) -> dict[str, str]:
    """What a user's shell has after `eval "$(teal local env dev)"`."""
    found: dict[str, str] = json.loads(world.teal("local", "env", "dev", "--json"))
    return found


def as_on_aws(world: World, project: Path) -> Teal:
    """`teal` in a copy of the project that knows of no embedded cloud, as a user of AWS has it."""
    variables = variables_of(world)
    copy_project(project, "dev", like="dev")
    stack_file, ours = project / "Pulumi.dev.yaml", Path(variables.pop("TEAL_WORK_DIR")) / "Pulumi.dev.yaml"
    salt = yaml.safe_load(ours.read_text())["encryptionsalt"]  # a user's own stack file has it, too
    stack_file.write_text(yaml.safe_dump({**yaml.safe_load(stack_file.read_text()), "encryptionsalt": salt}))

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [Path(sys.executable).with_name("teal"), *arguments],
            cwd=project,
            env={**os.environ, **variables, "TEAL_AWS": "1", "TEAL_TOOLCHAIN": "build"},
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )

    return run


def test_status_and_plan_read_what_is_there_and_change_nothing(world: World, dev: LocalStack, tmp_path: Path) -> None:
    project = tmp_path / "teal"
    teal = as_on_aws(world, project)
    before = (project / "Pulumi.dev.yaml").read_bytes()
    by_loopback = json.loads(world.teal("release", "status", "dev", "--json"))
    status = teal("release", "status", "dev", "--json")
    assert status.returncode == 0, status.stderr
    assert json.loads(status.stdout) == by_loopback
    plan = teal("release", "plan", "dev", "--image", "sha256:" + "0" * 64)
    assert plan.returncode == 4, plan.stderr
    assert "CLOSED  image in the registry" in plan.stdout
    assert f"open    {by_loopback['live']} healthy: " in plan.stdout
    assert (project / "Pulumi.dev.yaml").read_bytes() == before
    assert not (project / ".teal" / "cloud.json").exists()


@pytest.mark.long
def test_a_run_that_fails_is_one_line_with_the_programs_own_words(
    world: World, dev: LocalStack, engine: Toolchain, tmp_path: Path
) -> None:
    project = copy_project(tmp_path / "teal", "dev", like="dev", zones=1)
    program = StackProgram(project, "dev", engine.pulumi_command(), variables_of(world))
    with pytest.raises(InfrastructureFailed) as failed:
        program.apply("r-1")
    assert str(failed.value) == "stack dev: teal:zones is '1': input should be greater than or equal to 2"


@pytest.mark.long
def test_a_whole_release_goes_by_that_way(engine: Toolchain, tmp_path: Path) -> None:
    project = tmp_path / "teal"
    with running_world(tmp_path / "home", engine) as world:
        url = world.teal("local", "up", "dev").strip()
        label = "org.opencontainers.image.version=2"
        digest = world.teal("image", "build", "dev", "--label", label).strip()
        teal = as_on_aws(world, project)
        before = (project / "Pulumi.dev.yaml").read_bytes()
        quick = ("--steps", "50,100", "--bake", "0s", "--keep-warm", "0s")
        done = teal("release", "start", "--url", url, "dev", "--image", digest, *quick)
        assert done.returncode == 0, done.stderr
        status = json.loads(teal("release", "status", "dev", "--json").stdout)
        assert (status["live"], status["release"], status["lock"]) == ("green", None, None)
        assert status["colours"]["green"]["digest"] == digest
        assert status["colours"]["blue"]["capacity"] == 0
        assert (project / "Pulumi.dev.yaml").read_bytes() == before
        world.teal("local", "preview", "dev", "--refresh", "--expect-no-changes")
