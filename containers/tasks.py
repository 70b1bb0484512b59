"""What is asked of Docker on a worker of a swarm about all its tasks at once, and how the answers are read. Pure.

Every worker is asked the same, so that one call goes to all of them; names of tasks come with the answers.
"""

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from containers import docker
from containers.errors import Unanswered
from containers.model import Inside, Usage
from containers.roster import COLOURS

TASK, SERVICE = "com.docker.swarm.task.name", "com.docker.swarm.service.name"
"""Labels that Swarm puts on a task's container; the container itself has the task's name, too."""
COLOUR = "teal.colour"
"""Label that SwarmServices put there."""
MOST = 20
"""Containers of a worker that are told, the newest: more would not fit into an answer of Run Command."""
RECENT_SECONDS = 30.0
"""How long a container that does not run any more is shown, unless another has its place."""
LIVING = ("running", "paused", "restarting")
_FIELDS = {
    "state": "json .State.Status",
    "started": "json .State.StartedAt",
    "created": "json .Created",
    "finished": "json .State.FinishedAt",
    "code": "json .State.ExitCode",
    "error": "json .State.Error",
    "health": 'if .State.Health}}{{json .State.Health.Status}}{{else}}""{{end',
    "image": "json .Config.Image",
    "version": f'json (index .Config.Labels "{docker.LABEL}")',
    "colour": f'json (index .Config.Labels "{COLOUR}")',
    "task": f'json (index .Config.Labels "{TASK}")',
    "ports": "json .HostConfig.PortBindings",
}
_FORMAT = "{" + ",".join(f'"{name}":{{{{{asked}}}}}' for name, asked in _FIELDS.items()) + "}"
_OURS = f"--filter label={SERVICE} --filter label={COLOUR}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A task's container, as Docker on its worker has it."""

    name: str
    """The task's, SERVICE.NUMBER.ID."""
    colour: str
    port: int
    """Port of the worker that is published for it; 0 for none."""
    made: datetime
    seconds: float
    """Since it was made, or has ended, by the clock of its worker."""
    inside: Inside
    reason: str
    """Why it does not run; empty where it does."""
    is_starting: bool
    """Whether its own health check has not passed yet."""

    @property
    def slot(self) -> str:
        """Its service and its number there: what replaces it has the same."""
        return self.name.rpartition(".")[0]


def listing() -> str:
    """Asks for the time, and for all containers of tasks, ended ones too."""
    asked = f"docker inspect --type container --format {shlex.quote(_FORMAT)}"
    return "date +%s && " + _of_each(f"docker ps --all --quiet --no-trunc {_OURS}", asked)


def stats() -> str:
    """Asks what the containers of tasks take."""
    return _of_each(f"docker ps --quiet --no-trunc {_OURS}", "docker stats --no-stream --format '{{json .}}'")


def found(answer: str, environment: str) -> list[Found]:
    """The environment's tasks in an answer to listing; another's are passed over. Raises Unanswered."""
    try:
        first, *lines = answer.splitlines() or [""]
        now = datetime.fromtimestamp(int(first), UTC)
        told = [_found(json.loads(line), now) for line in lines if line.strip()]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Unanswered(f"Docker's answer can't be read: {answer.strip()[:80]!r}") from error
    services = {colour: f"teal-{environment}-{colour}" for colour in COLOURS}
    return [each for each in told if _is_of(services.get(each.colour, ""), each.name)]


def usages(answer: str) -> dict[str, Usage]:
    """What tasks take by an answer to stats, by name. Raises Unanswered."""
    lines = [line for line in answer.splitlines() if line.strip()]
    try:
        names = [str(json.loads(line)["Name"]) for line in lines]
    except (ValueError, TypeError, KeyError) as error:
        raise Unanswered(f"Docker's answer can't be read: {answer.strip()[:80]!r}") from error
    return dict(zip(names, map(docker.usage, lines), strict=True))


def standing(tasks: Iterable[Found]) -> list[Found]:
    """Those that Swarm may still want: all that run, and the last of a slot where none does, if that was just now.

    Workers keep some containers of earlier tasks, even of slots that were scaled away.
    """
    known = sorted(tasks, key=lambda each: each.made)
    last = {each.slot: each.name for each in known}
    return [
        each
        for each in known
        if each.inside.state in LIVING or (last[each.slot] == each.name and each.seconds < RECENT_SECONDS)
    ]


def _of_each(ids: str, asked: str) -> str:
    """A script that asks something about containers; where there is none, it says nothing."""
    newest = f'ids=$(printf "%s\\n" $ids | head -n {MOST})'
    return f'ids=$({ids}) && {newest} && {{ [ -z "$ids" ] || {asked} $ids; }}'


def _found(told: Mapping[str, Any], now: datetime) -> Found:
    state, since = str(told["state"]), docker.moment(told["started"])
    published = [int(each["HostPort"]) for some in (told["ports"] or {}).values() for each in some or []]
    made, finished = docker.moment(told["created"]), docker.moment(told["finished"])
    if made is None or finished is None:
        raise ValueError(told)
    return Found(
        name=str(told["task"]),
        colour=str(told["colour"]),
        port=published[0] if published else 0,
        made=made,
        seconds=(now - max(made, finished)).total_seconds(),
        inside=Inside(
            state=state,
            digest=str(told["image"]).partition("@")[2],
            version=str(told["version"]),
            since=since if since and since.year > 1 else None,  # year 1 is Docker's word for never
            restarts=0,
        ),
        reason=_reason(state, int(told["code"]), str(told["error"])),
        is_starting=told["health"] == "starting",
    )


def _reason(state: str, code: int, error: str) -> str:
    ended = f"it ended with status {code}" if state in ("exited", "dead") else ""
    return ": ".join(filter(None, (ended, " ".join(error.split()))))


def _is_of(service: str, name: str) -> bool:
    """Whether a name is one that Swarm gives to tasks of a service: nothing else goes into a script."""
    return bool(service) and re.fullmatch(rf"{re.escape(service)}\.[0-9]+\.[0-9a-z]+", name) is not None
