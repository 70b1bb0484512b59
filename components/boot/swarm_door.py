#!/usr/bin/python3
"""A worker's own door to ECR: a registry on 127.0.0.1:5000 that passes reading on, with the node's role.

Swarm would hand out ECR's passwords, which end after twelve hours, and with them a task's way to another worker. So
services name their image 127.0.0.1:5000/<registry of ECR>/<repository>@sha256:<digits>, and Docker asks here. The
password is kept in memory only; redirects to where ECR stores layers are handed through.
Python 3.9, as on Amazon Linux.
"""

import base64
import http.client
import re
import shutil
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Optional

ADDRESS = ("127.0.0.1", 5000)
WANTED = re.compile(
    r"/v2/(?P<host>[0-9]{12}\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?)"
    r"(?P<rest>(/[a-z0-9]+([._-]+[a-z0-9]+)*)+/(manifests|blobs)/[A-Za-z0-9_.:-]+)"
)
HANDED_BACK = (
    *("Content-Type", "Content-Length", "Content-Range", "Docker-Content-Digest", "Docker-Distribution-Api-Version"),
    *("ETag", "Location"),
)
RENEW_SECONDS = 6 * 3600  # half of a password's life
ECR_SECONDS = 60
CALLER_SECONDS = 120


class Passwords:
    """ECR's password by region, asked for once and again long before it ends. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, str]] = {}

    def header(self, region: str, *, anew: bool) -> str:
        """The Authorization header, of a new password if told so. Raises subprocess.SubprocessError."""
        with self._lock:
            since, found = self._known.get(region, (0.0, ""))
            if anew or not found or time.monotonic() - since > RENEW_SECONDS:
                ask = ["aws", "ecr", "get-login-password", "--region", region]
                password = subprocess.run(ask, stdout=subprocess.PIPE, check=True, timeout=ECR_SECONDS).stdout.strip()
                found = "Basic " + base64.b64encode(b"AWS:" + password).decode()
                self._known[region] = (time.monotonic(), found)
            return found


PASSWORDS = Passwords()


class Door(BaseHTTPRequestHandler):
    """Passes GET and HEAD of manifests and blobs on, and nothing else."""

    protocol_version = "HTTP/1.1"
    timeout = CALLER_SECONDS

    def do_GET(self) -> None:
        """Answers that this is a registry, or what ECR answers."""
        wanted = WANTED.fullmatch(self.path)
        if self.path == "/v2/":
            self._say(200, "{}")
        elif wanted is None:
            self._say(404, "{}")
        else:
            try:
                self._pass_on(wanted["host"], wanted["region"], "/v2" + wanted["rest"])
            except (OSError, http.client.HTTPException, subprocess.SubprocessError) as problem:
                sys.stderr.write(wanted["host"] + wanted["rest"] + ": " + str(problem) + "\n")
                self.close_connection = True
                if not self._has_begun:
                    self._say(502, "{}")

    do_HEAD = do_GET  # noqa: N815  # http.server's name

    def _pass_on(self, host: str, region: str, path: str) -> None:
        self._has_begun = False
        answer = self._ask(host, region, path, anew=False)
        if answer.status == http.client.UNAUTHORIZED:
            answer.close()
            answer = self._ask(host, region, path, anew=True)
        with answer:
            self._has_begun = True
            self.send_response(answer.status)
            for name in HANDED_BACK:
                if answer.headers[name] is not None:
                    self.send_header(name, answer.headers[name])
            if answer.headers["Content-Length"] is None:
                self.close_connection = True
                self.send_header("Connection", "close")
            self.end_headers()
            shutil.copyfileobj(answer, self.wfile)

    def _ask(self, host: str, region: str, path: str, *, anew: bool) -> http.client.HTTPResponse:
        headers = {"Authorization": PASSWORDS.header(region, anew=anew)}
        accept = self.headers.get_all("Accept") or []
        if accept:
            headers["Accept"] = ", ".join(accept)
        connection = http.client.HTTPSConnection(host, timeout=ECR_SECONDS)
        connection.request(self.command, path, headers={**headers, "Connection": "close"})
        return connection.getresponse()

    _has_begun = False

    def _say(self, status: int, text: str) -> None:
        self.send_response(status)
        for name, value in (("Content-Type", "application/json"), ("Content-Length", str(len(text)))):
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Says nothing of what goes well."""


def main(address: Optional[tuple[str, int]] = None) -> None:  # noqa: UP045  # Python 3.9
    """Serves for ever."""
    ThreadingHTTPServer(address or ADDRESS, Door).serve_forever()


if __name__ == "__main__":
    main()
