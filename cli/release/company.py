"""Who has a say in a release: the judge and the user's hooks, each loaded once it is asked.

The way back needs neither until its traffic is moved, and must not wait for them.
"""

from typing import TYPE_CHECKING

from cli.release.place_base import Place
from release.ledger import InFlight
from release.machine import Phase
from release.verdict import HookAnswer, HookRun, Verdict

if TYPE_CHECKING:
    from release.adapters.hooks import Executables
    from release.adapters.judge import TrafficJudge


class Company:
    """Ports Judge and Hooks of a place; whoever makes one closes it."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._judge: TrafficJudge | None = None
        self._hooks: Executables | None = None

    def verdict(self, release: InFlight) -> Verdict:
        """What is to be said of a release by now."""
        if self._judge is None:
            from cli.release.judging import judge_of

            self._judge = judge_of(self._place, release.routes, release.plan.despite_alarms)
        return self._judge.verdict(release)

    def ask(self, release: InFlight) -> HookAnswer:
        """What the user's executables say of a release."""
        return self._executables().ask(release)

    def tell(self, release_id: str, phase: Phase) -> tuple[HookRun, ...]:
        """Tells the user's executables how a release has ended."""
        return self._executables().tell(release_id, phase)

    def close(self) -> None:
        """Ends whatever runs for it."""
        for each in (self._judge, self._hooks):
            if each:
                each.close()

    def _executables(self) -> "Executables":
        if self._hooks is None:
            from cli.release.hooking import hooks_of

            self._hooks = hooks_of(self._place)
        return self._hooks
