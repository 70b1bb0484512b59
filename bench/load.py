"""A load of mixed requests at a steady rate, as a process of its own that takes little of the machine.

    python -m bench.load http://127.0.0.1:PORT RATE FILE

Each request is made when it is due, however long earlier ones take, and leaves a line in FILE (bench.samples). Ends
when standard input does: so it never outlives whoever started it.
"""

import argparse
import asyncio
import re
import sys
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO
from urllib.parse import urlsplit

from bench.samples import Kind, Sample

SHARES: Mapping[Kind, float] = {Kind.KEPT: 0.606, Kind.NEW: 0.30, Kind.UPLOAD: 0.09, Kind.SLOW: 0.004}
"""Of all requests, by kind. Slow ones stay below one in a hundred: else they are the 99th percentile, and the judge is
right to take every version back."""
SLOW_SECONDS = 5.0
PATIENCE_SECONDS = 15.0
"""A client gives up then; slow requests included."""
END_SECONDS = 20.0
IDLE_SECONDS = 50.0
"""Below the load balancer's idle timeout of 60 s, after which it ends a connection: the race of the two is nobody's."""
FLUSH_SECONDS = 0.2
MOST_AT_ONCE = 1000
PIECES, PIECE_BYTES, PIECE_SECONDS = 4, 3000, 0.02
DIGEST = re.compile(rb"sha256:[0-9a-f]{64}")
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
CLOSES = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)


class Broken(Exception):
    """The server did not answer as HTTP/1.1 has it; the message says how."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it came."""

    status: int
    head: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection of a client's."""

    reader: StreamReader
    writer: StreamWriter

    async def ask(self, head: bytes, pieces: Sequence[bytes]) -> Answer:
        """Sends a request, its body piece by piece, and reads the whole answer. Raises Broken, OSError."""
        self.writer.write(head)
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()
            await asyncio.sleep(PIECE_SECONDS)
        try:
            answer = await self.reader.readuntil(b"\r\n\r\n")
            length = LENGTH.search(answer)
            if length is None:
                raise Broken(f"an answer without a length: {answer[:60]!r}")
            return Answer(int(answer[9:12]), answer, await self.reader.readexactly(int(length[1])))
        except asyncio.IncompleteReadError as error:
            raise Broken(f"the connection ended after {len(error.partial)} bytes of the answer") from error


@dataclass
class Load:
    """Clients of one address."""

    url: str
    out: TextIO
    under_way: set["asyncio.Task[None]"] = field(default_factory=set)
    _idle: list[tuple[float, Connection]] = field(default_factory=list)
    """Connections to use again, each with the moment from which it has been idle."""

    def __post_init__(self) -> None:
        address = urlsplit(self.url)
        self._host, self._port = address.hostname or "", address.port or 80

    async def run(self, rate: float) -> None:
        """Makes so many requests a second until it is cancelled, then waits for what is under way."""
        started = time.monotonic()
        try:
            for number, kind in enumerate(turns()):
                due = started + number / rate
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                self._start(kind, due)
        finally:
            if self.under_way:
                await asyncio.wait(self.under_way, timeout=END_SECONDS)
            self.out.flush()

    def _start(self, kind: Kind, due: float) -> None:
        if len(self.under_way) >= MOST_AT_ONCE:
            self._note(Sample(kind, due, time.monotonic(), 0, "", f"{MOST_AT_ONCE} requests wait already"))
            return
        task = asyncio.create_task(self._make(kind, due))
        self.under_way.add(task)
        task.add_done_callback(self.under_way.discard)

    async def _make(self, kind: Kind, due: float) -> None:
        status, digest, problem = 0, "", ""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                answer = await self._exchange(kind)
            found = DIGEST.search(answer.body)
            status, digest = answer.status, found[0].decode() if found else ""
            problem = "" if status == 200 else f"status {status}: {answer.body[:80].decode(errors='replace')}"
        except TimeoutError:
            problem = f"no answer within {PATIENCE_SECONDS:g} s"
        except (Broken, OSError) as error:
            problem = f"{type(error).__name__}: {error}"
        self._note(Sample(kind, due, time.monotonic(), status, digest, problem))

    async def _exchange(self, kind: Kind) -> Answer:
        reuses = kind is Kind.KEPT
        connection = self._kept() if reuses else None
        if connection is None:
            connection = Connection(*await asyncio.open_connection(self._host, self._port))
        with ExitStack() as undo:
            undo.callback(connection.writer.transport.abort)
            head, pieces = request(kind, f"{self._host}:{self._port}")
            answer = await connection.ask(head, pieces)
            undo.pop_all()
        if reuses and not CLOSES.search(answer.head):
            self._idle.append((time.monotonic(), connection))
        else:
            connection.writer.close()
        return answer

    def _kept(self) -> Connection | None:
        """A connection that was used before, the one idle for the shortest time; as any client's pool has it.

        One that the server has ended is not used, nor one that it may end in the very moment of the next request.
        """
        while self._idle:
            since, connection = self._idle.pop()
            if time.monotonic() - since < IDLE_SECONDS and not connection.reader.at_eof():
                return connection
            connection.writer.close()
        return None

    def close(self) -> None:
        """Ends the connections that nobody uses."""
        while self._idle:
            self._idle.pop()[1].writer.close()

    def _note(self, sample: Sample) -> None:
        self.out.write(sample.line() + "\n")


def turns() -> Iterator[Kind]:
    """Kinds for ever, each as often as its share, spread evenly."""
    owed = dict.fromkeys(SHARES, 0.0)
    while True:
        for kind, share in SHARES.items():
            owed[kind] += share
        turn = max(owed, key=lambda kind: owed[kind])
        owed[turn] -= 1
        yield turn


def request(kind: Kind, host: str) -> tuple[bytes, Sequence[bytes]]:
    """The head of a request of a kind, and the pieces of its body."""
    wish = "" if kind is Kind.KEPT else "Connection: close\r\n"
    if kind is Kind.UPLOAD:
        body = (b"name=Ada&padding=" + b"x" * PIECES * PIECE_BYTES)[: PIECES * PIECE_BYTES]
        about = f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
        head = f"POST /greet HTTP/1.1\r\nHost: {host}\r\n{wish}{about}\r\n"
        return head.encode(), [body[start : start + PIECE_BYTES] for start in range(0, len(body), PIECE_BYTES)]
    path = f"/slow?seconds={SLOW_SECONDS:g}" if kind is Kind.SLOW else "/version"
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{wish}\r\n".encode(), ()


async def until_stdin_ends(load: Load, rate: float) -> None:
    """Runs a load until standard input ends, and writes what it has noted a few times a second."""
    loop, heard = asyncio.get_running_loop(), asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(heard), sys.stdin)
    running = asyncio.create_task(load.run(rate))
    ending = asyncio.create_task(heard.read())
    while not ending.done() and not running.done():
        await asyncio.wait((ending, running), timeout=FLUSH_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        load.out.flush()
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    load.close()


def main(arguments: Sequence[str] | None = None) -> None:
    """Makes the load."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", help="http://HOST:PORT")
    parser.add_argument("rate", type=float, help="requests a second")
    parser.add_argument("file", type=Path, help="where the samples go")
    given = parser.parse_args(arguments)
    with given.file.open("w", buffering=1 << 16) as out:
        asyncio.run(until_stdin_ends(Load(given.url, out), given.rate))


if __name__ == "__main__":
    main()
