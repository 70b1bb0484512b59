"""The `teal` command."""

import gc
import sys
from typing import Any, NoReturn

import click

from cli.lazy import LazyGroup

GROUPS = {
    "local": ("cli.local:group", "An environment on this machine: the real engine, an embedded cloud."),
    "release": ("cli.release:group", "Release a new version with no downtime, and take it back."),
    "containers": ("cli.containers:group", "Everyday work on containers: look, read, enter, stop."),
    "image": ("cli.image:group", "Images of the app: build, look, copy, remove."),
    "ci": ("cli.ci:group", "What CI runs: previews for pull requests, delivery, drift."),
    "toolchain": ("cli.toolchain:group", "The Pulumi engine that Teal runs on."),
}


OBJECTS_BETWEEN_COLLECTIONS = 500_000
"""Python's 700 cost a third of the time until a rollback moves traffic: what is loaded till then all stays."""


class Teal(LazyGroup):
    """The command itself."""

    def main(self, *args: Any, **extra: Any) -> NoReturn:
        """Runs a command and ends the process; click's own ending takes four lines to say what is wrong with a call."""
        gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
        extra["standalone_mode"] = False
        try:
            code = super().main(*args, **extra)
        except click.ClickException as error:
            _tell(error)
            code = error.exit_code
        except click.Abort:  # Ctrl-C before the command itself began
            code = 130
        sys.exit(code if isinstance(code, int) else 0)


def _tell(error: click.ClickException) -> None:
    is_wrong_call = isinstance(error, click.UsageError) and not isinstance(error, click.exceptions.NoArgsIsHelpError)
    if not is_wrong_call:
        error.show()
        return
    path = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "teal"
    click.echo(f"{path}: {error.format_message().rstrip('.')} (see `{path} --help`)", err=True)


@click.command(cls=Teal, table=GROUPS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="teal")
def main() -> None:
    """Provision a web service on AWS and release new versions of it, blue/green, with no downtime.

    \b
    Examples:
      teal local up dev        a whole environment on this machine
      teal release start dev   a new version in it, step by step
      teal local status        what runs, and where
      teal image build dev     pack the app and push it, without Docker

    Results go to standard output, progress and problems to standard error. Exit codes: 0 done, 1 failed, 2 wrong call,
    3 no embedded cloud runs, 130 interrupted; those of releases: `teal release --help`.

    Tab completion: eval "$(_TEAL_COMPLETE=bash_source teal)" (or zsh_source, fish_source).
    """
