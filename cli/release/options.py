"""Arguments and options that several release commands share."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, TypeVar, cast

import click

from cli.access import access, note
from cli.project import complete_stack
from release.ledger import DIGEST

Command = TypeVar("Command", bound=Callable[..., Any])
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


class Seconds(click.ParamType[float]):
    """A length of time such as 2s, 1.5m or 1h, as seconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The seconds."""
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", str(value))
        if found is None:
            self.fail(f"{value!r} is no length of time: write 2s, 1.5m or 1h", param, ctx)
        return float(found[1]) * _UNITS[found[2]]


class Steps(click.ParamType[tuple[int, ...]]):
    """Shares in percent, such as 5,25,50,100."""

    name = "percentages"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """The shares in order."""
        if isinstance(value, tuple):
            return value
        try:
            steps = tuple(int(step) for step in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is no list of percentages: write 5,25,50,100", param, ctx)
        if steps[-1] != 100 or any(low >= high for low, high in zip((0, *steps), steps, strict=False)):
            self.fail(f"{value!r} must rise from above 0 and end at 100", param, ctx)
        return steps


class Bakes(click.ParamType[tuple[float, ...]]):
    """Lengths of time, one for all steps or one for each: 2s or 10s,1m,5m."""

    name = "times"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        """The seconds in order."""
        if isinstance(value, tuple):
            return value
        return tuple(Seconds().convert(each, param, ctx) for each in str(value).split(","))


@dataclass(frozen=True)
class Pace:
    """How a release goes about it, where that is not as the settings have it (None)."""

    steps: tuple[int, ...] | None
    bakes: tuple[float, ...] | None
    warm_seconds: float | None
    ready_seconds: float | None

    def check(self) -> None:
        """Raises UsageError for bakes that fit no steps."""
        if self.steps and self.bakes and len(self.bakes) not in (1, len(self.steps)):
            raise click.UsageError(f"--bake takes one time, or one for each of the {len(self.steps)} steps")


def pace_options(command: Command) -> Command:
    """The options that make up a Pace, which the command gets as `pace`; UsageError where they do not agree."""
    return _steps(waits_options(command))


def waits_options(command: Command) -> Command:
    """pace_options without the steps."""

    @wraps(command)
    def paced(
        *args: Any,
        bakes: tuple[float, ...] | None,
        warm_seconds: float | None,
        ready_seconds: float | None,
        steps: tuple[int, ...] | None = None,
        **kwargs: Any,
    ) -> Any:
        pace = Pace(steps, bakes, warm_seconds, ready_seconds)
        pace.check()
        return command(*args, pace=pace, **kwargs)

    for option in reversed(_waits):
        paced = option(paced)
    return cast(Command, paced)


_steps = click.option("--steps", type=Steps(), help="Share by step in percent, 5,25,100; default: teal:steps.")
_waits = (
    click.option(
        "--bake", "bakes", type=Bakes(), help="How long a step's weights stay, 2s or 10s,1m; default: teal:bakeSeconds."
    ),
    click.option(
        "--keep-warm", "warm_seconds", type=Seconds(), help="How long the other colour keeps its servers; by settings."
    ),
    click.option("--ready-within", "ready_seconds", type=Seconds(), help="How long new servers may take; by settings."),
)


def _digest(context: click.Context, parameter: click.Parameter, given: str | None) -> str | None:
    if given is not None and not DIGEST.fullmatch(given):
        raise click.BadParameter(f"{given!r} is not a digest, sha256: and 64 hexadecimal digits")
    return given


image_option = click.option(
    "--image", metavar="DIGEST", callback=_digest, help="Image to release; default: the one that the environment built."
)
despite_option = click.option(
    "--despite-alarm", "despite_alarms", metavar="NAME", multiple=True,
    help="An alarm that is red already: release all the same, and do not heed it.",
)  # fmt: skip
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def environment_argument(command: Command) -> Command:
    """The argument `environment`, and the options that say where it is: the command need not know, place_of does."""
    for option in (_url_option, aws_option):
        command = option(command)
    return click.argument("environment", metavar="ENV", shell_complete=complete_stack)(command)


def _on_aws(context: click.Context, parameter: click.Parameter, given: bool) -> None:
    note(context, replace(access(), is_on_aws=given))


def _at_url(context: click.Context, parameter: click.Parameter, given: str | None) -> None:
    if given is None:
        return
    if not access().is_on_aws:
        raise click.UsageError("--url is for an environment on AWS: add --aws", context)
    if not given.startswith(("http://", "https://")):
        raise click.BadParameter(f"{given!r} is no URL: write http://… or https://…")
    note(context, replace(access(), url=given))


aws_option = click.option(
    "--aws", is_flag=True, envvar="TEAL_AWS", is_eager=True, expose_value=False, callback=_on_aws,
    help="ENV is on AWS, not in the embedded cloud: by your own credentials and Pulumi backend. Also: TEAL_AWS=1.",
)  # fmt: skip
_url_option = click.option(
    "--url", metavar="URL", expose_value=False, callback=_at_url,
    help="Where its service answers, on AWS; default: where its program says.",
)  # fmt: skip
