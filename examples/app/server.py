"""The smallest service that a Fleet can run: a greeting, and a page by which it is known to be ready."""

import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import FrameType


class Page(BaseHTTPRequestHandler):
    """Answers any path with who serves it."""

    protocol_version = "HTTP/1.1"
    timeout = 75  # seconds that a connection may be silent: longer than the load balancer's 60

    def do_GET(self) -> None:  # http.server's name
        """A greeting; `ready` to the load balancer."""
        known = os.environ
        hello = f"{known.get('GREETING', 'Hello')} ({known.get('TEAL_COLOUR', 'no colour')})"
        body = f"{'ready' if self.path == '/readyz' else hello}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # http.server's name
        """Nothing: the load balancer writes the access log."""


def end(number: int, frame: FrameType | None) -> None:
    """SIGTERM: the load balancer sends nothing here any more."""
    sys.exit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, end)
    address, _, port = os.environ.get("TEAL_BIND", "0.0.0.0:8080").rpartition(":")
    ThreadingHTTPServer((address, int(port)), Page).serve_forever()
