"""The `teal` command."""

import importlib

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

    Tab completion: eval "$(_TEAL_COMPLETE=bash_source teal)" (or zsh_source, fish_source).
    """
