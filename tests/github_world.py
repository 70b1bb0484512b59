"""A GitHub on loopback: comments, issues and pull requests of one repository, by real HTTP."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

REPOSITORY = "acme/teal"
TOKEN = "a-token-of-nobody"
BOT = "github-actions[bot]"
ROOT = f"/repos/{REPOSITORY}/"


@dataclass
class Row:
    """A comment or an issue."""

    number: int
    body: str
    author: str = BOT
    title: str = ""
    state: str = "open"
    is_pull_request: bool = False
    is_ghost: bool = False
    """Whether its author has left GitHub."""

    def shown(self, where: str) -> dict[str, Any]:
        shown: dict[str, Any] = {
            "id": self.number, "number": self.number, "body": self.body, "title": self.title, "state": self.state,
            "user": None if self.is_ghost else {"login": self.author}, "html_url": f"{where}/{self.number}",
        }  # fmt: skip
        return {**shown, **({"pull_request": {}} if self.is_pull_request else {})}


@dataclass
class FakeGitHub:
    """What is there, what was asked, and what goes wrong next."""

    url: str = ""
    login: str = BOT
    """Who the token belongs to."""
    pulls: list[dict[str, Any]] = field(default_factory=list)
    comments: dict[int, list[Row]] = field(default_factory=dict)
    issues: list[Row] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    """Method and path with query, in order."""
    headers: list[dict[str, str]] = field(default_factory=list)
    problems: list[tuple[int, dict[str, str], str]] = field(default_factory=list)
    """Answers that come before all others: status, headers, message."""
    next_number: int = 1000

    def add_pull(self, number: int, head: str = "ann:topic", sha: str = "1a2b", repository: str | None = None) -> None:
        repo = {"full_name": repository} if repository else None
        self.pulls.append({"number": number, "state": "open", "head": {"label": head, "sha": sha, "repo": repo}})

    def add_comments(self, number: int, *rows: Row) -> None:
        self.comments.setdefault(number, []).extend(rows)

    @property
    def writes(self) -> list[str]:
        return [call for call in self.calls if not call.startswith("GET")]

    def answer(self, method: str, target: str, body: dict[str, Any]) -> tuple[int, Any]:
        parts = urlsplit(target)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        for pattern, handle in self._routes():
            found = re.fullmatch(pattern, f"{method} {parts.path.removeprefix(ROOT)}")
            if parts.path.startswith(ROOT) and found:
                return handle(found, query, body)
        return 404, {"message": "Not Found"}

    def _routes(self) -> list[tuple[str, Callable[..., tuple[int, Any]]]]:
        return [
            (r"GET pulls", self._list_pulls),
            (r"GET pulls/(\d+)", self._pull),
            (r"GET issues/(\d+)/comments", lambda found, query, _: self._page(self._comments(found), query)),
            (r"POST issues/(\d+)/comments", self._add_comment),
            (r"PATCH issues/comments/(\d+)", self._edit_comment),
            (r"GET issues", lambda _, query, __: self._page([r.shown("issues") for r in self._open()], query)),
            (r"POST issues", self._add_issue),
            (r"PATCH issues/(\d+)", self._edit_issue),
        ]

    def _open(self) -> list[Row]:
        return [row for row in self.issues if row.state == "open"]

    def _comments(self, found: re.Match[str]) -> list[dict[str, Any]]:
        return [row.shown("comments") for row in self.comments.get(int(found[1]), [])]

    def _page(self, rows: list[Any], query: dict[str, str]) -> tuple[int, Any]:
        size, page = int(query.get("per_page", 30)), int(query.get("page", 1))
        return 200, rows[(page - 1) * size : page * size]

    def _list_pulls(self, found: object, query: dict[str, str], body: object) -> tuple[int, Any]:
        # As GitHub has it: a head that makes no sense to it filters nothing.
        rows = [pull for pull in self.pulls if ":" not in query["head"] or pull["head"]["label"] == query["head"]]
        return self._page(rows, query)

    def _pull(self, found: re.Match[str], query: object, body: object) -> tuple[int, Any]:
        rows = [pull for pull in self.pulls if pull["number"] == int(found[1])]
        return (200, rows[0]) if rows else (404, {"message": "Not Found"})

    def _add_comment(self, found: re.Match[str], query: object, body: dict[str, Any]) -> tuple[int, Any]:
        row = self._row(body["body"])
        self.add_comments(int(found[1]), row)
        return 201, row.shown("comments")

    def _edit_comment(self, found: re.Match[str], query: object, body: dict[str, Any]) -> tuple[int, Any]:
        for rows in self.comments.values():
            for row in rows:
                if row.number == int(found[1]):
                    row.body = body["body"]
                    return 200, row.shown("comments")
        return 404, {"message": "Not Found"}

    def _add_issue(self, found: object, query: object, body: dict[str, Any]) -> tuple[int, Any]:
        row = self._row(body["body"])
        row.title = body["title"]
        self.issues.append(row)
        return 201, row.shown("issues")

    def _edit_issue(self, found: re.Match[str], query: object, body: dict[str, Any]) -> tuple[int, Any]:
        [row] = [row for row in self.issues if row.number == int(found[1])]
        row.body, row.state = body.get("body", row.body), body.get("state", row.state)
        return 200, row.shown("issues")

    def _row(self, body: str) -> Row:
        self.next_number += 1
        return Row(self.next_number, body, self.login)


@contextmanager
def github_on_loopback() -> Iterator[FakeGitHub]:
    """Serves one until the block ends."""
    fake = FakeGitHub()

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else {}
            fake.calls.append(f"{self.command} {self.path}")
            fake.headers.append({key.lower(): value for key, value in self.headers.items()})
            if fake.problems:
                status, headers, message = fake.problems.pop(0)
                found: Any = {"message": message}
            elif self.headers.get("Authorization") != f"Bearer {TOKEN}":
                status, headers, found = 401, {}, {"message": "Bad credentials"}
            else:
                (status, found), headers = fake.answer(self.command, self.path, body), {}
            content = json.dumps(found).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = handle_any  # noqa: N815

        def log_message(self, *args: object) -> None:
            """Nothing: pytest has enough to say."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
