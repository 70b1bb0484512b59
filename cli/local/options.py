"""Arguments and options that several commands share."""

import re

import click

from cli.project import complete_stack

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def checked_digest(context: click.Context, parameter: click.Parameter, given: str | None) -> str | None:
    """What was given, which must be a digest. Raises BadParameter."""
    if given is not None and not DIGEST.fullmatch(given):
        raise click.BadParameter(f"{given!r} is not a digest, sha256: and 64 hexadecimal digits")
    return given


stack_argument = click.argument("stack", default="dev", shell_complete=complete_stack)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
digest_option = click.option(
    "--image",
    "digest",
    metavar="DIGEST",
    callback=checked_digest,
    help="First image: its digest in the stack's registry.",
)
