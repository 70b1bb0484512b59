"""What the commands share that write at GitHub: where, as whom, with which token."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from pipeline.github import GitHub
from pipeline.upsert import BOT, Deed, Done

API = "https://api.github.com"
Command = TypeVar("Command", bound=Callable[..., Any])

repository_option = click.option(
    "--repository", envvar="GITHUB_REPOSITORY", required=True, metavar="OWNER/NAME",
    help="The repository at GitHub. Also: GITHUB_REPOSITORY.",
)  # fmt: skip
author_option = click.option(
    "--author", default=BOT, show_default=True, metavar="LOGIN",
    help="Whose token it is: only what this author wrote is edited.",
)  # fmt: skip
plain_file = click.Path(dir_okay=False, path_type=Path)


def hub(repository: str) -> GitHub:
    """The repository, by the token in GITHUB_TOKEN, at GITHUB_API_URL. Raises UsageError without a token."""
    token = os.environ.get("GITHUB_TOKEN", "").strip()
    if not token:
        raise click.UsageError("GITHUB_TOKEN is not set: it takes a token that may write comments or issues")
    return GitHub(os.environ.get("GITHUB_API_URL") or API, token, repository)


def tell(done: Done, *, is_dry: bool) -> None:
    """Says in a line what was done, or would be."""
    words = {
        Deed.ADD: ("would add", "added"),
        Deed.EDIT: ("would edit", "edited"),
        Deed.CLOSE: ("would close", "closed"),
        Deed.LEAVE: ("would leave", "left"),
    }
    click.echo(f"{words[done.deed][not is_dry]} {done.about} {done.url}".rstrip())
