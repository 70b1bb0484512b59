"""What played Docker engines have in common: JSON over HTTP on a Unix socket, and nothing printed."""

import json
from http.server import BaseHTTPRequestHandler


class DockerAnswers(BaseHTTPRequestHandler):
    """Answers of a played engine."""

    protocol_version = "HTTP/1.1"

    def address_string(self) -> str:
        """Whoever asks by a Unix socket has no address."""
        return "unix"

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def tell(self, body: object, status: int = 200) -> None:
        """An answer of JSON."""
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
