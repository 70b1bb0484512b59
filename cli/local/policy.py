"""What the policy pack said in a run, for a person."""

from dataclasses import dataclass, field

import click
from pulumi.automation.events import EngineEvent

from cli.steps import Steps
from localcloud.stacks import MANDATORY, OnEvent, plain

NOT_YET = "is not known in a preview"

policy_option = click.option(
    "--policy/--no-policy", "is_judged", default=True, help="Whether policy/ has a say (it has, unless told not to)."
)


@dataclass
class Advice:
    """Hears a run: keeps what policy/ advises, and hands every event on. What stops a run is in the run's error."""

    on_event: OnEvent | None = None
    told: list[str] = field(default_factory=list)
    undecided: int = 0

    def __call__(self, event: EngineEvent) -> None:
        """Takes one event, in the thread that reads the engine's log."""
        said = event.policy_event
        if said and said.enforcement_level != MANDATORY:
            self._take(f"{said.policy_name}: {plain(said.message)}")
        if self.on_event:
            self.on_event(event)

    def _take(self, text: str) -> None:
        if NOT_YET in text:
            self.undecided += 1
        elif text not in self.told:
            self.told.append(text)

    def show(self, steps: Steps) -> None:
        """Prints what was kept."""
        for text in self.told:
            steps.remark(f"Advice of policy/: {text}")
        if self.undecided:
            steps.remark(f"policy/ decides {self.undecided} more questions in the update, when their values are known.")
