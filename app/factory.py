"""Makes the Flask application."""

import os
from collections.abc import Mapping

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from app.assets import read_manifest
from app.counter import Counter, counter_blueprint
from app.demo import demo_blueprint
from app.headers import add_headers
from app.health import EXTENSION, Readiness, health_blueprint
from app.pages import pages_blueprint
from app.settings import read_settings

LARGEST_BODY = 16 * 1024


def create_app(test_config: Mapping[str, str] | None = None) -> Flask:
    """The application, told by the process's environment, or by test_config in its place. Raises SettingsError."""
    settings = read_settings(os.environ if test_config is None else test_config)
    app = Flask(__name__, static_folder=None)
    app.testing = test_config is not None
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    readiness = Readiness(settings.drain_file)
    app.extensions[EXTENSION] = readiness
    add_headers(app, settings.identity.colour)
    app.register_blueprint(health_blueprint(settings.identity, readiness))
    counter = Counter(settings.data_folder) if settings.data_folder else None
    app.register_blueprint(pages_blueprint(settings.identity, read_manifest(), counter))
    app.register_blueprint(counter_blueprint(counter))
    if settings.is_demo:
        app.register_blueprint(demo_blueprint())
    app.register_error_handler(HTTPException, _say)
    if settings.trusted_hops:
        # Exact: one hop more and a visitor could choose the address that the log shows. Proxies append to
        # X-Forwarded-For, each its own; the protocol is set once, by the load balancer.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.trusted_hops, x_proto=1)  # type: ignore[method-assign]
    return app


def _say(problem: HTTPException) -> ResponseReturnValue:
    """A problem as JSON with the headers that belong to it, such as Allow; a redirect stays what it is."""
    response = problem.get_response()
    if response.status_code < 400:
        return response
    body = jsonify(status=problem.code, error=problem.name, detail=problem.description, path=request.path)
    response.set_data(body.get_data())
    response.content_type = "application/json"
    return response
