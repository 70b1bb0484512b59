"""Our own requests while a release is judged, by both routes, in the background: they make samples where nobody comes.

Paced, each on a connection of its own and without cookies, so that every one is a new visitor; out of time within
seconds, so that no more than a few are ever under way; remembered for half a minute, in bounded memory.
"""

import asyncio
import json
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from itertools import count

import httpx

from release.judgement import Probed
from release.ledger import Colour
from release.shots import TEST_HEADER, Route, Shot, probed

COLOUR_HEADER = "X-Teal-Colour"
"""By which an answer may tell who gave it; the answers of VERSION_PATH tell it in any case."""
VERSION_PATH = "/version"
ROUTES = (Route.TEST, Route.TEST, Route.USERS)
"""Which ways requests take, in turn: what is judged is the target colour."""
MOST_SHOTS = 2000
MOST_UNDER_WAY = 100
"""With so many unanswered, no more are sent: what there is to be learnt is known by then."""
MOST_BYTES = 256 * 1024
"""So much of an answer's body is read; the rest is somebody else's film."""
STALL_SECONDS = 0.25
"""A request during which we ourselves did not get to run for so long says nothing of the service."""
STOP_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How requests of our own are made, and for how long they are remembered."""

    per_second: float = 12.0
    timeout_seconds: float = 2.0
    """An answer that takes longer is none; at least the limit for p99, or slowness could not be told from silence."""
    window_seconds: float = 30.0
    idle_seconds: float = 5.0
    """Without anybody looking for so long, no more requests are made."""
    move_seconds: float = 2.0
    """New weights may take so long to be everywhere: what users' requests meet meanwhile is nobody's for certain."""


@dataclass(frozen=True, slots=True)
class Aim:
    """What the requests are about: which colour must answer by the test route, as which digest."""

    target: Colour
    digest: str
    weight: int
    """The target colour's share of the users' requests, in percent."""


class SyntheticProbe:
    """Asks the service at a URL from the first look on. `secret` opens the test route; `paths` begin with a slash."""

    def __init__(
        self,
        url: str,
        secret: str,
        paths: Sequence[str],
        *,
        pace: Pace | None = None,
        verify: ssl.SSLContext | bool = True,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url, self._secret, self._verify, self._transport = url.rstrip("/"), secret, verify, transport
        self._pace, self._clock = pace or Pace(), clock
        plain = tuple(paths)
        self._paths = {Route.USERS: plain, Route.TEST: tuple(dict.fromkeys((*plain, VERSION_PATH)))}
        self._shots: deque[Shot] = deque(maxlen=MOST_SHOTS)
        self._lock = threading.Lock()
        self._aim: Aim | None = None
        self._looked_at, self._moved_at = 0.0, float("-inf")
        self._thread: threading.Thread | None = None
        self._stop: Callable[[], object] | None = None
        self._is_closed = False
        self._under_way = 0
        self._stalled, self._next_tick = 0.0, clock()

    def look(self, aim: Aim) -> Probed:
        """What was met lately; from the first look on, and while somebody looks, requests are made."""
        now = self._clock()
        with self._lock:
            if self._aim is not None and (self._aim.target, self._aim.digest) != (aim.target, aim.digest):
                self._shots.clear()
            elif self._aim is not None and self._aim.weight != aim.weight:
                self._moved_at = now
                if not self._aim.weight:  # what users got until now was none of the target's
                    kept = [shot for shot in self._shots if shot.route is not Route.USERS]
                    self._shots.clear()
                    self._shots.extend(kept)
            self._aim, self._looked_at = aim, now
            while self._shots and self._shots[0].at < now - self._pace.window_seconds:
                self._shots.popleft()
            shots = list(self._shots)
            if self._thread is None and not self._is_closed:
                self._thread = threading.Thread(target=self._run, name="probe", daemon=True)
                self._thread.start()
        return probed(shots, aim.target)

    def close(self) -> None:
        """Ends its requests, those under way too; waits for that a few seconds at most. Looking on starts no more."""
        with self._lock:
            self._is_closed = True
            thread = self._thread
            if self._stop is not None:  # under the lock, so that the loop is still open
                self._stop()
        if thread is not None:
            thread.join(STOP_SECONDS)

    def _run(self) -> None:
        with asyncio.Runner() as runner:
            loop = runner.get_loop()
            task = loop.create_task(self._ask_all())
            with self._lock:
                self._stop = lambda: loop.call_soon_threadsafe(task.cancel)
                if self._is_closed:
                    task.cancel()
            try:
                loop.run_until_complete(task)
            except asyncio.CancelledError:
                return
            finally:
                with self._lock:
                    self._stop = None

    async def _ask_all(self) -> None:
        nobody = CookieJar(DefaultCookiePolicy(allowed_domains=[]))  # a cookie would tie all requests to one colour
        options = httpx.Limits(max_keepalive_connections=0)
        async with (
            httpx.AsyncClient(
                cookies=nobody,
                limits=options,
                timeout=self._pace.timeout_seconds,
                trust_env=False,
                verify=self._verify,
                transport=self._transport,
            ) as client,
            asyncio.TaskGroup() as under_way,
        ):
            turns = {route: count() for route in Route}
            for number in count():
                aim = self._wanted()
                if aim is not None and self._under_way < MOST_UNDER_WAY:
                    route = ROUTES[number % len(ROUTES)]
                    paths = self._paths[route]
                    path = paths[next(turns[route]) % len(paths)]
                    under_way.create_task(self._ask(client, route, path, aim))
                self._next_tick = self._clock() + 1 / self._pace.per_second
                await asyncio.sleep(1 / self._pace.per_second)
                self._stalled += max(0.0, self._clock() - self._next_tick)

    def _lost(self, now: float) -> float:
        """Seconds until now that this thread did not get to run, as its own ticks tell."""
        return self._stalled + max(0.0, now - self._next_tick)

    def _wanted(self) -> Aim | None:
        with self._lock:
            is_watched = self._clock() - self._looked_at <= self._pace.idle_seconds
            return self._aim if is_watched else None

    async def _ask(self, client: httpx.AsyncClient, route: Route, path: str, aim: Aim) -> None:
        started, colour, is_answered = self._clock(), None, True
        lost_before = self._lost(started)
        self._under_way += 1
        try:
            async with asyncio.timeout(self._pace.timeout_seconds):
                answer, body = await self._answer(client, route, path)
        except (httpx.HTTPError, TimeoutError) as error:
            problem: str | None = f"no answer ({type(error).__name__})"
            is_answered = False
        else:
            about = _about(body) if path == VERSION_PATH else {}
            problem = _problem(answer, about, aim if route is Route.TEST and path == VERSION_PATH else None)
            colour = _colour_of(answer.headers.get(COLOUR_HEADER) or about.get("colour"))
        finally:
            self._under_way -= 1
        now = self._clock()
        is_between = route is Route.USERS and started < self._moved_at + self._pace.move_seconds
        if is_between or self._lost(now) - lost_before > STALL_SECONDS:
            return
        shot = Shot(
            at=now,
            seconds=now - started,
            route=route,
            path=path,
            weight=aim.weight,
            colour=colour,
            problem=problem,
            is_answered=is_answered,
        )
        with self._lock:
            self._shots.append(shot)

    async def _answer(self, client: httpx.AsyncClient, route: Route, path: str) -> tuple[httpx.Response, bytes]:
        headers = {TEST_HEADER: self._secret} if route is Route.TEST else {}
        body = bytearray()
        async with client.stream("GET", self._url + path, headers=headers) as answer:
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > MOST_BYTES:
                    break
        return answer, bytes(body)


def _about(body: bytes) -> dict[str, object]:
    """What an answer tells of its version; nothing where it is none."""
    try:
        about = json.loads(body)
    except ValueError:
        return {}
    return about if isinstance(about, dict) else {}


def _problem(answer: httpx.Response, about: dict[str, object], aim: Aim | None) -> str | None:
    if answer.status_code >= httpx.codes.BAD_REQUEST:
        return f"status {answer.status_code}"
    if aim is None:
        return None
    expected = {"colour": aim.target.value, "digest": aim.digest}
    wrong = (
        f"{name} {about.get(name)!r}, not {value!r}" for name, value in expected.items() if about.get(name) != value
    )
    return "; ".join(wrong) or None


def _colour_of(told: object) -> Colour | None:
    return next((colour for colour in Colour if colour.value == told), None)
