"""The `teal` command."""

import importlib
import sys
from typing import Any, NoReturn

import click

GROUPS = {
    "local": ("cli.local", "An environment on this machine: the real engine, an embedded cloud."),
    "release": ("cli.release", "Release a new version with no downtime, and take it back."),
    "image": ("cli.image", "Images of the app, without Docker."),
    "toolchain": ("cli.toolchain", "The Pulumi engine that Teal runs on."),
}


class LazyGroup(click.Group):
    """Imports a group of commands when it is used: `teal --help` and completion answer at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of the table."""
        return list(GROUPS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The group of that name."""
        if cmd_name not in GROUPS:
            return None
        command = importlib.import_module(GROUPS[cmd_name][0]).group
        assert isinstance(command, click.Command)  # noqa: S101  # a programming error, not a user's
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table, without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in GROUPS.items()])

    def main(self, *args: Any, **extra: Any) -> NoReturn:
        """Runs a command and ends the process; click's own ending takes four lines to say what is wrong with a call."""
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


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
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
