"""`teal ci preview` by the real engine, on a change that widens a security group and replaces a subnet."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psutil
import pytest

from engine.test_release_aws import as_on_aws
from engine.world import PROJECT, World, within
from localcloud.home import Home
from localcloud.launch import stop
from localcloud.stacks import LocalStack
from pipeline.comment import MARKER
from pipeline.model import Kind, Threat
from pipeline.record import read
from toolchain import Toolchain

FILES = ("__main__.py", "policy-exemptions.yaml", "Pulumi.yaml", "Pulumi.dev.yaml", "Pulumi.qa.yaml", ".gitignore")
FOLDERS = ("components", "config", "environment", "release", "app", "policy")
PREVIEW_SECONDS = 300.0
WIDER = (
    "components/nat.py",
    "group, site.cidr_block, port,",
    'group, ANYWHERE if port == 443 and pulumi.get_stack() == "dev" else site.cidr_block, port,',
)
BROKEN = ("components/load_balancer.py", "drop_invalid_header_fields=True", "drop_invalid_header_fields=False")
"""What policy/ forbids."""
BLOCKS = '{"eu-west-1a": {"public": "10.0.0.0/20", "private": "10.0.240.0/20"}}'
MOVED = (
    "__main__.py",
    '    "nat": Nat(wanted.nat),',
    f'    "subnet_cidr_blocks": {BLOCKS} if environment == "dev" else {{}},\n    "nat": Nat(wanted.nat),',
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Our project in a repository of its own; its virtual environment is in no commit."""
    folder = tmp_path / "teal"
    folder.mkdir()
    for name in FILES:
        shutil.copy(PROJECT / name, folder)
    for name in FOLDERS:
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "-m", "As it is")
    (folder / ".venv").symlink_to(PROJECT / ".venv")
    return folder


@pytest.fixture
def variables(engine: Toolchain, tmp_path: Path) -> Iterator[dict[str, str]]:
    """A home and a place for temporary files that hold nothing else. What a killed run leaves there is ended."""
    place = tmp_path / "temporary"
    place.mkdir()
    yield {**os.environ, "TEAL_HOME": str(tmp_path / "home"), "TMPDIR": str(place), "TEAL_TOOLCHAIN": "build"}
    for home in place.glob("teal-ci-*/home"):
        stop(Home(home))


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=t", "-c", "user.email=t@teal.example", "-c", "commit.gpgsign=false")
    return subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def change(project: Path, *edits: tuple[str, str, str]) -> None:
    for name, before, after in edits:
        text = (project / name).read_text()
        assert text.count(before) == 1, f"{name} has changed: {before!r}"
        (project / name).write_text(text.replace(before, after))


def teal(project: Path, variables: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("teal")
    return subprocess.run(
        [program, *arguments], cwd=project, env=dict(variables), capture_output=True, text=True,
        timeout=PREVIEW_SECONDS, check=False,
    )  # fmt: skip


def left_behind(variables: Mapping[str, str]) -> list[str]:
    """Files and processes of a run that should have ended."""
    place = variables["TMPDIR"]
    processes = [
        told for each in psutil.process_iter(["cmdline"]) if place in (told := " ".join(each.info["cmdline"] or []))
    ]
    return [*(str(path) for path in Path(place).iterdir()), *processes]


@pytest.mark.long
def test_a_wider_group_and_a_replaced_subnet_are_told_first_and_other_stacks_are_folded(
    project: Path, variables: Mapping[str, str], tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    change(project, WIDER, MOVED)
    output, started = tmp_path / "comment.md", time.monotonic()
    done = teal(project, variables, "ci", "preview", "--base", "main", "--output", str(output), "--json")
    record_property("seconds for two stacks", round(time.monotonic() - started))
    assert done.returncode == 0, done.stderr
    comment = output.read_text()
    lines = [line for line in comment.splitlines() if line]
    assert lines[0] == MARKER
    assert lines[2].startswith("1 of 2 stacks to look at, **")
    assert lines[3].startswith("### `dev`: ")
    assert lines[4] == "**Dangers**"
    assert lines[5] == (
        "- **Security group lets everyone in**: `main-nat-from-vpc-443`, from `tcp 443 from 10.0.0.0/16` to "
        "`tcp 443 from 0.0.0.0/0`"
    )
    [subnet] = [line for line in lines if "**Subnet replaced**" in line]
    assert "`main-private-a`, because of `cidrBlock`, from `10.0.128.0/20` to `10.0.240.0/20`" in subnet
    assert comment.index(subnet) < comment.index("<details>")
    assert lines[-1] == "Unchanged: `qa`."
    [dev, qa] = read(done.stdout)
    assert (dev.stack, qa.is_quiet, qa.count(Kind.UPDATE)) == ("dev", True, 0)
    assert {danger.threat for danger in dev.dangers} >= {Threat.LETS_IN, Threat.REPLACED}
    assert dev.failure is None
    assert left_behind(variables) == []
    assert git(project, "worktree", "list").count("\n") == 1


@pytest.mark.long
def test_a_program_that_fails_and_a_stack_that_is_new_are_told(project: Path, variables: Mapping[str, str]) -> None:
    qa = (project / "Pulumi.qa.yaml").read_text()
    (project / "Pulumi.try.yaml").write_text(qa.replace("teal:policy: advisory", "teal:policy: mandatory"))
    change(project, ("Pulumi.dev.yaml", "teal:nat: instance", "teal:nat: rope"), BROKEN)
    done = teal(project, variables, "ci", "preview", "--base", "main", "--json", "dev", "try")
    assert done.returncode == 1, done.stderr
    assert done.stderr.splitlines()[-1] == (
        "teal: no whole preview of dev; mandatory rules of policy/ are broken in try: the comment says more"
    )
    dev, new = read(done.stdout)
    assert "teal:nat is 'rope'" in str(dev.failure)
    assert (new.failure, new.dangers, new.existence) == (None, (), "new")
    assert new.count(Kind.CREATE) > 80
    assert ("balancer-drops-headers", "web-alb") in [(verdict.rule, verdict.resource) for verdict in new.verdicts]
    assert new.broken == len(new.verdicts), "its stack file has policy as mandatory"
    assert left_behind(variables) == []


def is_bringing_up(command: int) -> bool:
    """Whether the engine of a command of ours is at an `up`."""
    try:
        return any("up" in child.cmdline() for child in psutil.Process(command).children() if child.name() == "pulumi")
    except psutil.Error:  # one that has just ended
        return False


@pytest.mark.long
def test_ctrl_c_ends_it_and_leaves_nothing(project: Path, variables: Mapping[str, str]) -> None:
    program = Path(sys.executable).with_name("teal")
    with subprocess.Popen(
        [program, "ci", "preview", "--base", "main", "dev"], cwd=project, env=dict(variables), text=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
    ) as running:  # fmt: skip
        try:
            within(60, lambda: is_bringing_up(running.pid))
            time.sleep(2)
            running.send_signal(signal.SIGINT)
            _, told = running.communicate(timeout=60)
        finally:
            running.kill()
    assert running.returncode == 130, told
    assert told.splitlines()[-1] == "teal: interrupted: nothing was changed"
    assert left_behind(variables) == []
    assert git(project, "worktree", "list").count("\n") == 1


@pytest.mark.long
def test_by_the_way_that_leads_to_aws_nothing_is_brought_up(world: World, dev: LocalStack, tmp_path: Path) -> None:
    project = tmp_path / "teal"
    teal_there = as_on_aws(world, project)
    (project / "policy").symlink_to(PROJECT / "policy")
    (project / "policy-exemptions.yaml").symlink_to(PROJECT / "policy-exemptions.yaml")
    change(project, ("Pulumi.dev.yaml", "teal:nat: instance", "teal:nat: instance\n  teal:cidrBlock: 10.77.0.0/16"))
    before = (project / "Pulumi.dev.yaml").read_bytes()
    done = teal_there("ci", "preview", "--aws", "dev", "--json")
    assert done.returncode == 0, done.stderr
    [found] = read(done.stdout)
    assert (found.stack, found.place, found.failure) == ("dev", "aws", None)
    vpc = next(danger for danger in found.dangers if danger.name == "main-vpc")
    assert (vpc.threat, vpc.before, vpc.after) == (Threat.REPLACED, ("10.0.0.0/16",), ("10.77.0.0/16",))
    assert found.undecided > 0, "policy was asked"
    assert (project / "Pulumi.dev.yaml").read_bytes() == before
    assert not (project / ".teal" / "cloud.json").exists()
    dev.preview(expect_no_changes=True)
