"""A git host of one repository, over HTTPS on loopback: what `pulumi package add` fetches packages from."""

import os
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from localcloud.dataplane.certificates import self_signed

ADDRESS = "127.0.0.1"
SECONDS = 60.0


@contextmanager
def git_host(root: Path, trust: Path) -> Iterator[str]:
    """Serves the bare repositories below root; the host's address, whose certificate is put into the file trust."""
    chain, key = self_signed((ADDRESS,))
    pair = trust.with_suffix(".pair")
    pair.touch(mode=0o600)
    pair.write_bytes(key + chain)
    trust.write_bytes(_known_authorities() + b"\n" + chain)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair)
    try:
        server = ThreadingHTTPServer((ADDRESS, 443), _handler(root))
    except OSError as error:
        pytest.skip(f"port 443, since a virtual environment takes no path with a colon in it: {error}")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"https://{ADDRESS}"
    finally:
        server.shutdown()
        server.server_close()


def _known_authorities() -> bytes:
    """Those that registries are known by, which a file of one's own takes the place of."""
    known = os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    return Path(known).read_bytes() if known else b""


def _handler(root: Path) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Hands requests to git's own back end."""

        def do_GET(self) -> None:  # http.server's name
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

        def _answer(self, body: bytes) -> None:
            path, _, query = self.path.partition("?")
            variables = {
                "GIT_PROJECT_ROOT": str(root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            }
            told = subprocess.run(
                ["git", "http-backend"],
                input=body,
                env={**os.environ, **variables},
                capture_output=True,
                timeout=SECONDS,
                check=True,
            ).stdout
            head, _, content = told.partition(b"\r\n\r\n")
            headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
            self.send_response(int(headers.pop("Status", "200").split()[0]))
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Nothing."""

    return Handler
