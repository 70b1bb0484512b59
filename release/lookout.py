"""What an engine sees of the world, put together at each look."""

from datetime import timedelta

from release.effects import Declared, Seen, declared
from release.errors import UnsafeWeights, VolumeUnread
from release.ledger import Colour, InFlight, State
from release.machine import Phase
from release.moves import is_warm
from release.ports import Clock, Data, Health, Hooks, Judge, Traffic
from release.states import Weights, floor, is_cut_off
from release.verdict import GOOD, NO_HOOK, HookAnswer, Outcome, Verdict

JUDGED = frozenset({Phase.VERIFYING, Phase.SHIFTING, Phase.SETTLING})
MOVES_DATA = frozenset({Phase.PREPARING, Phase.ROLLING_BACK})
HOOKED = frozenset({Phase.PREPARING, Phase.VERIFYING, Phase.SHIFTING, Phase.SETTLING, Phase.ROLLING_BACK})


class Lookout:
    """Looks at listener, servers, volume, judge and hooks; remembers since when the listener is as the ledger has it.

    Nobody asks for a volume but while both colours are without servers: other looks cost no call more.
    """

    def __init__(
        self, traffic: Traffic, health: Health, data: Data | None, judge: Judge, hooks: Hooks, clock: Clock
    ) -> None:
        self._traffic, self._health, self._data, self._clock = traffic, health, data, clock
        self._judge, self._hooks = judge, hooks
        self.applied: Declared | None = None
        """What the last successful run of the program declared; None before the first."""
        self.snapshot: str | None = None
        """The release's snapshot of the data volume, once it was made or found."""
        self._blame: Verdict | None = None
        self._steady_from: float | None = None
        self._was_paused = False

    def blame(self, why: str) -> None:
        """The target colour could not be made ready: that is its verdict from now on."""
        self._blame = Verdict(Outcome.FAIL, why)

    def look(self, state: State, release: InFlight) -> Seen:
        """Everything, now. Raises what the load balancer's API raises; on the way back VolumeUnread."""
        weights = self._traffic.weights()
        steady = self._steady(weights == state.shares, release)
        is_free = self._is_free(state, release)
        is_judged = release.phase in JUDGED and (release.phase is not Phase.SETTLING or is_warm(state, release))
        return Seen(
            now=self._clock.now(),
            healthy=self._health.healthy(),
            weights=weights,
            steady=timedelta(seconds=steady),
            applied=self.applied,
            verdict=self._blame or (self._judge.verdict(release) if is_judged else GOOD),
            hook=self._asked(release, is_shifted=weights == state.shares),
            is_free=is_free,
            snapshot=self.snapshot,
        )

    def check_fit(self, state: State, weights: Weights) -> None:
        """Raises UnsafeWeights unless every colour that is to get requests has enough healthy servers, or none can."""
        if is_cut_off(state):
            return
        healthy = self._health.healthy()
        for colour in Colour:
            needed = floor(state.side(colour).capacity)
            if weights[colour] and healthy[colour] < needed:
                raise UnsafeWeights(f"{colour} has {healthy[colour]} healthy servers, and needs {needed}")

    def _is_free(self, state: State, release: InFlight) -> bool:
        """Whether nobody has the data volume, where both colours are to be without servers and the program has run."""
        is_moving = (
            self._data is not None
            and release.phase in MOVES_DATA
            and not any(state.side(colour).capacity for colour in Colour)
        )
        if self._data is None or not is_moving or self.applied != declared(state):
            return False
        try:
            return self._data.is_free()
        except VolumeUnread as error:
            if release.phase is Phase.ROLLING_BACK:
                raise
            self.blame(str(error))
            return False

    def _steady(self, is_steady: bool, release: InFlight) -> float:
        moment = self._clock.monotonic()
        if not is_steady or (self._was_paused and not release.is_paused):
            self._steady_from = None  # after a pause, too: a step that goes on bakes anew
        elif self._steady_from is None:
            self._steady_from = moment
        self._was_paused = release.is_paused
        return 0.0 if self._steady_from is None else moment - self._steady_from

    def _asked(self, release: InFlight, *, is_shifted: bool) -> HookAnswer:
        """Hooks of a step or of the way back are asked once its weights are live; those of a paused release, not."""
        is_due = release.phase in HOOKED and not release.is_paused
        if not is_due or (release.phase in {Phase.SHIFTING, Phase.ROLLING_BACK} and not is_shifted):
            return NO_HOOK
        return self._hooks.ask(release)
