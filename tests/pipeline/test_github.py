"""By real HTTP, on loopback."""

import time

import pytest

from github_world import REPOSITORY, TOKEN, FakeGitHub, Row
from pipeline.errors import GitHubError
from pipeline.github import GitHub, PullRequest


def test_it_says_who_it_is_and_which_api_it_means(fake: FakeGitHub, github: GitHub) -> None:
    assert github.comments(7) == []
    [headers] = fake.headers
    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert headers["x-github-api-version"] == "2022-11-28"
    assert headers["accept"] == "application/vnd.github+json"


@pytest.mark.parametrize("count", [0, 99, 100, 101, 250])
def test_all_comments_come_however_many_pages(fake: FakeGitHub, github: GitHub, count: int) -> None:
    fake.add_comments(7, *(Row(number, f"comment {number}") for number in range(count)))
    assert [each.number for each in github.comments(7)] == list(range(count))
    assert len(fake.calls) == count // 100 + 1


def test_an_author_who_has_left_is_nobody(fake: FakeGitHub, github: GitHub) -> None:
    fake.add_comments(7, Row(1, "hi", is_ghost=True))
    assert github.comments(7)[0].author == ""


def test_issues_are_open_and_no_pull_requests(fake: FakeGitHub, github: GitHub) -> None:
    fake.issues += [Row(1, "a"), Row(2, "b", state="closed"), Row(3, "c", is_pull_request=True)]
    assert [issue.number for issue in github.open_issues()] == [1]


def test_pull_requests_are_those_of_the_branch(fake: FakeGitHub, github: GitHub) -> None:
    fake.add_pull(7, "ann:topic", "1a2b", "ann/teal")
    fake.add_pull(8, "acme:topic", "3c4d", "Acme/Teal")
    fake.add_pull(9, "bob:topic", "5e6f", None)
    assert github.open_pull_requests("ann:topic") == [PullRequest(7, "1a2b", is_from_fork=True)]
    assert github.open_pull_requests("acme:topic") == [PullRequest(8, "3c4d", is_from_fork=False)]
    assert github.open_pull_requests("bob:topic") == [PullRequest(9, "5e6f", is_from_fork=True)]


def test_a_head_that_github_makes_no_sense_of_finds_nobody_elses(fake: FakeGitHub, github: GitHub) -> None:
    fake.add_pull(7, "ann:topic")
    assert github.open_pull_requests("topic") == []


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_what_fails_for_the_time_being_is_asked_again(fake: FakeGitHub, github: GitHub, status: int) -> None:
    fake.problems += [(status, {}, "later")] * 4
    assert github.comments(7) == []
    assert len(fake.calls) == 5


def test_a_limit_is_waited_for_as_long_as_github_says(fake: FakeGitHub, github: GitHub) -> None:
    fake.problems.append((403, {"Retry-After": "1"}, "You have exceeded a secondary rate limit"))
    started = time.monotonic()
    assert github.comments(7) == []
    assert time.monotonic() - started >= 1


def test_in_the_end_it_says_what_is_wrong(fake: FakeGitHub, github: GitHub) -> None:
    fake.problems += [(503, {}, "no server is  available")] * 5
    with pytest.raises(GitHubError) as failed:
        github.comments(7)
    assert str(failed.value) == ("GET issues/7/comments of acme/teal: GitHub answered 503: no server is available")


def test_a_comment_that_may_be_there_is_not_added_twice(fake: FakeGitHub, github: GitHub) -> None:
    fake.problems.append((502, {}, "no answer in time"))
    with pytest.raises(GitHubError, match="POST issues/7/comments of acme/teal: GitHub answered 502"):
        github.add_comment(7, "hello")
    assert len(fake.calls) == 1


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (401, "GitHub answered 401: no; the token is not valid, or no longer"),
        (403, "GitHub answered 403: no; the token may not do that: the job needs the permission"),
        (404, "GitHub answered 404: no; it is not there, or the token can't see it"),
        (301, "GitHub answered 301: no; the repository has another name now"),
        (422, "GitHub answered 422: no"),
    ],
)
def test_a_refusal_is_one_line_and_final(fake: FakeGitHub, github: GitHub, status: int, told: str) -> None:
    fake.problems.append((status, {"Location": "/elsewhere"}, "no"))
    with pytest.raises(GitHubError) as failed:
        github.edit_comment(1, "x")
    assert str(failed.value) == f"PATCH issues/comments/1 of acme/teal: {told}"
    assert TOKEN not in str(failed.value)
    assert len(fake.calls) == 1


def test_nobody_there_is_told_without_the_token() -> None:
    with (
        GitHub("http://127.0.0.1:9", TOKEN, REPOSITORY, wait_seconds=0.001, least_wait_seconds=0.001) as github,
        pytest.raises(GitHubError, match="GET issues of acme/teal: GitHub can't be reached") as failed,
    ):
        github.open_issues()
    assert TOKEN not in str(failed.value)


def test_the_token_goes_nowhere_in_the_clear() -> None:
    with pytest.raises(GitHubError, match=r"http://github\.example is not https"):
        GitHub("http://github.example", TOKEN, REPOSITORY)


@pytest.mark.parametrize("repository", ["acme", "acme/teal/pulls", "../teal", "acme/te al", "acme/teal?x"])
def test_a_repository_is_owner_and_name(fake: FakeGitHub, repository: str) -> None:
    with pytest.raises(GitHubError, match="is no repository: OWNER/NAME"):
        GitHub(fake.url, TOKEN, repository)
