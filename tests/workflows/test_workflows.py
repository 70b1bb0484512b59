"""What every workflow keeps to. `make workflows` also asks actionlint and zizmor."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.ci.way import stages_of
from localcloud.environment import stack_names
from pipeline.stages import reached

ROOT = Path(__file__).parents[2]
FILES = {path.name: path for path in sorted((ROOT / ".github" / "workflows").glob("*.yml"))}
PROGRAMS = {"make", ".venv/bin/teal", "git"}
PINNED = re.compile(r"[a-z0-9-]+/[a-z0-9-]+@[0-9a-f]{40}")
VERSIONED = re.compile(r"uses: \S+@[0-9a-f]{40} # v\d+\.\d+\.\d+$")
WRITES = {
    "comment.yml": {"pull-requests"},
    "deliver.yml": {"id-token"},
    "deliver-stack.yml": {"id-token"},
    "drift.yml": {"id-token", "issues"},
    "pull-request.yml": {"id-token"},
}
"""By workflow, what a job of it may write; all others nothing."""


def load(name: str) -> dict[Any, Any]:
    found = yaml.safe_load(FILES[name].read_text())
    assert isinstance(found, dict)
    return found


def jobs(name: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = load(name)["jobs"]
    return found


def steps(name: str) -> Iterator[dict[str, Any]]:
    for job in jobs(name).values():
        yield from job.get("steps", [])


@pytest.fixture(params=FILES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_third_party_actions_are_pinned_by_commit_and_say_their_version(name: str) -> None:
    used = [step["uses"] for step in steps(name) if "uses" in step]
    assert [action for action in used if not PINNED.fullmatch(action)] == []
    lines = [line for line in FILES[name].read_text().splitlines() if "uses: " in line and "uses: ./" not in line]
    assert [line for line in lines if not VERSIONED.search(line)] == []


def test_an_action_has_one_commit_everywhere() -> None:
    used = {step["uses"] for file in FILES for step in steps(file) if "uses" in step}
    assert len({action.partition("@")[0] for action in used}) == len(used)


def test_nothing_is_allowed_but_by_a_job(name: str) -> None:
    assert load(name)["permissions"] == {}
    for job in jobs(name).values():
        assert set(job["permissions"].values()) <= {"read", "write"}
        wrote = {scope for scope, right in job["permissions"].items() if right == "write"}
        assert wrote <= WRITES.get(name, set())


def test_every_job_ends_some_time(name: str) -> None:
    assert [key for key, job in jobs(name).items() if "uses" not in job and "timeout-minutes" not in job] == []


def test_a_step_calls_a_command_and_decides_nothing(name: str) -> None:
    for step in steps(name):
        if "run" not in step:
            continue
        words = shlex.split(step["run"])
        assert words[0] in PROGRAMS
        assert "${{" not in step["run"], "what somebody else has written belongs into env"
        assert not set(step["run"]) & set(";|&`<\n")


def test_no_checkout_leaves_a_token_behind(name: str) -> None:
    for step in steps(name):
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False


def test_no_workflow_knows_a_secret(name: str) -> None:
    assert "secrets." not in FILES[name].read_text()
    assert "secrets: inherit" not in FILES[name].read_text()


def triggers(name: str) -> dict[str, Any]:
    found: dict[str, Any] = load(name)[True]  # YAML 1.1 takes `on` for a truth value
    return found


def test_the_code_of_a_pull_request_runs_without_any_right_to_write() -> None:
    running = [name for name in FILES if "pull_request" in triggers(name)]
    assert running == ["pull-request.yml"]
    for job in jobs("pull-request.yml").values():
        rights = {scope for scope, right in job["permissions"].items() if right == "write"}
        if rights:
            assert rights == {"id-token"}
            assert "github.event.pull_request.head.repo.full_name == github.repository" in job["if"]
    assert not any("pull_request_target" in triggers(name) for name in FILES)


def test_what_may_comment_runs_the_code_of_main_and_takes_no_number_from_the_artifact() -> None:
    [checkout, first, second, *rest] = jobs("comment.yml")["comment"]["steps"]
    assert checkout["with"]["ref"] == "${{ github.event.repository.default_branch }}"
    assert {download["with"]["path"] for download in (first, second)} == {"${{ runner.temp }}/preview"}
    assert [step["run"].split()[:3] for step in rest][1:] == [
        [".venv/bin/teal", "ci", does] for does in ("render", "comment")
    ]
    told = rest[-1]["env"]
    assert told["SHA"] == "${{ github.event.workflow_run.head_sha }}"
    assert "--pull-request" not in rest[-1]["run"]


def test_the_comment_waits_for_the_workflow_by_its_name() -> None:
    assert triggers("comment.yml")["workflow_run"]["workflows"] == [load("pull-request.yml")["name"]]


def test_a_merge_goes_the_way_of_the_stack_files() -> None:
    found = jobs("deliver.yml")
    ordered = stages_of(ROOT)
    assert [key for key in found if key != "way"] == [stage.name for stage in ordered]
    for stage in ordered:
        job = found[stage.name]
        assert job["with"]["stack"] == stage.name
        assert f"'{stage.name}')" in job["if"]
        before = ["way"] if stage.follows is None else ["way", stage.follows]
        assert job["needs"] == before
        if stage.follows:
            assert job["with"]["image"] == f"${{{{ needs.{stage.follows}.outputs.image || inputs.image }}}}"
            assert f"needs.{stage.follows}.result == 'success'" in job["if"]
    assert reached(ordered)
    assert triggers("deliver.yml")["workflow_dispatch"]["inputs"]["stack"]["options"] == [s.name for s in ordered]
    assert {stage.name for stage in ordered} == set(stack_names(ROOT))


def test_an_environment_is_never_left_half_way() -> None:
    [job] = jobs("deliver-stack.yml").values()
    assert job["environment"] == "${{ inputs.stack }}"
    assert job["concurrency"] == {"group": "environment-${{ inputs.stack }}", "cancel-in-progress": False}
    for name in ("deliver.yml", "comment.yml", "drift.yml"):
        assert load(name)["concurrency"]["cancel-in-progress"] is False


def test_provisioning_and_releasing_take_a_role_each() -> None:
    roles = [
        step["with"]["role-to-assume"]
        for step in steps("deliver-stack.yml")
        if "role-to-assume" in step.get("with", {})
    ]
    assert roles == ["${{ vars.DEPLOY_ROLE_ARN }}", "${{ vars.RELEASE_ROLE_ARN }}"]


def test_drift_is_looked_for_every_night() -> None:
    [schedule] = triggers("drift.yml")["schedule"]
    assert re.fullmatch(r"\d+ \d+ \* \* \*", schedule["cron"])
