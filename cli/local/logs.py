"""`teal local logs`."""

import time
from collections import deque
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from cli.failures import one_line
from cli.project import find_project
from localcloud.errors import LocalCloudError
from localcloud.home import Home

FOLLOW_SECONDS = 0.3


def _complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    try:
        names = ["cloud", "envoy", *_instances(find_project().home)]
    except LocalCloudError:
        return []
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


@click.command()
@click.argument("source", default="cloud", shell_complete=_complete)
@click.option(
    "-n", "--lines", default=50, show_default=True, type=click.IntRange(0), help="How many lines to begin with."
)
@click.option("-f", "--follow", is_flag=True, help="Go on with what is added, until Ctrl-C.")
@one_line
def logs(source: str, lines: int, follow: bool) -> None:
    """Print a log: SOURCE is cloud (the default), envoy, or the id of an instance.

    \b
    Examples:
      teal local logs
      teal local logs i-0123456789abcdef0 --follow
    """
    home = find_project().home
    path = _path(home, source)
    if not path.is_file():
        known = ", ".join(["cloud", "envoy", *_instances(home)])
        raise LocalCloudError(f"there is no log of {source!r}: there are {known}")
    with path.open(errors="replace") as log:
        for line in deque(log, maxlen=lines):
            click.echo(line, nl=False)
        while follow:
            line = log.readline()
            if line:
                click.echo(line, nl=False)
            else:
                time.sleep(FOLLOW_SECONDS)


def _path(home: Home, source: str) -> Path:
    if source == "cloud":
        return home.log_file
    if source == "envoy":
        return home.envoy / "envoy.log"
    return home.instance_log(source)


def _instances(home: Home) -> list[str]:
    return sorted(path.parent.name for path in home.instances.glob("*/instance.log"))
