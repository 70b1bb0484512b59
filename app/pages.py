"""The page, its form, and the static files they use."""

import unicodedata
from dataclasses import dataclass

from flask import Blueprint, abort, render_template, request, send_from_directory
from flask.typing import ResponseReturnValue

from app.assets import STATIC, Manifest
from app.counter import Counter
from app.settings import Identity

NAME_LENGTH = 80
FOREVER = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Greeting:
    """What the form was sent: the name as typed, and what is wrong with it, if anything."""

    name: str
    problem: str | None


def greet(typed: str) -> Greeting:
    """The greeting for a typed name: surrounding blanks go; empty, long and unprintable names are a problem."""
    name = unicodedata.normalize("NFC", typed).strip()
    if not name:
        return Greeting("", "Please type a name.")
    if len(name) > NAME_LENGTH:
        return Greeting(name[:NAME_LENGTH], f"A name has at most {NAME_LENGTH} characters; this one has {len(name)}.")
    if not name.isprintable():
        return Greeting("", "A name has letters, marks and spaces, not control characters.")
    return Greeting(name, None)


def pages_blueprint(identity: Identity, manifest: Manifest, counter: Counter | None = None) -> Blueprint:
    """/, /greet and /assets/. The page shows the counter where there is one."""
    blueprint = Blueprint("pages", __name__)

    def page(greeting: Greeting | None) -> str:
        count = None if counter is None else counter.value()
        return render_template(
            "page.html", identity=identity, asset=manifest.url, greeting=greeting, limit=NAME_LENGTH, count=count
        )

    @blueprint.get("/")
    def index() -> ResponseReturnValue:
        return page(None)

    @blueprint.get("/greet")
    def form() -> ResponseReturnValue:
        return page(None)

    @blueprint.post("/greet")
    def submit() -> ResponseReturnValue:  # nothing is stored, so there is nothing for a forged request to change
        greeting = greet(request.form.get("name", ""))
        return page(greeting), 200 if greeting.problem is None else 422

    @blueprint.get("/assets/<name>")
    def asset(name: str) -> ResponseReturnValue:
        found = manifest.find(name)
        if found is None:
            abort(404)
        response = send_from_directory(STATIC, found.name, max_age=FOREVER)
        if found.is_current:
            response.cache_control.immutable = True
        else:
            response.headers["Cache-Control"] = "no-store"
        return response

    return blueprint
