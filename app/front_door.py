"""The socket that visitors come in by. The supervisor holds it, so that closing it can lose nobody.

Whoever closes a listening socket resets the connections that the kernel has taken in and nobody has accepted yet.
So the socket is first bound to a network interface that there is not: from then on the kernel refuses newcomers as if
nobody listened, while what has begun is accepted and served. The queue runs empty, and only then the socket is closed.
"""

import socket
import sys
import time

BACKLOG = 1024
SO_BINDTOIFINDEX = 62  # Linux; Python has no name for it
NOWHERE = 2**30
"""Index of no interface. Any user may bind a socket of its own that is not bound yet; a packet filter needs a right."""
UNACKED_OFFSET = 24  # in tcp_info; of a listening socket it is the length of the queue
LOOK_SECONDS = 0.02


def open_door(host: str, port: int) -> socket.socket:
    """A listening socket that children inherit. Raises OSError where the port is taken."""
    door = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    door.bind((host, port))
    door.listen(BACKLOG)
    door.setblocking(False)  # NGINX takes it as it is, and would wait in accept for ever
    door.set_inheritable(True)
    return door


def turn_newcomers_away(door: socket.socket) -> bool:
    """Begins no more connections, while those that have begun can still be accepted. False where a kernel can't."""
    try:
        door.setsockopt(socket.SOL_SOCKET, SO_BINDTOIFINDEX, NOWHERE)
    except OSError:  # a kernel before 5.7, or none of Linux's; closing then costs what it costs everyone
        return False
    return True


def await_queue_empty(door: socket.socket, seconds: float) -> bool:
    """Returns once somebody has accepted every connection that waits; False where that takes longer than so long."""
    deadline = time.monotonic() + seconds
    while queued(door):
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_SECONDS)
    return True


def queued(door: socket.socket) -> int:
    """How many connections wait to be accepted; 0 where a kernel does not tell."""
    told = door.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, UNACKED_OFFSET + 4)
    return int.from_bytes(told[UNACKED_OFFSET:], sys.byteorder) if len(told) == UNACKED_OFFSET + 4 else 0
