"""`teal containers logs`."""

import json
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import click

from cli.access import access
from cli.containers.options import environment_argument, instance_argument, json_option, some_of
from cli.containers.place import Listing, hands_of
from cli.failures import one_line
from cli.release.options import Seconds
from cli.release.place import place_of
from containers.errors import ContainersError, NoSuchInstance
from containers.model import Instance, Line
from containers.ports import Hands, Log

FOLLOW_SECONDS, FOLLOW_AWS_SECONDS = 0.3, 3.0
LIST_SECONDS, LIST_AWS_SECONDS = 2.0, 10.0
"""Between two looks at which instances there are: one that takes another's place is followed, too."""
AT_ONCE = 10
"""Logs that are asked for at the same time: on AWS an answer takes a second, and a client has ten connections."""
LONG_AGO = datetime.min.replace(tzinfo=UTC)


@click.command()
@environment_argument
@instance_argument
@click.option("-f", "--follow", is_flag=True, help="Go on with what is added, until Ctrl-C; new instances too.")
@click.option("--since", type=Seconds(), help="Only what is not older than that: 90s, 10m, 2h.")
@click.option(
    "-n", "--tail", default=50, show_default=True, type=click.IntRange(0), help="Lines of each container to begin with."
)
@json_option
@one_line
def logs(environment: str, instance: str | None, follow: bool, since: float | None, tail: int, as_json: bool) -> None:
    """Print what the containers of ENV log: both colours in the order of time, each line with whose it is.

    INSTANCE may be a colour, too, and in a swarm a worker or COLOUR.NUMBER. With --json every line is an object with
    instance, colour, at and text.

    \b
    Examples:
      teal containers logs dev
      teal containers logs dev green --follow
      teal containers logs --aws prod i-0abc --since 10m --tail 500
    """
    began = datetime.now(UTC) - timedelta(seconds=since) if since is not None else None
    with place_of(environment) as place:
        hands = hands_of(place)
        readers = _Readers(hands, Listing(place, hands), instance, began, tail)
        readers.look_around()
    show = _show_json if as_json else _show
    show(readers.read())
    pause = FOLLOW_AWS_SECONDS if access().is_on_aws else FOLLOW_SECONDS
    while follow:
        time.sleep(pause)
        readers.look_around()
        show(readers.read())


class _Readers:
    """The logs of those instances that there are by now."""

    def __init__(self, hands: Hands, listing: Listing, wanted: str | None, since: datetime | None, tail: int) -> None:
        self._hands, self._listing, self._wanted, self._since, self._tail = hands, listing, wanted, since, tail
        self._pause = LIST_AWS_SECONDS if access().is_on_aws else LIST_SECONDS
        self._logs: dict[str, tuple[Instance, Log]] = {}
        self._looked_at = -self._pause

    def look_around(self) -> None:
        """Begins with instances that are new. Raises NoSuchInstance at first; later what is gone is just silent."""
        if time.monotonic() < self._looked_at + self._pause:
            return
        self._looked_at = time.monotonic()
        found = self._listing.read()
        try:
            wanted = some_of(found, self._wanted)
        except NoSuchInstance:
            if self._logs:
                return
            raise
        for each in wanted:
            if each.id not in self._logs:
                self._logs[each.id] = each, self._hands.log(each, self._since, self._tail)

    def read(self) -> list[tuple[Instance, Line]]:
        """What was added, in the order of time. One instance that does not answer is told of, once, and left out."""
        found: list[tuple[Instance, Line]] = []
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(_read, [log for _, log in self._logs.values()]))
        for (instance, _), answer in zip(list(self._logs.values()), answers, strict=True):
            if not isinstance(answer, ContainersError):
                found += [(instance, line) for line in answer]
                continue
            if len(self._logs) == 1:
                raise answer
            click.echo(f"teal: {answer}", err=True)
            del self._logs[instance.id]
        return sorted(found, key=lambda pair: pair[1].at or LONG_AGO)


def _read(log: Log) -> Sequence[Line] | ContainersError:
    try:
        return log.read()
    except ContainersError as error:
        return error


def _show(lines: Sequence[tuple[Instance, Line]]) -> None:
    for instance, line in lines:
        click.echo(f"{instance.colour:<5} {instance.id} | {line.text}")
    sys.stdout.flush()


def _show_json(lines: Sequence[tuple[Instance, Line]]) -> None:
    for instance, line in lines:
        at = line.at.isoformat() if line.at else None
        told = {"instance": instance.id, "colour": instance.colour, "at": at, "text": line.text}
        click.echo(json.dumps(told))
    sys.stdout.flush()
