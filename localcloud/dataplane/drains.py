"""Deregistered targets, until their requests in flight are done or the deregistration delay is over."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from localcloud.dataplane.fleet import Place
from localcloud.dataplane.health import TargetKey
from localcloud.dataplane.snapshot import Snapshot, Target, TargetGroup, TargetState

SETTLE_SECONDS = 0.7
"""By then Envoy has followed and closed its idle connections: what is left is requests in flight."""

PROC_NET_TCP = Path("/proc/net/tcp")
ESTABLISHED = "01"


@dataclass(frozen=True, slots=True)
class Drain:
    """A target on its way out of a group."""

    target: Target
    since: float
    until: float


class Drains:
    """Notices which targets have left their groups, and when they are done. Belongs to one thread."""

    def __init__(self) -> None:
        self._ready: dict[TargetKey, tuple[Target, timedelta]] = {}
        self._draining: dict[TargetKey, Drain] = {}

    def follow(self, snapshot: Snapshot) -> Snapshot:
        """The snapshot with the targets that left it and still have something to finish, as draining."""
        now = time.monotonic()
        present = {(arn, target.id): target for arn, group in snapshot.groups.items() for target in group.targets}
        for key, (target, delay) in self._ready.items():
            if key not in present:
                gone = replace(target, state=TargetState.DRAINING)
                self._draining[key] = Drain(gone, now, now + delay.total_seconds())
        self._ready = {
            (arn, target.id): (target, group.drain)
            for arn, group in snapshot.groups.items()
            for target in group.targets
            if target.state is TargetState.READY
        }
        self._draining = {
            key: drain for key, drain in self._draining.items() if key not in present and not _is_over(drain, now)
        }
        return replace(snapshot, groups={arn: self._with_draining(group) for arn, group in snapshot.groups.items()})

    def is_draining(self, target_id: str) -> bool:
        """Whether the target still drains from any group."""
        return any(key[1] == target_id for key in self._draining)

    def _with_draining(self, group: TargetGroup) -> TargetGroup:
        leaving = tuple(drain.target for (arn, _), drain in self._draining.items() if arn == group.arn)
        return replace(group, targets=group.targets + leaving)


def _is_over(drain: Drain, now: float) -> bool:
    if now >= drain.until:
        return True
    if now < drain.since + SETTLE_SECONDS:
        return False
    return not connections_to(drain.target.address, drain.target.port)


def placed(snapshot: Snapshot, places: Mapping[str, Place]) -> Snapshot:
    """The snapshot with each target's address and state; those that are on their way out are left out.

    A target that is no instance but an address is taken for ready.
    """
    groups = {arn: replace(group, targets=_placed(group, places)) for arn, group in snapshot.groups.items()}
    return replace(snapshot, groups=groups)


def _placed(group: TargetGroup, places: Mapping[str, Place]) -> tuple[Target, ...]:
    targets = []
    for target in group.targets:
        is_address = not target.id.startswith("i-")
        place = Place(target.id, TargetState.READY) if is_address else places.get(target.id)
        if place is None:
            targets.append(target)
        elif place.state is not TargetState.DRAINING:
            targets.append(replace(target, address=place.address, state=place.state))
    return tuple(targets)


def connections_to(address: str, port: int) -> int:
    """How many connections are open to what listens there; 1 where the system does not tell (then delays decide).

    A task's end of them is in the network of its container and not told here, but ours is.
    """
    try:
        lines = PROC_NET_TCP.read_text().splitlines()[1:]
    except OSError:
        return 1
    end = f"{_kernel_hex(address)}:{port:04X}"
    established = [line.split()[1:3] for line in lines if line.split()[3] == ESTABLISHED]
    return max(sum(local == end for local, _ in established), sum(remote == end for _, remote in established))


def _kernel_hex(address: str) -> str:
    """An IPv4 address as /proc/net/tcp has it on a little-endian machine.

    >>> _kernel_hex("127.0.0.2")
    '0200007F'
    """
    return "".join(f"{int(part):02X}" for part in reversed(address.split(".")))
