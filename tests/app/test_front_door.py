import errno
import select
import socket
import threading
from collections.abc import Iterator

import pytest

from app.front_door import await_queue_empty, open_door, queued, turn_newcomers_away


@pytest.fixture
def door() -> Iterator[socket.socket]:
    with open_door("127.0.0.1", 0) as opened:
        yield opened


def test_those_in_the_queue_are_served_and_newcomers_get_no_answer(door: socket.socket) -> None:
    with socket.create_connection(door.getsockname()) as early:
        early.sendall(b"here")
        assert turn_newcomers_away(door)
        with pytest.raises(TimeoutError):
            socket.create_connection(door.getsockname(), 0.2)
        accepted, _ = door.accept()
        with accepted:
            accepted.settimeout(2)
            assert accepted.recv(4) == b"here"
            accepted.sendall(b"served")
            assert early.recv(6) == b"served"


def test_a_newcomer_who_waits_is_refused_once_the_door_is_closed(door: socket.socket) -> None:
    address = door.getsockname()
    assert turn_newcomers_away(door)
    with socket.socket() as newcomer:
        newcomer.setblocking(False)
        newcomer.connect_ex(address)
        door.close()
        _, answered, _ = select.select([], [newcomer], [], 5)
        assert answered, "the kernel asks again after a second"
        assert newcomer.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNREFUSED


def test_the_queue_is_empty_once_everybody_was_accepted(door: socket.socket) -> None:
    with socket.create_connection(door.getsockname()), socket.create_connection(door.getsockname()):
        assert queued(door) == 2
        accepted, _ = door.accept()
        with accepted:
            assert queued(door) == 1
            assert not await_queue_empty(door, 0.1), "one waits, and nobody accepts it"
            late = threading.Timer(0.3, lambda: door.accept()[0].close())
            late.start()
            assert await_queue_empty(door, 5)
            late.join()
