"""What people are told of a release that has to move a data volume: how long requests fail, and what does not count."""

from dataclasses import asdict, dataclass
from typing import Any

from cli.release.options import Pace
from cli.release.place import Place
from release.ledger import Plan, State
from release.outage import Outage, expected


@dataclass(frozen=True)
class Gap:
    """The time without service in the middle of a release, and why there is one."""

    volume_id: str
    outage: Outage | None
    """None where nothing serves yet, so that nobody misses anything."""
    overridden: str
    """What settings or options ask for and can't have; empty for nothing."""

    @property
    def told(self) -> str:
        """It in a line."""
        if self.outage is None:
            return f"none: nothing is released yet, and {self.volume_id} is nobody's"
        source = f"as in {self.outage.measured_by}" if self.outage.measured_by else "a guess, none was measured yet"
        about = f"requests fail for about {self.outage.seconds:.0f} s ({source})"
        return f"{about}: one server at a time has {self.volume_id}"

    def document(self) -> dict[str, Any]:
        """It as plain data."""
        outage = {"seconds": 0.0, "measured_by": ""} if self.outage is None else asdict(self.outage)
        return {
            "data_volume": self.volume_id,
            "expected_seconds": outage["seconds"],
            "measured_by": outage["measured_by"] or None,
            "snapshot": True,
            "overridden": self.overridden or None,
        }


def gap_of(place: Place, plan: Plan, state: State, pace: Pace) -> Gap | None:
    """The gap of a plan; None without a data volume."""
    if not plan.data_volume:
        return None
    outage = expected(place.ledger.history(), place.gap_guess) if state.is_released else None
    return Gap(plan.data_volume, outage, _overridden(place, plan, pace))


def _overridden(place: Place, plan: Plan, pace: Pace) -> str:
    wanted = place.settings
    steps, warm_seconds = pace.steps or wanted.steps, pace.warm_seconds
    warm_seconds = wanted.keep_warm_seconds if warm_seconds is None else warm_seconds
    said = []
    if tuple(steps) != plan.steps:
        said.append(f"the steps {', '.join(map(str, steps))} become one of 100")
    if warm_seconds:
        said.append(f"no colour is kept warm for {warm_seconds:g} s")
    return f"with data volume {plan.data_volume} {' and '.join(said)}" if said else ""
