"""The image's health check: exit status 0 when /livez answers through NGINX. Imports next to nothing, so is cheap."""

import os
import socket
import sys

SECONDS = 2.0


def is_alive(host: str = "127.0.0.1", port: int = 8080) -> bool:
    """Whether /livez at host and port says 200. Raises OSError where nobody answers."""
    with socket.create_connection((host, port), SECONDS) as connection:
        connection.sendall(b"GET /livez HTTP/1.0\r\nUser-Agent: healthcheck\r\n\r\n")
        with connection.makefile("rb") as answer:
            return answer.readline().split()[1:2] == [b"200"]


if __name__ == "__main__":
    sys.exit(not is_alive(port=int(os.environ.get("TEAL_PORT") or 8080)))
