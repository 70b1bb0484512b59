"""`teal local logs`."""

import codecs
import io
import time
from collections import deque
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from cli.failures import one_line
from cli.project import find_project
from containers.rotated import RotatedLog
from localcloud.errors import LocalCloudError
from localcloud.home import Home

FOLLOW_SECONDS = 0.3


def _complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    try:
        names = list(_sources(find_project(takes_any=True).home))
    except LocalCloudError:
        return []
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


@click.command()
@click.argument("source", default="cloud", shell_complete=_complete)
@click.option(
    "-n", "--lines", default=50, show_default=True, type=click.IntRange(0), help="How many lines to begin with."
)
@click.option("-f", "--follow", is_flag=True, help="Go on with what is added, until Ctrl-C.")
@click.option("-l", "--list", "lists", is_flag=True, help="List the logs that there are, with their files.")
@one_line
def logs(source: str, lines: int, follow: bool, lists: bool) -> None:
    """Print a log: SOURCE is cloud (the default), envoy, or the id of an instance.

    \b
    Examples:
      teal local logs
      teal local logs --list
      teal local logs i-0123456789abcdef0 --follow
    """
    found = _sources(find_project(takes_any=True).home)
    if lists:
        for name, path in found.items():
            click.echo(f"{name:<20} {path}")
        return
    if source not in found:
        known = f"there are {', '.join(found)}" if found else "nothing has run here yet"
        raise LocalCloudError(f"there is no log of {source!r}: {known}")
    log, decoder = RotatedLog(found[source]), codecs.getincrementaldecoder("utf-8")("replace")
    begin = io.StringIO(decoder.decode(log.added()))
    click.echo("".join(deque(begin, maxlen=lines)), nl=False)
    while follow:
        added = decoder.decode(log.added())
        click.echo(added, nl=False)
        if not added:
            time.sleep(FOLLOW_SECONDS)


def _sources(home: Home) -> dict[str, Path]:
    """Log files by what they are of."""
    instances = {path.parent.name: path for path in sorted(home.instances.glob("*/instance.log"))}
    known = {"cloud": home.log_file, "envoy": home.envoy / "envoy.log", **instances}
    return {name: path for name, path in known.items() if path.is_file()}
