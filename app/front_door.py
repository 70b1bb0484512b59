"""The socket that visitors come in by. The supervisor holds it, so that closing it can lose nobody.

Whoever closes a listening socket resets the connections that the kernel has taken in and nobody has accepted yet.
So the kernel is first told to drop the packet that begins a connection; what has begun is accepted and served, the
queue runs empty, and only then the socket is closed. A newcomer tries again by itself within a second, and is refused.
"""

import array
import socket
import struct
import sys
import time

BACKLOG = 1024
SO_ATTACH_FILTER = 26  # Linux; Python has no name for it
FLAGS_OFFSET = 13  # of a TCP header
SYN, ACK = 0x02, 0x10
LOAD_BYTE, AND, JUMP_IF_EQUAL, RETURN = 0x30, 0x54, 0x15, 0x06
DROP, PASS = 0, 0xFFFFFFFF
UNACKED_OFFSET = 24  # in tcp_info; of a listening socket it is the length of the queue
LOOK_SECONDS = 0.02
PROGRAM = (
    (LOAD_BYTE, 0, 0, FLAGS_OFFSET),
    (AND, 0, 0, SYN | ACK),
    (JUMP_IF_EQUAL, 0, 1, SYN),
    (RETURN, 0, 0, DROP),
    (RETURN, 0, 0, PASS),
)
"""Classic BPF: code, steps to take if true, if false, operand. Any user may put it on a socket of its own."""


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
    program = array.array("B", b"".join(struct.pack("HBBI", *instruction) for instruction in PROGRAM))
    address, _ = program.buffer_info()
    try:
        door.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", len(PROGRAM), address))
    except OSError:  # a sandbox that is no Linux kernel; closing then costs what it costs everyone
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
