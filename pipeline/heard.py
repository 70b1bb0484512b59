"""Hears the engine during a preview, and tells what it said as a StackPreview."""

import re
from dataclasses import dataclass, field

from pulumi.automation.events import DiagnosticEvent, EngineEvent, PolicyEvent, StepEventMetadata

from pipeline.dangers import dangers
from pipeline.model import Existence, Place, StackPreview, Verdict
from pipeline.steps import Steps

MANDATORY = "mandatory"
"""How the engine calls a rule that stops a run."""
NOT_YET = "is not known in a preview"
"""What a rule says, among its other words, that is decided in the update."""
_COLOURS = re.compile(r"<\{%[^%]*%\}>")


@dataclass
class Heard:
    """What the engine said in one preview; hand it to the engine as `on_event`."""

    resources: dict[str, Steps] = field(default_factory=dict)
    """By URN."""
    verdicts: dict[Verdict, None] = field(default_factory=dict)
    """In the order of their coming, each once."""
    undecided: int = 0
    problems: list[str] = field(default_factory=list)

    def __call__(self, event: EngineEvent) -> None:
        """Takes one event, in the thread that reads the engine's log."""
        if event.resource_pre_event:
            self._take_step(event.resource_pre_event.metadata)
        if event.policy_event:
            self._take_policy(event.policy_event)
        told = event.diagnostic_event
        if told and told.severity == "error":
            self._take_problem(told)

    def preview(
        self,
        stack: str,
        *,
        place: Place = Place.EMBEDDED,
        against: str = "",
        existence: Existence = Existence.BOTH,
        failure: str | None = None,
    ) -> StackPreview:
        """What was heard. `failure` is what the run itself said went wrong, if it did.

        The engine's own words come before it; and that a mandatory rule is broken makes a run fail, but is a result.
        """
        resources = list(self.resources.values())
        broken = any(verdict.is_mandatory for verdict in self.verdicts)
        if failure is not None:
            failure = "; ".join(dict.fromkeys(self.problems)) or (None if broken else failure)
        return StackPreview(
            stack=stack,
            place=place,
            against=against,
            existence=existence,
            changes=tuple(change for each in resources if each.is_real and (change := each.change())),
            unchanged=sum(each.is_real and each.kind is None for each in resources),
            dangers=dangers([each for each in resources if each.is_real]),
            verdicts=tuple(self.verdicts),
            undecided=self.undecided,
            failure=failure,
        )

    def _take_step(self, told: StepEventMetadata) -> None:
        self.resources.setdefault(told.urn, Steps(told.urn, told.type)).take(told)

    def _take_policy(self, told: PolicyEvent) -> None:
        is_mandatory, message = told.enforcement_level == MANDATORY, plain(told.message)
        if NOT_YET in message and not is_mandatory:
            self.undecided += 1
            return
        resource = (told.resource_urn or "").rsplit("::", 1)[-1]
        verdict = Verdict(rule=told.policy_name, resource=resource, message=message, is_mandatory=is_mandatory)
        self.verdicts[verdict] = None

    def _take_problem(self, told: DiagnosticEvent) -> None:
        text = plain(told.message).removeprefix("error: ")
        if "an unhandled error occurred" in text and self.problems:
            return
        name = told.urn.rsplit("::", 1)[-1] if told.urn else ""
        self.problems.append(f"{name}: {text}" if name else text)


def plain(text: str) -> str:
    """A message of the engine's in one line, without its marks for colours."""
    return " ".join(_COLOURS.sub("", text).split())
