"""What is said to Docker on an instance, and how its answers are read. Pure; whoever has a shell there sends it."""

import json
import re
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime

from containers.errors import Unanswered
from containers.model import Inside, Line, Usage

CONTAINER = "teal"
"""What a server's boot script calls its container."""
STOP_SECONDS = 60
OUTPUT_BYTES = 23_000
"""RunCommand cuts an answer off behind 24,000 characters, and it is the end of a log that one wants."""
LABEL = "org.opencontainers.image.version"
GONE = "no such container"
_FORMAT = (
    "[{{json .State.Status}},{{json .State.StartedAt}},{{json .Config.Image}},"
    f'{{{{json (index .Config.Labels "{LABEL}")}}}},{{{{.RestartCount}}}}]'
)
_UNITS = {"B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_SIZE = re.compile(r"([\d.]+)\s*([A-Za-z]+)")
_STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)")


def inspect(container: str = CONTAINER) -> str:
    """Asks for a container's state; the second line is how often systemd has started it again."""
    asked = f"docker inspect --type container --format {shlex.quote(_FORMAT)} {shlex.quote(container)}"
    return f"{asked} && {{ systemctl show --property NRestarts --value teal.service 2>/dev/null || true; }}"


def inside(answer: str) -> Inside:
    """What the answer to inspect says. Raises Unanswered."""
    first, *others = answer.strip().splitlines() or [""]
    try:
        state, since, image, version, restarts = json.loads(first)
        by_systemd = int(others[0]) if others and others[0].strip().isdigit() else 0
        return Inside(
            state=str(state),
            digest=str(image).partition("@")[2],
            version=str(version or ""),
            since=moment(str(since)),
            restarts=int(restarts) + by_systemd,
        )
    except (ValueError, TypeError) as error:
        raise Unanswered(f"Docker's answer can't be read: {first[:80]!r}") from error


def stats(container: str = CONTAINER) -> str:
    """Asks what a container takes."""
    return f"docker stats --no-stream --format '{{{{json .}}}}' {shlex.quote(container)}"


def usage(answer: str) -> Usage:
    """What the answer to stats says. Raises Unanswered."""
    try:
        told = json.loads(answer)
        return Usage(
            cpu_percent=float(str(told["CPUPerc"]).rstrip("%")),
            memory_bytes=_bytes(str(told["MemUsage"]).partition("/")[0]),
            pids=int(told["PIDs"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise Unanswered(f"Docker's answer can't be read: {answer.strip()[:80]!r}") from error


def logs(since: datetime | None, tail: int | None, container: str = CONTAINER) -> str:
    """Asks for a log's end, with times."""
    words = ["docker", "logs", "--timestamps"]
    words += ["--since", since.astimezone(UTC).isoformat()] if since else []
    words += ["--tail", str(tail)] if tail is not None else []
    # Output and errors as one: two streams would have no order. Whether there is a container is asked before.
    exists = f"docker inspect --type container --format . {shlex.quote(container)} > /dev/null"
    return f"{exists} && {shlex.join([*words, container])} 2>&1 | tail -c {OUTPUT_BYTES}"


def lines(answer: str) -> list[Line]:
    """The lines in the answer to logs. The first is left out where it was cut."""
    found = []
    for number, text in enumerate(answer.splitlines()):
        stamp, _, said = text.partition(" ")
        at = moment(stamp)
        if at is None and number == 0:
            continue
        found.append(Line(said if at else text, at))
    return found


def stop(container: str = CONTAINER) -> str:
    """Ends a container, its requests first."""
    return f"docker stop --time {STOP_SECONDS} {shlex.quote(container)}"


def kill(container: str = CONTAINER) -> str:
    """Ends a container at once."""
    return f"docker kill {shlex.quote(container)}"


def execution(command: Sequence[str], container: str = CONTAINER, *, has_terminal: bool) -> list[str]:
    """The words that run a command inside. Without one: Python, since the image has no shell."""
    flags = ["--interactive", "--tty"] if has_terminal else ["--interactive"]
    return ["docker", "exec", *flags, container, *(command or ("python3",))]


def moment(stamp: str) -> datetime | None:
    """A time as Docker writes it, with nine digits behind the point; None for any other text."""
    found = _STAMP.fullmatch(stamp)
    if found is None:
        return None
    digits = (found[2] or "0")[:6].ljust(6, "0")
    return datetime.fromisoformat(f"{found[1]}.{digits}{'+00:00' if found[3] == 'Z' else found[3]}")


def _bytes(size: str) -> int:
    found = _SIZE.fullmatch(size.strip())
    if found is None or found[2] not in _UNITS:
        raise ValueError(size)
    return round(float(found[1]) * _UNITS[found[2]])
