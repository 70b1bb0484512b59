"""Gunicorn's logger, writing JSON: one line a request on stdout, one line a message on stderr."""

import json
import logging
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from gunicorn.glogging import Logger

from app.headers import REQUEST_ID
from app.settings import Identity, read_settings


class JsonFormatter(logging.Formatter):
    """A log record as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as a line of JSON; a traceback is one of its fields."""
        line = {
            "time": _stamp(),
            "level": record.levelname.lower(),
            "pid": record.process,
            "event": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


class JsonLogger(Logger):  # type: ignore[misc]  # gunicorn is untyped
    """Set as Gunicorn's logger_class."""

    def setup(self, cfg: Any) -> None:
        """Called by Gunicorn at start and on every reload of its configuration."""
        super().setup(cfg)
        self.identity = read_settings(os.environ).identity
        for handler in self.error_log.handlers:
            handler.setFormatter(JsonFormatter())
        for handler in self.access_log.handlers:
            handler.setFormatter(logging.Formatter("%(message)s"))

    def access(self, resp: Any, req: Any, environ: Mapping[str, Any], request_time: timedelta) -> None:
        """Called by Gunicorn's worker after each response."""
        if not self.access_log.handlers:
            return
        status = int(str(resp.status).split(" ", 1)[0])
        sent = getattr(resp, "sent", None) or 0
        self.access_log.info("%s", access_line(self.identity, environ, status, sent, request_time))


def access_line(identity: Identity, environ: Mapping[str, Any], status: int, sent_bytes: int, took: timedelta) -> str:
    """The access log's line. The query string stays out: secrets end up in those."""
    return json.dumps(
        {
            "time": _stamp(),
            "event": "request",
            "method": environ.get("REQUEST_METHOD", ""),
            "path": environ.get("PATH_INFO", ""),
            "status": status,
            "duration_ms": round(took.total_seconds() * 1000, 3),
            "bytes": sent_bytes,
            "request_id": environ.get(REQUEST_ID, ""),
            "remote": environ.get("REMOTE_ADDR", ""),
            "version": identity.version,
            "digest": identity.digest,
            "colour": identity.colour,
            "instance": identity.instance,
        }
    )


def _stamp() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
