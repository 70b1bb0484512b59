"""The load against servers of this process, good and bad."""

import asyncio
import io
from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import islice

import pytest

from bench.load import PIECE_BYTES, PIECES, SHARES, Load, request, turns
from bench.samples import Kind, Sample, sample_of

pytestmark = pytest.mark.process

DIGEST = "sha256:" + "c" * 64
Server = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def samples_against(serve: Server, rate: float, seconds: float) -> list[Sample]:
    """What a load noted that ran so long."""
    out = io.StringIO()

    async def run() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            load = Load(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", out)
            running = asyncio.create_task(load.run(rate))
            await asyncio.sleep(seconds)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            load.close()

    asyncio.run(run())
    return [sample_of(line) for line in out.getvalue().splitlines()]


class Service:
    """Answers every request, and remembers on which connection."""

    def __init__(self, status: str = "200 OK") -> None:
        self.status, self.connections, self.paths = status, 0, Counter[str]()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await self._head(reader):
                length = int(head.partition("Content-Length: ")[2].partition("\r")[0] or 0)
                await reader.readexactly(length)
                self.paths[head.split(" ")[1]] += 1
                writer.write(f"HTTP/1.1 {self.status}\r\nContent-Length: {len(DIGEST)}\r\n\r\n{DIGEST}".encode())
                if "Connection: close" in head:
                    break
        finally:
            writer.close()

    async def _head(self, reader: asyncio.StreamReader) -> str:
        try:
            return (await reader.readuntil(b"\r\n\r\n")).decode()
        except (asyncio.IncompleteReadError, ConnectionError):
            return ""


def test_kinds_come_as_often_as_their_share_and_spread() -> None:
    found = Counter(islice(turns(), 1000))
    assert {kind: found[kind] for kind in SHARES} == {kind: round(share * 1000) for kind, share in SHARES.items()}
    assert Counter(islice(turns(), 100))[Kind.SLOW] == 1
    assert sum(SHARES.values()) == pytest.approx(1)


def test_an_uploads_pieces_are_its_whole_body() -> None:
    head, pieces = request(Kind.UPLOAD, "h")
    assert len(pieces) == PIECES
    assert f"Content-Length: {PIECES * PIECE_BYTES}\r\n".encode() in head
    assert sum(map(len, pieces)) == PIECES * PIECE_BYTES < 16 * 1024  # what the app takes at most


def test_the_load_keeps_its_rate_and_uses_connections_again() -> None:
    service = Service()
    found = samples_against(service, rate=200, seconds=1)
    assert 180 <= len(found) <= 201
    assert [one.problem for one in found if one.is_failed] == []
    assert {one.digest for one in found} == {DIGEST}
    kinds = Counter(one.kind for one in found)
    others = len(found) - kinds[Kind.KEPT]
    assert others < service.connections < others + 20
    assert service.paths["/greet"] == kinds[Kind.UPLOAD]
    assert service.paths["/slow?seconds=5"] == kinds[Kind.SLOW]


def test_every_request_that_goes_wrong_is_noted_with_what_it_met() -> None:
    found = samples_against(Service("503 Service Unavailable"), rate=100, seconds=0.3)
    assert all(one.status == 503 and one.problem.startswith("status 503") for one in found)


def test_a_connection_that_ends_before_the_answer_is_a_failure() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    found = samples_against(hang_up, rate=100, seconds=0.2)
    assert found
    assert all(one.status == 0 and one.is_failed for one in found)


def test_what_a_slow_server_keeps_waiting_counts_from_when_it_was_due() -> None:
    async def dawdle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.3)
        await Service()(reader, writer)

    found = samples_against(dawdle, rate=50, seconds=0.4)
    assert 15 <= len(found) <= 21  # the rate is kept all the same
    assert min(one.seconds for one in found if one.kind is Kind.NEW) >= 0.3
