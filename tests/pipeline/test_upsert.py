import pytest

from github_world import BOT, FakeGitHub, Row
from pipeline.comment import MARKER
from pipeline.drift import Change, Finding, Look, issue_marker
from pipeline.errors import GitHubError
from pipeline.github import GitHub
from pipeline.upsert import Deed, pull_request_of, put_comment, put_issue

BODY = f"{MARKER}\nnew\n"
DRIFTED = Finding("dev", Look.DRIFTED, (Change("web-listener", "aws:lb/listener:Listener", "update", ("port",)),))
CLEAN, FAILED = Finding("dev", Look.CLEAN), Finding("dev", Look.FAILED, told="no credentials")


def test_the_first_comment_is_added(fake: FakeGitHub, github: GitHub) -> None:
    fake.add_comments(7, Row(1, "looks good", "ann"))
    assert put_comment(github, 7, BODY, BOT).deed is Deed.ADD
    assert [row.body for row in fake.comments[7]] == ["looks good", BODY]


def test_from_then_on_it_is_edited_in_place_wherever_it_stands(fake: FakeGitHub, github: GitHub) -> None:
    fake.add_comments(7, *(Row(number, "talk", "ann") for number in range(150)), Row(900, f"{MARKER}\nold", BOT))
    assert put_comment(github, 7, BODY, BOT).deed is Deed.EDIT
    assert len(fake.comments[7]) == 151
    assert fake.comments[7][-1].body == BODY
    assert fake.writes == ["PATCH /repos/acme/teal/issues/comments/900"]


def test_the_same_text_is_not_written_again(fake: FakeGitHub, github: GitHub) -> None:
    fake.add_comments(7, Row(1, BODY.replace("\n", "\r\n"), BOT))
    assert put_comment(github, 7, BODY, BOT).deed is Deed.LEAVE
    assert fake.writes == []


def test_what_somebody_else_wrote_is_never_edited(fake: FakeGitHub, github: GitHub) -> None:
    """Whoever knows the marker could otherwise have us speak in their name."""
    fake.add_comments(7, Row(1, f"{MARKER}\nmine", "mallory"), Row(2, f"quoting {MARKER}", BOT))
    assert put_comment(github, 7, BODY, BOT).deed is Deed.ADD
    assert fake.comments[7][0].body == f"{MARKER}\nmine"


def test_a_dry_run_writes_nothing(fake: FakeGitHub, github: GitHub) -> None:
    assert put_comment(github, 7, BODY, BOT, is_dry=True).deed is Deed.ADD
    fake.add_comments(7, Row(1, f"{MARKER}\nold", BOT))
    assert put_comment(github, 7, BODY, BOT, is_dry=True).deed is Deed.EDIT
    assert put_issue(github, [], DRIFTED, BOT, is_dry=True).deed is Deed.ADD
    assert fake.writes == []


def test_another_ones_token_is_told_since_its_comment_would_not_be_found_again(
    fake: FakeGitHub, github: GitHub
) -> None:
    fake.login = "ann"
    with pytest.raises(GitHubError, match=r"was made as ann, not as github-actions\[bot\]: give --author ann"):
        put_comment(github, 7, BODY, BOT)


def test_the_pull_request_is_found_by_branch_and_commit(fake: FakeGitHub, github: GitHub) -> None:
    fake.add_pull(7, "ann:topic", "1a2b", "ann/teal")
    fake.add_pull(8, "bob:topic", "1a2b", "bob/teal")
    found = pull_request_of(github, "ann:topic", "1a2b")
    assert found
    assert found.number == 7


def test_an_older_commit_finds_none(fake: FakeGitHub, github: GitHub) -> None:
    fake.add_pull(7, "ann:topic", "1a2b")
    assert pull_request_of(github, "ann:topic", "0000") is None


def test_one_branch_of_two_pull_requests_is_told(fake: FakeGitHub, github: GitHub) -> None:
    fake.add_pull(7)
    fake.add_pull(8)
    with pytest.raises(GitHubError, match="ann:topic is the branch of the pull requests 7, 8"):
        pull_request_of(github, "ann:topic", "1a2b")


def test_drift_opens_an_issue_updates_it_and_closes_it(fake: FakeGitHub, github: GitHub) -> None:
    assert put_issue(github, github.open_issues(), DRIFTED, BOT).deed is Deed.ADD
    [issue] = fake.issues
    assert issue.title == "Drift in dev"
    assert issue.body.startswith(f"{issue_marker('dev')}\n1 change that the next run would undo.")
    assert put_issue(github, github.open_issues(), DRIFTED, BOT).deed is Deed.LEAVE
    more = Finding("dev", Look.DRIFTED, (*DRIFTED.changes, Change("main-vpc", "aws:ec2/vpc:Vpc", "update")))
    assert put_issue(github, github.open_issues(), more, BOT).deed is Deed.EDIT
    assert "`main-vpc`" in issue.body
    assert put_issue(github, github.open_issues(), FAILED, BOT).deed is Deed.LEAVE
    assert issue.state == "open"
    assert put_issue(github, github.open_issues(), CLEAN, BOT).deed is Deed.CLOSE
    assert issue.state == "closed"
    assert put_issue(github, github.open_issues(), CLEAN, BOT).deed is Deed.LEAVE
    assert len(fake.issues) == 1


def test_an_issue_of_another_stack_or_of_somebody_else_is_left_alone(fake: FakeGitHub, github: GitHub) -> None:
    fake.issues += [Row(1, f"{issue_marker('qa')}\n", BOT), Row(2, f"{issue_marker('dev')}\n", "ann")]
    put_issue(github, github.open_issues(), CLEAN, BOT)
    assert fake.writes == []
