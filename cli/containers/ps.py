"""`teal containers ps`."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC

import click

from cli.containers.options import environment_argument, instance_argument, json_option, some_of
from cli.containers.place import Listing, hands_of
from cli.containers.table import age, print_table
from cli.failures import one_line
from cli.release.place import place_of
from containers.model import Inside, Instance

HEADER = ("INSTANCE", "COLOUR", "ROLE", "IMAGE", "VERSION", "ZONE", "STATE", "HEALTH", "UP", "RESTARTS", "ADDRESS")
WORKER = "WORKER"
"""One column more, where instances are tasks of a swarm."""
DIGEST_CHARACTERS = 19
"""sha256: and twelve digits."""


@dataclass(frozen=True)
class Row:
    """One container."""

    instance: Instance
    inside: Inside
    role: str

    @property
    def state(self) -> str:
        """What matters most of both: a container that does not run on an instance that does."""
        known = self.inside.state not in ("running", "unknown", "none")
        return self.inside.state if known else self.instance.state

    @property
    def reason(self) -> str:
        """Why it is not as it should be."""
        return "; ".join(filter(None, (self.instance.reason, self.inside.problem)))

    def cells(self, *, tells_worker: bool) -> list[str]:
        """As a row of the table."""
        each, inside = self.instance, self.inside
        return [
            *(each.id, each.colour, self.role, inside.digest[:DIGEST_CHARACTERS] or "-", inside.version or "-"),
            *(each.zone, self.state, each.health, age(inside.since)),
            *("-" if inside.restarts is None else str(inside.restarts), each.address or "-"),
            *((each.worker or "-", self.reason) if tells_worker else (self.reason,)),
        ]

    def document(self) -> dict[str, object]:
        """As plain data."""
        inside = asdict(self.inside)
        del inside["problem"], inside["state"]
        since = self.inside.since.astimezone(UTC).isoformat(timespec="seconds") if self.inside.since else None
        return {
            **asdict(self.instance),
            "role": self.role,
            "container": self.inside.state,
            **inside,
            "since": since,
            "reason": self.reason,
        }


@click.command()
@environment_argument
@instance_argument
@json_option
@one_line
def ps(environment: str, instance: str | None, as_json: bool) -> None:
    """Show what runs in ENV: every instance of both colours, with role, image, health, and since when it runs.

    INSTANCE may be a colour, too. In a swarm an instance is a task, and INSTANCE may be its worker or COLOUR.NUMBER.
    What a worker that does not answer runs is not known: a line says so, in JSON `silent`.

    \b
    Examples:
      teal containers ps dev
      teal containers ps dev blue
      teal containers ps --aws prod --json
    """
    with place_of(environment) as place, place.steps.step("Asking the instances", leaves_line=False):
        hands = hands_of(place)
        live = place.ledger.read().live
        found = some_of(Listing(place, hands).read(), instance)
        inside = hands.look(found)
    rows = [Row(each, inside[each.id], "live" if each.colour == live else "idle") for each in found]
    if as_json:
        told = {"environment": environment, "containers": [row.document() for row in rows]}
        click.echo(json.dumps({**told, "silent": dict(hands.silent)}))
    elif rows:
        tells_worker = any(each.worker for each in found)
        header = (*HEADER, WORKER) if tells_worker else HEADER
        print_table(header, [row.cells(tells_worker=tells_worker) for row in rows])
    else:
        click.echo(f"{environment} runs nothing: there is no instance.")
