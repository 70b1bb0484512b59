"""`teal ci preview` and `teal ci render`, without an engine."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from cli.ci.base import base_of
from cli.ci.embedded import lead
from cli_world import Teal
from localcloud.errors import LocalCloudError
from pipeline.comment import MARKER
from pipeline.model import Change, Kind, Place, StackPreview, Verdict
from pipeline.record import read, write

CHANGED = StackPreview(stack="dev", changes=(Change(kind=Kind.DELETE, name="web", type="a:b:C"),))
BROKEN = StackPreview(stack="qa", verdicts=(Verdict(rule="ports", resource="web", message="open", is_mandatory=True),))
ADVISED = StackPreview(stack="dev", verdicts=(Verdict(rule="ports", resource="web", message="x", is_mandatory=False),))
FAILED = StackPreview(stack="prod", failure="no such zone")


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[StackPreview]:
    """What the embedded previews come to, and AWS's."""
    previews: list[StackPreview] = []

    def embedded(project: object, steps: object, base: str, names: Sequence[str], seconds: float) -> list[StackPreview]:
        assert (base, seconds) == ("main", 900.0)
        return previews

    monkeypatch.setattr("cli.ci.embedded.embedded_previews", embedded)
    monkeypatch.setattr("cli.ci.real.aws_previews", lambda project, steps, names, seconds: previews)
    return previews


def test_it_prints_the_comment_whatever_would_change(teal: Teal, found: list[StackPreview]) -> None:
    found += [CHANGED, ADVISED]
    ended = teal("ci", "preview", "--base", "main")
    assert ended.code == 0
    assert ended.out.startswith(MARKER)
    assert "deleted: `web` (`a:b:C`)" in ended.out


def test_a_broken_rule_and_a_failed_preview_end_it_with_1_once_the_comment_is_written(
    teal: Teal, found: list[StackPreview], tmp_path: Path
) -> None:
    found += [BROKEN, FAILED]
    ended = teal("ci", "preview", "--base", "main", "--output", str(tmp_path / "comment.md"))
    assert (ended.code, ended.out) == (1, "")
    assert ended.told == (
        "teal: no whole preview of prod; mandatory rules of policy/ are broken in qa: the comment says more"
    )
    assert "no such zone" in (tmp_path / "comment.md").read_text()


def test_json_is_what_render_makes_a_comment_of(teal: Teal, found: list[StackPreview], tmp_path: Path) -> None:
    found.append(CHANGED)
    (tmp_path / "here.json").write_text(teal("ci", "preview", "--base", "main", "--json").out)
    (tmp_path / "aws.json").write_text(write([StackPreview(stack="dev", place=Place.AWS)]))
    one = teal("ci", "render", str(tmp_path / "here.json"), str(tmp_path / "aws.json"))
    assert one.code == 0
    assert "deleted: `web`" in one.out
    assert "Unchanged: `dev` on AWS." in one.out
    both = teal("ci", "render", "--json", str(tmp_path / "here.json"), str(tmp_path / "aws.json")).out
    assert [preview.place for preview in read(both)] == [Place.EMBEDDED, Place.AWS]


def test_render_refuses_what_is_no_record_by_one_line(teal: Teal, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(json.dumps({"version": 1}))
    ended = teal("ci", "render", str(tmp_path / "x.json"))
    assert ended.code == 1
    assert ended.told.endswith("x.json is not what `teal ci preview --json` writes: stacks: Field required")


@pytest.mark.parametrize("how", [(), ("--base", "main", "--aws")])
def test_it_must_be_said_what_to_compare_with(teal: Teal, how: tuple[str, ...]) -> None:
    ended = teal("ci", "preview", *how)
    assert (ended.code, ended.told) == (
        2, "teal ci preview: say what to compare with: either --base or --aws (see `teal ci preview --help`)",
    )  # fmt: skip


def test_what_cannot_be_is_refused_before_anything_starts(teal: Teal, project: Path) -> None:
    assert "there is no stack 'live'" in teal("ci", "preview", "live", "--base", "main").told
    assert "there is no folder" in teal("ci", "preview", "--base", "main", "--output", "nowhere/x.md").told


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=t", "-c", "user.email=t@teal.example", "-c", "commit.gpgsign=false")
    return subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repository(project: Path) -> Path:
    """The project in a repository, one folder below its root, with a virtual environment that is in no commit."""
    git(project.parent, "init", "--quiet", "--initial-branch=main")
    git(project.parent, "add", "project")
    git(project.parent, "commit", "--quiet", "-m", "One")
    (project / ".venv").mkdir()
    (project / ".venv" / "mark").touch()
    return project


def test_a_branch_is_checked_out_beside_with_the_projects_own_environment(repository: Path, tmp_path: Path) -> None:
    (repository / "Pulumi.new.yaml").write_text("config: {}\n")
    room = tmp_path / "room"
    room.mkdir()
    with base_of(repository, "main", room) as base:
        assert base.name.startswith("main (")
        assert (base.root / "Pulumi.dev.yaml").is_file()
        assert not (base.root / "Pulumi.new.yaml").exists()
        assert (base.root / ".venv" / "mark").exists()
        assert base.root.is_relative_to(room)
    assert git(repository, "worktree", "list").count("\n") == 1
    changed = git(repository, "status", "--porcelain", "--", ".").split()[1::2]
    assert changed == ["project/.venv/", "project/Pulumi.new.yaml"]


def test_nothing_is_written_into_a_folder_that_was_given(repository: Path, tmp_path: Path) -> None:
    given, room = tmp_path / "given", tmp_path / "room"
    room.mkdir()
    git(repository, "worktree", "add", "--quiet", "--detach", str(given))
    before = sorted((given / "project").iterdir())
    with base_of(repository, str(given / "project"), room) as base:
        assert (base.root / ".venv" / "mark").exists()
        assert (base.root / "Pulumi.yaml").read_bytes() == (given / "project" / "Pulumi.yaml").read_bytes()
    assert sorted((given / "project").iterdir()) == before


def test_a_base_with_an_environment_of_its_own_keeps_it(repository: Path, tmp_path: Path) -> None:
    with base_of(repository, str(repository), tmp_path) as base:
        assert base.root == repository


@pytest.mark.parametrize("wanted", ["nowhere", "--help", ""])
def test_a_base_that_is_none_is_one_line(repository: Path, tmp_path: Path, wanted: str) -> None:
    with pytest.raises(LocalCloudError, match=r"no such folder|no Pulumi\.yaml"), base_of(repository, wanted, tmp_path):
        pytest.fail("there is no such base")


def test_a_link_leads_from_one_project_to_the_other(tmp_path: Path) -> None:
    link = tmp_path / "teal"
    for name in ("before", "after"):
        (tmp_path / name).mkdir()
        lead(link, tmp_path / name)
        assert link.resolve() == tmp_path / name
