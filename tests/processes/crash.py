"""One engine is killed at one of its calls, and another one ends what it began."""

import signal
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count

from processes.environment import TERM_OVER, Environment, put_warm
from processes.job import NO_FAULT, Do, Ended, Fault, Harm, When
from processes.nursery import Nursery
from release.ledger import Colour

AT_ONCE = 2
"""Environments in which somebody is killed at the same time."""


@dataclass
class Kills:
    """Kills engines, and counts what came of it."""

    new: Callable[..., Environment]
    nursery: Nursery
    outcomes: dict[str, int] = field(default_factory=dict)
    """How often the second engine ended so."""

    def of_release(self, then: Do, fault: Fault) -> bool:
        """Kills an engine that releases; whether it got as far as the fault."""
        environment = self.new()
        before = environment.end
        first = self.nursery.run(environment.job("first", Do.RELEASE, fault))
        if not was_killed(first, "DONE"):
            return False
        state = environment.ledger.read()
        is_cold = not state.side(Colour.BLUE).capacity
        if state.release is None and state.version == 1 and then is Do.RESUME:  # nothing had begun
            wanted = self._second(environment, Do.RELEASE, ("DONE",))
        elif state.release is None:
            self._second(environment, then, ("Refused",))
            wanted = "DONE" if state.version > 1 else "ROLLED_BACK"
        elif then is Do.ABORT and is_cold:
            self._second(environment, then, ("Refused",))
            wanted = self._second(environment, Do.RESUME, ("DONE",), "third")
        else:
            wanted = self._second(environment, then, ("DONE",) if then is Do.RESUME else ("ROLLED_BACK",))
        assert environment.end == (self.released_end if wanted == "DONE" else before)
        environment.check(ahead=TERM_OVER)
        return True

    def of_rollback(self, then: Do, fault: Fault) -> bool:
        """Kills an engine that takes a release back while it is warm; whether it got as far as the fault."""
        environment = self.new()
        before = environment.end
        put_warm(environment)
        first = self.nursery.run(environment.job("first", Do.ABORT, fault))
        if not was_killed(first, "ROLLED_BACK"):
            return False
        state = environment.ledger.read()
        if state.release is None:
            self._second(environment, then, ("Refused",))
        elif state.live is Colour.GREEN:  # nobody knows yet that it was to go back: its user has to say so again
            self._second(environment, Do.ABORT, ("ROLLED_BACK",))
        else:
            self._second(environment, then, ("ROLLED_BACK",))
        assert environment.end == before
        environment.check(ahead=TERM_OVER)
        return True

    @property
    def released_end(self) -> object:
        """What a release leaves behind that nobody kills."""
        if self._released_end is None:
            environment = self.new()
            assert self.nursery.run(environment.job("whole", Do.RELEASE)).outcome == "DONE"
            environment.check()
            self._released_end = environment.end
        return self._released_end

    _released_end: object = None

    def _second(self, environment: Environment, do: Do, allowed: Iterable[str], name: str = "second") -> str:
        """Another engine, which waits for the dead one's lock, or takes it over to abort. How it ended."""
        ahead = 0.0 if do is Do.ABORT else TERM_OVER
        ended = self.nursery.run(environment.job(name, do, NO_FAULT, ahead=ahead))
        assert ended.outcome in allowed, ended
        self.outcomes[ended.outcome] = self.outcomes.get(ended.outcome, 0) + 1
        return ended.outcome


def sweep(kill: Callable[[Fault], bool], when: When) -> int:
    """Kills at the first call, at the second one and so on, until a run ends before it gets to its fault. How many."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for first in count(1, AT_ONCE):
            faults = [Fault(harm=Harm.KILL, when=when, number=first + more) for more in range(AT_ONCE)]
            reached = list(pool.map(kill, faults))
            if not all(reached):
                return first - 1 + sum(reached)
    raise AssertionError


def was_killed(ended: Ended, otherwise: str) -> bool:
    """Whether an engine was killed; if not, it must have ended so."""
    if ended.status == -signal.SIGKILL:
        return True
    assert (ended.status, ended.outcome) == (0, otherwise), ended
    return False
