from collections.abc import Callable

import httpx
import pytest

from release.adapters.http import RouteProbe
from release_world import LIVE, NEXT, flight

SECRET = "open-sesame"
Answer = Callable[[httpx.Request], httpx.Response]


def service(request: httpx.Request) -> httpx.Response:
    """Green with the next image behind the test header, blue with the live one for everybody else."""
    is_test = request.headers.get("X-Teal-Test") == SECRET
    about = {"colour": "green", "digest": NEXT} if is_test else {"colour": "blue", "digest": LIVE}
    return httpx.Response(200, json=about)


def trouble(answer: Answer) -> str | None:
    client = httpx.Client(transport=httpx.MockTransport(answer))
    return RouteProbe(client, "http://web.example/", SECRET).trouble(flight())


def test_nothing_is_wrong_with_what_was_asked_for() -> None:
    assert trouble(service) is None


def test_a_target_that_is_not_ready_is_told() -> None:
    def unready(request: httpx.Request) -> httpx.Response:
        return httpx.Response(503) if request.url.path == "/readyz" else service(request)

    assert trouble(unready) == "/readyz by the test route: status 503"


def test_another_image_or_colour_than_asked_for_is_told() -> None:
    def astray(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"colour": "blue", "digest": LIVE})

    told = trouble(astray)
    assert told == f"/version by the test route: colour 'blue', not 'green'; digest {LIVE!r}, not {NEXT!r}"


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"null"])
def test_an_answer_that_is_no_version_is_told(body: bytes) -> None:
    told = trouble(lambda request: httpx.Response(200, content=body))
    assert told is not None
    assert told.startswith("/version by the test route: ")


def test_what_users_get_counts_too() -> None:
    def bad(request: httpx.Request) -> httpx.Response:
        return service(request) if "X-Teal-Test" in request.headers else httpx.Response(502)

    assert trouble(bad) == "/version by the users' route: status 502"


def test_one_lost_answer_is_no_verdict_and_two_are() -> None:
    lost = [1]

    def flaky(request: httpx.Request) -> httpx.Response:
        if lost:
            lost.pop()
            raise httpx.ReadTimeout("too slow")
        return service(request)

    assert trouble(flaky) is None
    lost += [1, 1]
    assert trouble(flaky) == "/readyz by the test route: no answer (ReadTimeout: too slow)"


def test_the_secret_goes_to_the_test_route_alone_and_into_no_message() -> None:
    told = trouble(lambda request: httpx.Response(500, text=str(request.headers)))
    assert told is not None
    assert SECRET not in told
