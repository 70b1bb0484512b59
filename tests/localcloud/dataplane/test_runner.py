"""When something counts as listening."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from localcloud.dataplane.runner import accepts_connections


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with closing(socket.create_server(("127.0.0.1", 0))) as made:
        yield made


def test_who_listens_and_waits_for_a_request_accepts(listener: socket.socket) -> None:
    assert accepts_connections(*listener.getsockname())


def test_where_nobody_listens_nobody_accepts(listener: socket.socket) -> None:
    address = listener.getsockname()
    listener.close()
    assert not accepts_connections(*address)


def test_who_hangs_up_at_once_only_forwards_for_someone_who_is_not_there_yet(listener: socket.socket) -> None:
    hanging_up = threading.Thread(target=lambda: listener.accept()[0].close())
    hanging_up.start()
    assert not accepts_connections(*listener.getsockname())
    hanging_up.join()
