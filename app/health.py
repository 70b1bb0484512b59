"""What load balancers and operators ask: alive, ready, and which version."""

from dataclasses import asdict
from pathlib import Path

from flask import Blueprint, Flask, jsonify
from flask.typing import ResponseReturnValue

from app.settings import Identity

EXTENSION = "teal.readiness"


class Readiness:
    """Whether this process wants new requests. It says no for good once it drains, and while the drain file exists."""

    def __init__(self, drain_file: Path | None = None) -> None:
        self.drain_file = drain_file
        self.is_draining = False  # a plain attribute: a signal handler sets it, and must not wait for a lock

    def refusal(self) -> str | None:
        """Why not ready, or None when ready."""
        if self.is_draining:
            return "stopping"
        if self.drain_file is not None and self.drain_file.exists():
            return "draining"
        return None


def readiness_of(app: Flask) -> Readiness:
    """The readiness that app's /readyz tells."""
    readiness = app.extensions[EXTENSION]
    assert isinstance(readiness, Readiness)  # noqa: S101  # narrows Flask's untyped registry
    return readiness


def health_blueprint(identity: Identity, readiness: Readiness) -> Blueprint:
    """/livez, /readyz and /version."""
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/livez")
    def livez() -> ResponseReturnValue:
        return jsonify(alive=True)

    @blueprint.get("/readyz")
    def readyz() -> ResponseReturnValue:
        refusal = readiness.refusal()
        return (jsonify(ready=True), 200) if refusal is None else (jsonify(ready=False, reason=refusal), 503)

    @blueprint.get("/version")
    def version() -> ResponseReturnValue:
        return jsonify(asdict(identity))

    return blueprint
