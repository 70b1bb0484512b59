"""The judge of a release: our own requests, CloudWatch's metrics, the environment's alarms."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from release.adapters.gathered import Gathered, Unanswered
from release.adapters.synthetic import Aim
from release.alarms import Alarm, alarm_findings
from release.judgement import (
    NOTHING,
    Check,
    Finding,
    Limits,
    Probed,
    Sample,
    combined,
    judge_errors,
    judge_latency,
    judge_probe,
    target_weight,
)
from release.ledger import Colour, InFlight
from release.verdict import Outcome, Verdict


class OwnRequests(Protocol):
    """Requests of our own, made while somebody looks."""

    def look(self, aim: Aim) -> Probed:
        """What they have met lately."""

    def close(self) -> None:
        """Ends them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How strictly a release is judged."""

    limits: Limits
    observe_only: frozenset[Check] = frozenset()
    """Checks that are told, and change nothing."""
    waits_for_metrics: bool = False
    """Whether too few requests in CloudWatch are too few, although our own requests make samples, too."""
    despite_alarms: frozenset[str] = frozenset()
    """Alarms that were red before the start, and are observed only."""


class TrafficJudge:
    """Gathers in the background from the first verdict on, until it is closed."""

    def __init__(
        self,
        rules: Rules,
        probe: OwnRequests,
        metrics: Gathered[InFlight, Mapping[Colour, Sample]],
        alarms: Gathered[InFlight, tuple[Alarm, ...]],
    ) -> None:
        self._rules, self._probe, self._metrics, self._alarms = rules, probe, metrics, alarms

    def verdict(self, release: InFlight) -> Verdict:
        """What is to be said of the target colour by now, for the share of requests that it has.

        Where a data volume moved to it, live has no servers any more: it is no measure, and its alarms are told only.
        """
        weight, rules = target_weight(release), self._rules
        aim = Aim(release.plan.target, release.plan.digest, weight)
        probed = self._probe.look(aim)
        if release.plan.data_volume:
            probed = replace(probed, live=NOTHING)
        findings = (
            *judge_probe(probed, rules.limits, weight),
            *self._of_metrics(release, weight),
            *self._of_alarms(release, weight),
        )
        return combined(findings, rules.observe_only)

    def close(self) -> None:
        """Ends all that goes on in the background."""
        for source in (self._probe, self._metrics, self._alarms):
            source.close()

    def _of_metrics(self, release: InFlight, weight: int) -> tuple[Finding, ...]:
        found, limits = self._metrics.latest(release), self._rules.limits
        is_waited_for = self._rules.waits_for_metrics and weight > 0
        if isinstance(found, Unanswered):
            finding = Finding(Check.METRIC_ERRORS, Outcome.NO_DATA, found.why, is_observed_only=not is_waited_for)
            return (finding,)
        target = release.plan.target
        sample, live = found[target], NOTHING if release.plan.data_volume else found[target.other]
        errors = judge_errors(Check.METRIC_ERRORS, sample, limits, live)
        latency = judge_latency(Check.METRIC_LATENCY, sample, limits, live)
        # Too few for a percentile is nothing to wait for: a quiet service may never have one.
        return tuple(
            one for one in (errors, latency) if one.outcome is not Outcome.NO_DATA or (is_waited_for and one is errors)
        )

    def _of_alarms(self, release: InFlight, weight: int) -> tuple[Finding, ...]:
        found = self._alarms.latest(release)
        if isinstance(found, Unanswered):
            return (Finding(Check.ALARMS, Outcome.NO_DATA, found.why),)
        plan = release.plan
        alone = bool(plan.data_volume)
        return alarm_findings(found, plan.target, weight, self._rules.despite_alarms, is_other_empty=alone)
