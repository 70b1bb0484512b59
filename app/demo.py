"""Endpoints for demonstrations and benchmarks, served only with TEAL_DEMO=1."""

import time

from flask import Blueprint, abort, jsonify, request
from flask.typing import ResponseReturnValue

LONGEST_SECONDS = 30.0


def demo_blueprint() -> Blueprint:
    """/slow?seconds=N answers after N seconds, 0 to 30."""
    blueprint = Blueprint("demo", __name__)

    @blueprint.get("/slow")
    def slow() -> ResponseReturnValue:
        seconds = request.args.get("seconds", default=-1.0, type=float)
        if not 0 <= seconds <= LONGEST_SECONDS:
            abort(400, f"seconds must be a number from 0 to {LONGEST_SECONDS:g}")
        time.sleep(seconds)
        return jsonify(slept_seconds=seconds)

    return blueprint
