"""Arguments and options that several commands on containers share."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from cli.project import complete_stack
from cli.release.options import aws_option, json_option
from containers.errors import ContainersError, NoSuchInstance
from containers.model import Instance

__all__ = ["environment_argument", "instance_argument", "json_option", "one_of", "some_of"]

Command = TypeVar("Command", bound=Callable[..., Any])


def environment_argument(command: Command) -> Command:
    """The argument `environment`, and the option --aws."""
    return click.argument("environment", metavar="ENV", shell_complete=complete_stack)(aws_option(command))


def _complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Ids of the environment's instances. Nothing where they can't be asked for: completion never complains."""
    from cli.containers.place import instances_for_completion

    with context.scope(cleanup=False):  # else nobody would see its --aws
        found = instances_for_completion(str(context.params.get("environment") or ""))
    return [
        CompletionItem(each.id, help=f"{each.colour}, {each.zone}, {each.health}")
        for each in found
        if each.id.startswith(incomplete)
    ]


instance_argument = click.argument("instance", metavar="[INSTANCE]", required=False, shell_complete=_complete)


def some_of(instances: Sequence[Instance], wanted: str | None) -> list[Instance]:
    """Those that an id, the beginning of one, a colour or a swarm's worker names; without any all.

    Raises NoSuchInstance.
    """
    if wanted is None:
        return list(instances)
    alike = [each for each in instances if wanted in (each.colour, each.worker)]
    return alike or [_named(instances, wanted)]


def one_of(instances: Sequence[Instance], wanted: str | None) -> Instance:
    """The one that an id or the beginning of one names; without any the only one. Raises ContainersError."""
    if wanted is not None:
        return _named(instances, wanted)
    if len(instances) == 1:
        return instances[0]
    raise ContainersError(f"say which instance: {_told(instances)}")


def _named(instances: Sequence[Instance], wanted: str) -> Instance:
    found = _matching(instances, wanted)
    if len(found) == 1:
        return found[0]
    problem = f"{wanted!r} is the beginning of several instances" if found else f"there is no instance {wanted!r}"
    raise NoSuchInstance(f"{problem}: {_told(found or instances)}")


def _matching(instances: Sequence[Instance], wanted: str) -> list[Instance]:
    """By what names best: all of an id or of COLOUR.NUMBER, the beginning of an id, that of its worker's."""
    return (
        [each for each in instances if wanted in (each.id, each.slot)]
        or [each for each in instances if each.id.startswith(wanted)]
        or [each for each in instances if each.worker.startswith(wanted)]
    )


def _told(instances: Sequence[Instance]) -> str:
    return ", ".join(f"{each.id} ({each.colour})" for each in instances) or "the environment has none"
