"""The commands of CI, as far as they go without an engine; GitHub is a server on loopback."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli_world import Teal
from github_world import BOT, TOKEN, FakeGitHub, Row, github_on_loopback
from pipeline.comment import MARKER
from pipeline.drift import Change, Finding, Look, document

IMAGE = f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/app-images-1@sha256:{'0a' * 32}"
DIGEST = IMAGE.partition("@")[2]


@pytest.fixture
def fake(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGitHub]:
    """GitHub, as a workflow's job finds it."""
    with github_on_loopback() as served:
        monkeypatch.setenv("GITHUB_API_URL", served.url)
        monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
        monkeypatch.setenv("GITHUB_REPOSITORY", "acme/teal")
        yield served


@pytest.fixture
def preview(tmp_path: Path) -> str:
    path = tmp_path / "preview.md"
    path.write_text(f"{MARKER}\n2 stacks would change, @all\n")
    return str(path)


def test_the_way_is_that_of_the_stack_files(teal: Teal) -> None:
    assert teal("ci", "stages").out == (
        "dev        builds the image, automatic\n"
        "qa         follows dev, automatic\n"
        "stage      follows qa, automatic\n"
        "prod       follows stage, manual, not now\n"
    )


def test_a_workflow_gets_the_stacks_as_an_output(teal: Teal, tmp_path: Path) -> None:
    out = str(tmp_path / "output")
    assert teal("ci", "stages", "--only", "", "--output", out).code == 0
    assert teal("ci", "stages", "--only", "prod", "--output", out).code == 0
    assert (tmp_path / "output").read_text() == 'stacks=["dev", "qa", "stage"]\nstacks=["prod"]\n'


def test_programs_get_the_way_as_json(teal: Teal) -> None:
    [dev, *_, prod] = json.loads(teal("ci", "stages", "--json").out)
    assert dev == {"name": "dev", "follows": None, "is_automatic": True, "builds": True, "is_reached": True}
    assert (prod["follows"], prod["is_reached"]) == ("stage", False)


def test_a_stack_file_that_leads_nowhere_is_one_line(teal: Teal, project: Path) -> None:
    file = project / "Pulumi.qa.yaml"
    file.write_text(file.read_text().replace("follows: dev", "follows: devv"))
    ended = teal("ci", "deliver", "--dry-run")
    assert ended.code == 1
    assert ended.told.startswith("teal: teal:follows of qa is 'devv': there is no such stack")


def test_a_dry_run_of_a_delivery_says_what_goes_where(teal: Teal) -> None:
    assert teal("ci", "deliver", "--dry-run").out == (
        "dev: run the program, which builds the image; release it\n"
        "qa: run the program, and bring into its registry the image of dev; release it\n"
        "stage: run the program, and bring into its registry the image of qa; release it\n"
    )
    assert teal("ci", "deliver", "prod", "--image", IMAGE, "--dry-run").out == (
        f"prod: run the program, and bring into its registry {IMAGE}; release it\n"
    )
    assert teal("ci", "provision", "qa", "--dry-run").out == (
        "qa: run the program, and bring into its registry what dev serves\n"
    )


def test_where_all_is_manual_nothing_is_delivered(teal: Teal, project: Path) -> None:
    file = project / "Pulumi.dev.yaml"
    file.write_text(file.read_text().replace("delivery: automatic", "delivery: manual"))
    ended = teal("ci", "deliver")
    assert ended.code == 4
    assert ended.told.startswith("teal: no stack is delivered to by itself")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("deliver", "--image", DIGEST), "dev builds its image: --image is for those that don't"),
        (("provision", "dev", "--image", IMAGE), "dev builds its image"),
        (("provision", "qa", "--image", "latest"), "'latest' is neither a digest, sha256: and 64 hexadecimal digits"),
        (("comment", "--file", "x"), "say which pull request: --pull-request N, or --head OWNER:BRANCH"),
        (("comment", "--file", "x", "--head", "a:b", "--pull-request", "7"), "say which pull request"),
        (("comment", "--file", "x", "--head", "a:b"), "--head names no pull request without --sha"),
    ],
)
@pytest.mark.usefixtures("fake")
def test_a_wrong_call_says_what_is_right(teal: Teal, words: tuple[str, ...], told: str) -> None:
    ended = teal("ci", *words)
    assert ended.code == 2
    assert told in ended.told


def test_a_comment_is_added_then_edited_in_place(teal: Teal, fake: FakeGitHub, preview: str) -> None:
    fake.add_pull(7, repository="acme/teal")
    call = ("ci", "comment", "--file", preview, "--pull-request", "7")
    assert teal(*call, "--dry-run").out == "would add the comment on pull request 7\n"
    assert teal(*call).out == "added the comment on pull request 7 comments/1001\n"
    Path(preview).write_text(f"{MARKER}\nnothing would change\n")
    assert teal(*call).out == "edited the comment on pull request 7 comments/1001\n"
    assert [row.body for row in fake.comments[7]] == [f"{MARKER}\nnothing would change\n"]


def test_a_forks_comment_goes_to_the_pull_request_of_its_commit(teal: Teal, fake: FakeGitHub, preview: str) -> None:
    fake.add_pull(6, "mallory:main", "0000", "mallory/teal")
    fake.add_pull(7, "ann:topic", "1a2b", "ann/teal")
    ended = teal("ci", "comment", "--file", preview, "--head", "ann:topic", "--sha", "1a2b")
    assert ended.out.startswith("added the comment on pull request 7")
    [row] = fake.comments[7]
    assert "This comes from a fork" in row.body
    assert "@all" not in row.body


def test_a_comment_on_an_older_commit_is_not_put_there(teal: Teal, fake: FakeGitHub, preview: str) -> None:
    fake.add_pull(7, "ann:topic", "1a2b")
    for who in (("--head", "ann:topic"), ("--pull-request", "7")):
        ended = teal("ci", "comment", "--file", preview, *who, "--sha", "0000")
        assert (ended.code, ended.out) == (
            0,
            "no open pull request is at that commit (any more): nothing to do\n",
        )
    assert fake.writes == []


def test_a_text_that_is_none_of_ours_reaches_nobody(teal: Teal, fake: FakeGitHub, tmp_path: Path) -> None:
    (tmp_path / "preview.md").write_text("buy now\n")
    ended = teal("ci", "comment", "--file", str(tmp_path / "preview.md"), "--pull-request", "7")
    assert (ended.code, ended.told) == (1, "teal: preview.md does not begin with the line <!-- teal:ci:preview -->")
    assert fake.calls == []


def test_a_token_comes_from_the_environment_alone(
    teal: Teal, fake: FakeGitHub, preview: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = ("ci", "comment", "--file", preview, "--pull-request", "7")
    monkeypatch.setenv("GITHUB_TOKEN", "another")
    ended = teal(*call)
    assert ended.code == 1
    assert ended.told.endswith("GitHub answered 401: Bad credentials; the token is not valid, or no longer")
    assert "another" not in ended.err
    monkeypatch.delenv("GITHUB_TOKEN")
    ended = teal(*call)
    assert ended.code == 2
    assert "GITHUB_TOKEN is not set" in ended.told


def test_issues_follow_a_report(teal: Teal, fake: FakeGitHub, tmp_path: Path) -> None:
    report = tmp_path / "drift.json"
    change = Change("main-vpc", "aws:ec2/vpc:Vpc", "update", ("tags",))
    fake.issues.append(Row(5, "<!-- teal-drift qa -->\nold", BOT))
    report.write_text(document([Finding("dev", Look.DRIFTED, (change,)), Finding("qa", Look.CLEAN)]))
    assert teal("ci", "issues", "--report", str(report), "--dry-run").out == (
        "would add the issue on drift in dev\nwould close the issue on drift in qa issues/5\n"
    )
    assert fake.writes == []
    assert teal("ci", "issues", "--report", str(report)).out == (
        "added the issue on drift in dev issues/1001\nclosed the issue on drift in qa issues/5\n"
    )
    assert [(row.number, row.state) for row in fake.issues] == [(5, "closed"), (1001, "open")]


def test_without_a_cloud_drift_is_not_looked_for(teal: Teal) -> None:
    ended = teal("ci", "drift", "dev")
    assert (ended.code, ended.out) == (3, "")
