"""Our own requests: to the target colour by the secret test route, and to what users get."""

from collections.abc import Mapping

import httpx

from release.ledger import InFlight

TEST_HEADER = "X-Teal-Test"
TRIES = 2
"""A problem counts once it was there twice in a row: a lost packet is no verdict."""


class RouteProbe:
    """Asks the service at a URL, by both routes. `secret` is the value that opens the test route."""

    def __init__(self, client: httpx.Client, url: str, secret: str) -> None:
        self._client, self._url, self._test = client, url.rstrip("/"), {TEST_HEADER: secret}

    def trouble(self, release: InFlight) -> str | None:
        """What is wrong: the target colour is not ready or not what was asked for, or users get no good answer."""
        plan = release.plan
        target = {"colour": plan.target.value, "digest": plan.digest}
        return (
            self._twice("/readyz", self._test, {})
            or self._twice("/version", self._test, target)
            or self._twice("/version", {}, {})
        )

    def _twice(self, path: str, headers: Mapping[str, str], expected: Mapping[str, str]) -> str | None:
        problem = None
        for _ in range(TRIES):
            problem = self._ask(path, headers, expected)
            if problem is None:
                return None
        route = "the test route" if headers else "the users' route"
        return f"{path} by {route}: {problem}"

    def _ask(self, path: str, headers: Mapping[str, str], expected: Mapping[str, str]) -> str | None:
        try:
            answer = self._client.get(self._url + path, headers=dict(headers))
        except httpx.HTTPError as error:
            return f"no answer ({type(error).__name__}: {error})"
        if answer.status_code != httpx.codes.OK:
            return f"status {answer.status_code}"
        if not expected:
            return None
        try:
            about = answer.json()
        except ValueError:
            about = None
        if not isinstance(about, dict):
            return "an answer that tells no version"
        wrong = (name for name, value in expected.items() if about.get(name) != value)
        return "; ".join(f"{name} {about.get(name)!r}, not {expected[name]!r}" for name in wrong) or None
