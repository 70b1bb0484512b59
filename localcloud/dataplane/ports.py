"""The local port of each listener, chosen free and kept as long as the cloud runs."""

import socket
import threading


class PortBook:
    """Local ports by listener ARN.

    Each port is held by a bound socket that never listens, so nobody else can be given it; Envoy may bind it all the
    same, since both ask for SO_REUSEPORT. Thread-safe.
    """

    def __init__(self) -> None:
        self._held: dict[str, socket.socket] = {}
        self._lock = threading.Lock()

    def port(self, listener_arn: str) -> int:
        """The listener's local port; chosen the first time that it is asked for. Raises OSError if none is free."""
        with self._lock:
            if listener_arn not in self._held:
                self._held[listener_arn] = _held_socket()
            port: int = self._held[listener_arn].getsockname()[1]
            return port

    def keep_only(self, listener_arns: set[str]) -> None:
        """Gives back the ports of all other listeners."""
        with self._lock:
            for arn in self._held.keys() - listener_arns:
                self._held.pop(arn).close()

    def close(self) -> None:
        """Gives back every port."""
        self.keep_only(set())


def _held_socket() -> socket.socket:
    holder = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind(("127.0.0.1", 0))
    except OSError:
        holder.close()
        raise
    return holder
