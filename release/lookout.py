"""What an engine sees of the world, put together at each look."""

from datetime import timedelta

from release.decision import Declared, Seen, is_warm
from release.errors import UnsafeWeights
from release.ledger import Colour, InFlight, State
from release.machine import Phase
from release.ports import Clock, Health, Hooks, Judge, Traffic
from release.states import Weights, floor
from release.verdict import GOOD, NO_HOOK, HookAnswer, Outcome, Verdict

JUDGED = frozenset({Phase.VERIFYING, Phase.SHIFTING, Phase.SETTLING})
HOOKED = frozenset({Phase.PREPARING, Phase.VERIFYING, Phase.SHIFTING, Phase.SETTLING, Phase.ROLLING_BACK})


class Lookout:
    """Looks at listener, servers, judge and hooks; remembers since when the listener is as the ledger has it."""

    def __init__(self, traffic: Traffic, health: Health, judge: Judge, hooks: Hooks, clock: Clock) -> None:
        self._traffic, self._health, self._judge, self._hooks, self._clock = traffic, health, judge, hooks, clock
        self.applied: Declared | None = None
        """What the last successful run of the program declared; None before the first."""
        self._blame: Verdict | None = None
        self._steady_from: float | None = None
        self._was_paused = False

    def blame(self, why: str) -> None:
        """The target colour's servers could not be made: that is its verdict from now on."""
        self._blame = Verdict(Outcome.FAIL, why)

    def look(self, state: State, release: InFlight) -> Seen:
        """Everything, now. Raises what the load balancer's API raises."""
        weights = self._traffic.weights()
        steady = self._steady(weights == state.shares, release)
        is_judged = release.phase in JUDGED and (release.phase is not Phase.SETTLING or is_warm(state, release))
        return Seen(
            now=self._clock.now(),
            healthy=self._health.healthy(),
            weights=weights,
            steady=timedelta(seconds=steady),
            applied=self.applied,
            verdict=self._blame or (self._judge.verdict(release) if is_judged else GOOD),
            hook=self._asked(release, is_shifted=weights == state.shares),
        )

    def check_fit(self, state: State, weights: Weights) -> None:
        """Raises UnsafeWeights unless every colour that is to get requests has enough healthy servers."""
        healthy = self._health.healthy()
        for colour in Colour:
            needed = floor(state.side(colour).capacity)
            if weights[colour] and healthy[colour] < needed:
                raise UnsafeWeights(f"{colour} has {healthy[colour]} healthy servers, and needs {needed}")

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
