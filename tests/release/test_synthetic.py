"""Our own requests, against a real server on loopback that misbehaves as told."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from release.adapters.synthetic import Aim, Pace, SyntheticProbe
from release.judgement import FEWEST_BAD, Limits, Probed, combined, judge_probe
from release.ledger import Colour
from release.verdict import Outcome
from release_world import LIVE, NEXT

SECRET = "open-sesame"
pytestmark = pytest.mark.process
AIM = Aim(Colour.GREEN, NEXT, 5)
BRISK = Pace(per_second=100.0, timeout_seconds=1.0, window_seconds=30.0, idle_seconds=0.25, move_seconds=0.2)
LIMITS = Limits(error_share_percent=1, p99_seconds=0.6, min_samples=20, points_over_live=1, times_live=3)
WAIT_SECONDS = 60.0  # a busy machine stalls the probe, and what it slept through does not count


@dataclass
class Service:
    """Green with the next image behind the test header, blue with the live one for everybody else."""

    url: str = ""
    seen: list[tuple[str, bool]] = field(default_factory=list)
    cookies: list[str | None] = field(default_factory=list)
    status: Callable[[str, bool], int] = lambda path, is_test: 200
    seconds: float = 0.0
    digest: str = NEXT
    names_colour: bool = True


@pytest.fixture
def service() -> Iterator[Service]:
    told = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_test = self.headers.get("X-Teal-Test") == SECRET
            told.seen.append((self.path, is_test))
            told.cookies.append(self.headers.get("Cookie"))
            time.sleep(told.seconds if is_test else 0)
            status = told.status(self.path, is_test)
            if not status:  # dies instead of answering
                self.close_connection = True
                return
            colour, digest = ("green", told.digest) if is_test else ("blue", LIVE)
            body = json.dumps({"colour": colour, "digest": digest}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Set-Cookie", "AWSALBTG=sticky; Path=/")
            if told.names_colour:
                self.send_header("X-Teal-Colour", colour)
            self.end_headers()
            try:
                self.wfile.write(body)
            except BrokenPipeError:
                return

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    class Server(ThreadingHTTPServer):
        request_queue_size = 128
        block_on_close = False

        def handle_error(self, *_: Any) -> None:
            """A client that was out of patience is no news here."""

    server = Server(("127.0.0.1", 0), Handler)
    told.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield told
    server.shutdown()
    thread.join(5)
    server.server_close()


@pytest.fixture
def probe(service: Service) -> Iterator[SyntheticProbe]:
    with closing(SyntheticProbe(service.url + "/", SECRET, ("/", "/version"), pace=BRISK)) as started:
        yield started


def until(probe: SyntheticProbe, is_enough: Callable[[Probed], bool], aim: Aim = AIM) -> Probed:
    deadline = time.monotonic() + WAIT_SECONDS
    while not is_enough(found := probe.look(aim)):
        assert time.monotonic() < deadline, f"not within {WAIT_SECONDS} s: {found}"
        time.sleep(0.01)
    return found


def outcome(found: Probed, weight: int = 5) -> Outcome:
    return combined(judge_probe(found, LIMITS, weight)).outcome


def test_a_good_version_makes_samples_by_both_routes(service: Service, probe: SyntheticProbe) -> None:
    assert outcome(probe.look(AIM)) is Outcome.NO_DATA
    found = until(probe, lambda found: found.target.requests >= 20 and found.live.requests >= 10)
    assert (found.target.failed, found.live.failed, found.streak) == (0, 0, 0)
    assert outcome(found) is Outcome.PASS
    assert set(service.seen) == {(path, is_test) for path in ("/", "/version") for is_test in (True, False)}
    assert set(service.cookies) == {None}, "a cookie would tie all requests to one colour"


def test_errors_after_a_good_while_fail_within_seconds(service: Service, probe: SyntheticProbe) -> None:
    until(probe, lambda found: found.target.requests >= 20)
    broken_at = time.monotonic()
    service.status = lambda path, is_test: 500 if is_test else 200
    found = until(probe, lambda found: outcome(found) is Outcome.FAIL)
    assert time.monotonic() - broken_at < 5.0
    assert found.trouble in {"/ by the test route: status 500", "/version by the test route: status 500"}


def test_what_users_got_before_the_target_had_requests_is_not_held_against_it(
    service: Service, probe: SyntheticProbe
) -> None:
    service.status, service.names_colour = lambda path, is_test: 200 if is_test else 503, False
    before = until(probe, lambda found: found.users.failed >= 5, Aim(Colour.GREEN, NEXT, 0))
    assert before.users.requests >= 5
    moved = Aim(Colour.GREEN, NEXT, 100)
    assert probe.look(moved).users.requests == 0
    service.status = lambda path, is_test: 200  # the listener takes a moment to follow
    after = until(probe, lambda found: found.users.requests >= 5, moved)
    assert after.users.failed == 0


def test_one_broken_page_fails(service: Service, probe: SyntheticProbe) -> None:
    service.status = lambda path, is_test: 404 if is_test and path == "/" else 200
    found = until(probe, lambda found: outcome(found) is Outcome.FAIL)
    assert found.trouble == "/ by the test route: status 404"


def test_a_version_that_crashes_fails(service: Service, probe: SyntheticProbe) -> None:
    until(probe, lambda found: found.target.requests >= 20)
    service.status = lambda path, is_test: 0 if is_test else 200
    found = until(probe, lambda found: outcome(found) is Outcome.FAIL)
    assert "no answer (RemoteProtocolError)" in found.trouble
    assert not found.is_cut_off


def test_a_slow_version_fails(service: Service, probe: SyntheticProbe) -> None:
    until(probe, lambda found: found.target.requests >= 20)
    service.seconds = 0.8  # within the time-out
    found = until(probe, lambda found: outcome(found) is Outcome.FAIL)
    assert (found.target.p99_seconds or 0) > 0.6


def test_a_version_that_hangs_is_out_of_time(service: Service, probe: SyntheticProbe) -> None:
    service.seconds = 2.0
    found = until(probe, lambda found: found.streak >= FEWEST_BAD)
    assert outcome(found) is Outcome.FAIL
    assert "no answer (" in found.trouble


def test_one_lost_answer_is_no_verdict(service: Service, probe: SyntheticProbe) -> None:
    lost = [0]
    service.status = lambda path, is_test: lost.pop() if is_test and lost else 200
    found = until(probe, lambda found: found.target.requests >= 20)
    assert (found.target.failed, outcome(found)) == (1, Outcome.PASS)


def test_another_image_than_asked_for_fails(service: Service, probe: SyntheticProbe) -> None:
    service.digest = LIVE
    found = until(probe, lambda found: outcome(found) is Outcome.FAIL)
    assert found.trouble == f"/version by the test route: digest {LIVE!r}, not {NEXT!r}"


def test_an_answer_that_is_no_version_fails(service: Service) -> None:
    probe = SyntheticProbe(service.url, SECRET, ("/",), pace=BRISK)
    service.digest = ""
    with closing(probe):
        found = until(probe, lambda found: found.streak >= FEWEST_BAD)
    assert "/version" in found.trouble, "the version is asked for, whatever the paths"


def test_answers_tell_their_colour_in_the_body_too(service: Service, probe: SyntheticProbe) -> None:
    service.names_colour = False
    found = until(probe, lambda found: found.users.requests >= 10)
    assert 0 < found.live.requests < found.users.requests


def test_an_address_where_nobody_listens_is_no_answer() -> None:
    with closing(SyntheticProbe("http://127.0.0.1:1", SECRET, ("/",), pace=BRISK)) as probe:
        found = until(probe, lambda found: found.is_cut_off and found.streak >= FEWEST_BAD)
    assert outcome(found) is Outcome.INCONCLUSIVE
    assert outcome(found, weight=100) is Outcome.FAIL


def test_what_we_ourselves_slept_through_says_nothing_of_the_service() -> None:
    naps: list[float] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if naps:
            time.sleep(naps.pop())  # in the probe's own thread: all that is under way looks slow
        return httpx.Response(200, json={"colour": "green", "digest": NEXT})

    transport = httpx.MockTransport(answer)
    with closing(SyntheticProbe("http://web.example", SECRET, ("/",), pace=BRISK, transport=transport)) as probe:
        until(probe, lambda found: found.target.requests >= 20)
        naps += [0.4] * 3
        until(probe, lambda _: not naps)
        before = probe.look(AIM).target.requests
        found = until(probe, lambda found: found.target.requests >= before + 20)
    assert (found.target.p99_seconds or 0) < 0.3
    assert max(shot.seconds for shot in probe._shots) < 0.3


def test_without_anybody_looking_it_asks_no_more(service: Service, probe: SyntheticProbe) -> None:
    until(probe, lambda found: found.target.requests >= 5)
    time.sleep(0.5)
    asked = len(service.seen)
    time.sleep(0.15)
    assert len(service.seen) == asked
    until(probe, lambda _: len(service.seen) > asked)


def test_what_is_old_is_forgotten_and_another_release_starts_anew(service: Service) -> None:
    pace = Pace(per_second=100.0, window_seconds=0.3, idle_seconds=1.0)
    with closing(SyntheticProbe(service.url, SECRET, ("/",), pace=pace)) as probe:
        until(probe, lambda found: found.target.requests >= 10)
        deadline = time.monotonic() + 0.6
        while time.monotonic() < deadline:
            assert probe.look(AIM).target.requests < 60
            time.sleep(0.05)
        assert probe.look(Aim(Colour.BLUE, LIVE, 0)).target.requests == 0


def test_closing_ends_what_is_under_way_at_once(service: Service) -> None:
    service.seconds = 2.0
    probe = SyntheticProbe(service.url, SECRET, ("/",), pace=Pace(per_second=100.0, timeout_seconds=5.0))
    probe.look(AIM)
    time.sleep(0.2)
    started = time.monotonic()
    probe.close()
    assert time.monotonic() - started < 1.0
    assert not [thread for thread in threading.enumerate() if thread.name == "probe"]
    probe.look(AIM)
    probe.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "probe"]


def test_the_secret_goes_to_the_test_route_alone_and_into_no_message(service: Service, probe: SyntheticProbe) -> None:
    service.status = lambda path, is_test: 500
    found = until(probe, lambda found: found.streak >= FEWEST_BAD)
    assert SECRET not in repr(found)
    assert any(not is_test for _, is_test in service.seen)
