"""A `pulumi up` that was killed leaves a create that nobody knows the end of: what a release on AWS makes of it.

The engine is the real one, the state a file of its own; no cloud is needed.
"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pulumi.automation import Stack

from engine.world import COMMAND_SECONDS, write_project
from release.adapters.automation import StackProgram, Workspace
from toolchain import Toolchain

URN = "urn:pulumi:dev::shop::aws:autoscaling/policy:Policy::green-cpu"
UNFINISHED = {
    "resource": {"urn": URN, "custom": True, "type": "aws:autoscaling/policy:Policy", "inputs": {"policyType": "x"}},
    "type": "creating",
}


class Backend:
    """A stack in a folder's state."""

    def __init__(self, folder: Path, engine: Toolchain) -> None:
        self.project = write_project(folder / "shop", "import pulumi\npulumi.export('listenerArn', 'arn:1')\n")
        (folder / "state").mkdir()
        self.variables = {
            **engine.environment(),
            "PULUMI_BACKEND_URL": (folder / "state").as_uri(),
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_CONFIG_PASSPHRASE": "",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }
        self.engine, self.remarks = engine, list[str]()

    def pulumi(self, *arguments: str) -> str:
        done = subprocess.run(
            [self.engine.pulumi, "--non-interactive", "--color=never", *arguments],
            cwd=self.project, env={**os.environ, **self.variables}, capture_output=True, text=True,
            timeout=COMMAND_SECONDS, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    def program(self) -> StackProgram:
        command = self.engine.pulumi_command()
        return StackProgram(self.project, "dev", command, self.variables, remark=self.remarks.append)

    def pending(self) -> list[Any]:
        deployment = json.loads(self.pulumi("stack", "export", "-s", "dev"))["deployment"]
        return list(deployment.get("pending_operations", []))


@pytest.fixture
def backend(engine: Toolchain, tmp_path: Path) -> Backend:
    made = Backend(tmp_path, engine)
    made.pulumi("stack", "init", "dev")
    made.program().apply("r-0")
    file = tmp_path / "state" / ".pulumi" / "stacks" / "shop" / "dev.json"
    state = json.loads(file.read_text())
    state["checkpoint"]["latest"]["pending_operations"] = [UNFINISHED]  # `pulumi stack import` would leave it out
    file.write_text(json.dumps(state))
    assert len(made.pending()) == 1
    return made


def test_a_release_goes_on_past_it_and_tells_what_to_look_at(backend: Backend) -> None:
    backend.program().apply("r-1")
    [told] = backend.remarks
    assert told.startswith("Stack dev: an earlier run was killed while it made green-cpu, which may be there without")
    assert told.endswith("then `pulumi refresh -s dev --clear-pending-creates`")
    assert backend.program().exports() == {"listenerArn": "arn:1"}
    assert len(backend.pending()) == 1, "only a person knows what became of it"


def test_the_command_that_it_names_ends_it(backend: Backend) -> None:
    workspace = Workspace(
        work_dir=str(backend.project), pulumi_command=backend.engine.pulumi_command(), env_vars=backend.variables
    )
    Stack.select("dev", workspace).refresh(color="never", clear_pending_creates=True)
    assert backend.pending() == []
    backend.program().apply("r-1")
    assert backend.remarks == []
