"""GitHub's REST API, as far as comments on pull requests and issues need it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
import stamina

from pipeline.errors import GitHubError

ROWS = 100
"""Of a page; the most that GitHub gives."""
MOST_PAGES = 100
ANSWER_SECONDS = 20.0
ATTEMPTS = 5
LONGEST_WAIT_SECONDS = 60.0
REPOSITORY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})/[A-Za-z0-9._-]{1,100}")
BROKEN = 500
SLOW_DOWN = frozenset({403, 429})


class _Unwell(Exception):
    """An answer that another attempt may better, after so many seconds if the server says when."""

    def __init__(self, told: str, wait_seconds: float | None = None) -> None:
        super().__init__(told)
        self.wait_seconds = wait_seconds


@dataclass(frozen=True, slots=True)
class Post:
    """A comment or an issue."""

    number: int
    """An issue's number, a comment's id."""
    author: str
    title: str
    body: str
    url: str


@dataclass(frozen=True, slots=True)
class PullRequest:
    """An open pull request."""

    number: int
    head_sha: str
    is_from_fork: bool


class GitHub:
    """One repository at GitHub, with a token. A context manager; raises GitHubError."""

    def __init__(
        self, api_url: str, token: str, repository: str, *, wait_seconds: float = 0.5, least_wait_seconds: float = 1.0
    ) -> None:
        """`api_url` is GITHUB_API_URL, by https unless it is on loopback: the token goes there.

        Whatever fails for the time being is tried five times, at first after `wait_seconds` and `least_wait_seconds`.
        """
        where = urlsplit(api_url)
        if where.scheme != "https" and not (where.hostname or "").startswith("127."):
            raise GitHubError(f"{api_url} is not https, and a token must not go there")
        if not REPOSITORY.fullmatch(repository):
            raise GitHubError(f"{repository!r} is no repository: OWNER/NAME")
        self.repository, self._wait, self._jitter = repository, wait_seconds, least_wait_seconds
        self._client = httpx.Client(
            base_url=f"{api_url.rstrip('/')}/repos/{repository}/",
            headers={
                "Authorization": f"Bearer {token}",
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": "2022-11-28",
                "User-Agent": "teal",
            },
            timeout=ANSWER_SECONDS,
            trust_env=where.scheme == "https",
        )

    def pull_request(self, number: int) -> PullRequest:
        """A pull request, open or not."""
        return self._pull_request(self._call("GET", f"pulls/{number}"))

    def open_pull_requests(self, head: str) -> list[PullRequest]:
        """The open pull requests from a branch, OWNER:BRANCH."""
        rows = self._pages("pulls", {"state": "open", "head": head})
        # A head that GitHub can't make sense of filters nothing: then all of them come.
        return [self._pull_request(row) for row in rows if _text(row.get("head"), "label") == head]

    def comments(self, number: int) -> list[Post]:
        """The comments on an issue or pull request, the oldest first."""
        return [_post(row, "id") for row in self._pages(f"issues/{number}/comments", {})]

    def open_issues(self) -> list[Post]:
        """The open issues, without pull requests."""
        rows = self._pages("issues", {"state": "open"})
        return [_post(row, "number") for row in rows if "pull_request" not in row]

    def add_comment(self, number: int, body: str) -> Post:
        """A new comment on an issue or pull request."""
        return _post(self._call("POST", f"issues/{number}/comments", {"body": body}), "id")

    def edit_comment(self, comment: int, body: str) -> Post:
        """Gives a comment another text."""
        return _post(self._call("PATCH", f"issues/comments/{comment}", {"body": body}), "id")

    def add_issue(self, title: str, body: str) -> Post:
        """A new issue."""
        return _post(self._call("POST", "issues", {"title": title, "body": body}), "number")

    def edit_issue(self, number: int, body: str) -> Post:
        """Gives an issue another text."""
        return _post(self._call("PATCH", f"issues/{number}", {"body": body}), "number")

    def close_issue(self, number: int) -> Post:
        """Closes an issue as done."""
        return _post(
            self._call("PATCH", f"issues/{number}", {"state": "closed", "state_reason": "completed"}), "number"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def _pull_request(self, row: Any) -> PullRequest:
        head = row["head"]
        return PullRequest(
            number=int(row["number"]),
            head_sha=str(head["sha"]),
            is_from_fork=_text(head.get("repo"), "full_name").lower() != self.repository.lower(),
        )

    def _pages(self, path: str, query: Mapping[str, str]) -> Iterator[Any]:
        for page in range(1, MOST_PAGES + 1):
            rows = self._call("GET", path, query={**query, "per_page": str(ROWS), "page": str(page)})
            yield from rows
            if len(rows) < ROWS:
                return
        raise GitHubError(f"{path} of {self.repository} has more than {MOST_PAGES * ROWS} rows")

    def _call(
        self, method: str, path: str, body: Mapping[str, str] | None = None, *, query: Mapping[str, str] | None = None
    ) -> Any:
        """What GitHub answers. What adds something is asked once more only where it surely was not done."""
        what = f"{method} {path} of {self.repository}"
        try:
            for attempt in stamina.retry_context(
                _after,
                attempts=ATTEMPTS,
                timeout=None,
                wait_initial=self._wait,
                wait_max=20 * self._wait,
                wait_jitter=self._jitter,
            ):
                with attempt:
                    return self._ask(method, path, body, query)
        except _Unwell as error:
            raise GitHubError(f"{what}: {error}") from error
        raise AssertionError("stamina leaves its loop by an answer or an error")

    def _ask(self, method: str, path: str, body: Mapping[str, str] | None, query: Mapping[str, str] | None) -> Any:
        what = f"{method} {path} of {self.repository}"
        try:
            answer = self._client.request(method, path, json=body, params=query)
        except httpx.ConnectError as error:
            raise _Unwell(f"GitHub can't be reached: {error}") from error
        except httpx.HTTPError as error:
            told = f"GitHub gave no answer: {error or type(error).__name__}"
            if method == "POST":
                raise GitHubError(f"{what}: {told}") from error
            raise _Unwell(told) from error
        if answer.status_code >= BROKEN or _is_too_fast(answer):
            told = f"GitHub answered {answer.status_code}: {_message(answer)}"
            if method == "POST" and answer.status_code >= BROKEN:
                raise GitHubError(f"{what}: {told}")
            raise _Unwell(told, _wait_seconds(answer))
        if not answer.is_success:
            raise GitHubError(f"{what}: GitHub answered {answer.status_code}: {_message(answer)}{_hint(answer)}")
        try:
            return answer.json()
        except ValueError as error:
            raise GitHubError(f"{what}: GitHub's answer is not JSON") from error


def _after(error: Exception) -> bool | float:
    if not isinstance(error, _Unwell):
        return False
    return True if error.wait_seconds is None else error.wait_seconds


def _is_too_fast(answer: httpx.Response) -> bool:
    is_spent = answer.headers.get("x-ratelimit-remaining") == "0" or "retry-after" in answer.headers
    return answer.status_code in SLOW_DOWN and (is_spent or answer.status_code == 429)


def _wait_seconds(answer: httpx.Response) -> float | None:
    told = str(answer.headers.get("retry-after", ""))
    return min(float(told), LONGEST_WAIT_SECONDS) if told.isdigit() else None


def _message(answer: httpx.Response) -> str:
    """GitHub's own words in one short line."""
    try:
        told = _text(answer.json(), "message")
    except ValueError:
        told = answer.reason_phrase
    return " ".join(told.split())[:300] or "no reason given"


def _hint(answer: httpx.Response) -> str:
    hints = {
        301: "; the repository has another name now",
        401: "; the token is not valid, or no longer",
        403: "; the token may not do that: the job needs the permission",
        404: "; it is not there, or the token can't see it",
    }
    return hints.get(answer.status_code, "")


def _post(row: Any, key: str) -> Post:
    return Post(
        number=int(row[key]),
        author=_text(row.get("user"), "login"),
        title=_text(row, "title"),
        body=_text(row, "body"),
        url=_text(row, "html_url"),
    )


def _text(found: Any, key: str) -> str:
    """A text of a JSON object; empty where there is none, as for the account of somebody who has left."""
    value = found.get(key) if isinstance(found, dict) else None
    return value if isinstance(value, str) else ""
