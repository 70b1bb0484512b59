"""Does the target colour do its work? Samples against limits and against live, findings, a verdict. Pure.

The rule of combination, of the findings that are not observed only: one FAIL is a FAIL; else one INCONCLUSIVE is
INCONCLUSIVE; else one NO_DATA is NO_DATA; else it is a PASS. No finding at all is NO_DATA: nobody has looked yet. What
is observed only is told in the verdict's text, and changes nothing.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from release.ledger import InFlight
from release.machine import Phase
from release.verdict import Outcome, Verdict

FEWEST_BAD = 3
"""So many bad requests make a failure: one is a lost packet, two are an incident."""
NOTED_SLOWNESS = 0.5
"""Share of the limit from which on slowness is compared with live's: below, three times nothing is nothing."""
CUT_OFF_WEIGHT = 50
"""With a greater share, in percent, that the users' route gives no answer may be the target colour's doing."""
_SEVERITY = (Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.NO_DATA)


class Check(StrEnum):
    """What is judged, by the names that settings use."""

    PROBE_ERRORS = "probe-errors"
    """Our own requests to the target colour: are they answered?"""
    PROBE_LATENCY = "probe-latency"
    """The same requests: are they answered in time?"""
    USERS_ERRORS = "users-errors"
    """Our own requests by the users' route, which do not know whom they meet."""
    METRIC_ERRORS = "metric-errors"
    """Failed requests of everybody, as the load balancer counts them."""
    METRIC_LATENCY = "metric-latency"
    """Response times of everybody."""
    ALARMS = "alarms"
    """The environment's alarms on either colour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the target colour may do."""

    error_share_percent: float
    """Share of failed requests, in percent."""
    p99_seconds: float
    """Seconds that one request in a hundred may exceed."""
    min_samples: int
    """Fewer requests say nothing of a share or a percentile."""
    points_over_live: float
    """Its share of failed requests may be so many points above live's."""
    times_live: float
    """Its p99 may be so many times live's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What was seen of one colour's requests over a while."""

    requests: int
    failed: int
    p99_seconds: float | None
    """None where there are too few response times for a percentile."""

    @property
    def share_percent(self) -> float:
        """Failed requests in percent; 0 of none."""
        return 100 * self.failed / self.requests if self.requests else 0.0


NOTHING = Sample(requests=0, failed=0, p99_seconds=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """What our own requests have met lately."""

    target: Sample
    """By the test route, and by the users' route where the answer says that the target gave it."""
    live: Sample
    """By the users' route, where the answer is the other colour's."""
    users: Sample
    """All by the users' route; failed are those that the other colour did not answer."""
    streak: int
    """The last so many by the test route failed, of all or of one path."""
    trouble: str
    """The last thing that went wrong with the target colour; empty for nothing."""
    is_cut_off: bool
    """The last ones by the users' route, too, got no answer whatever: it may well be us."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    check: Check
    outcome: Outcome
    why: str
    is_observed_only: bool = False


def target_weight(release: InFlight) -> int:
    """Share of the requests, in percent, that the target colour is to have by now."""
    if release.phase is Phase.SHIFTING:
        return release.plan.steps[release.step]
    return 100 if release.phase in {Phase.SETTLING, Phase.DONE} else 0


def p99_of(seconds: Iterable[float]) -> float | None:
    """The time that one request in a hundred exceeded, but for two stragglers at least; None of two requests or fewer.

    >>> p99_of([0.1, 0.2, 9.0, 9.0])
    0.2
    """
    ordered = sorted(seconds)
    spared = max(FEWEST_BAD - 1, len(ordered) // 100)
    return ordered[-1 - spared] if len(ordered) > spared else None


def judge_errors(check: Check, sample: Sample, limits: Limits, live: Sample) -> Finding:
    """The share of failed requests against the limit and, where live has enough samples, against live's."""
    told = f"{sample.failed} of {sample.requests} requests failed"
    if sample.requests < limits.min_samples:
        return _few(check, sample.requests, limits)
    share, is_live_known = sample.share_percent, live.requests >= limits.min_samples
    is_over = share > limits.error_share_percent
    is_worse = is_live_known and share > live.share_percent + limits.points_over_live
    if sample.failed < 2 or not (is_over or is_worse):
        return Finding(check, Outcome.PASS, told)
    against = f"{limits.error_share_percent:g} % may" if is_over else f"live's are {live.share_percent:.2g} %"
    told = f"{told}, {against}"
    if is_live_known and not is_worse and live.share_percent > limits.error_share_percent:
        return Finding(check, Outcome.INCONCLUSIVE, f"{told}; live is no better ({live.share_percent:.2g} %)")
    return Finding(check, Outcome.FAIL if sample.failed >= FEWEST_BAD else Outcome.INCONCLUSIVE, told)


def judge_latency(check: Check, sample: Sample, limits: Limits, live: Sample) -> Finding:
    """The 99th percentile of response times against the limit and, where live has one, against live's."""
    p99 = sample.p99_seconds
    if sample.requests < limits.min_samples or p99 is None:
        few = _few(check, sample.requests, limits)
        return few if p99 is not None else replace(few, why=f"{sample.requests} requests are too few for a p99")
    before = live.p99_seconds if live.requests >= limits.min_samples else None
    is_over = p99 > limits.p99_seconds
    is_worse = before is not None and p99 > before * limits.times_live and p99 > limits.p99_seconds * NOTED_SLOWNESS
    told = f"p99 is {p99:.3g} s"
    if not (is_over or is_worse):
        return Finding(check, Outcome.PASS, told)
    told = f"{told}, {f'{limits.p99_seconds:g} s may be' if is_over else f'live has {before:.3g} s'}"
    if before is not None and not is_worse and before > limits.p99_seconds:
        return Finding(check, Outcome.INCONCLUSIVE, f"{told}; live is no better ({before:.3g} s)")
    return Finding(check, Outcome.FAIL, told)


def judge_probe(probed: Probed, limits: Limits, weight: int) -> tuple[Finding, ...]:
    """Our own requests. Failures in a row are a FAIL at once, however few requests there were.

    `weight` is the target colour's share in percent: what users get is not its fault while that is 0.
    """
    errors = judge_errors(Check.PROBE_ERRORS, probed.target, limits, probed.live)
    if probed.streak >= FEWEST_BAD:
        errors = _in_a_row(probed, weight)
    elif errors.outcome not in {Outcome.PASS, Outcome.NO_DATA} and probed.trouble:
        errors = replace(errors, why=f"{errors.why}: {probed.trouble}")
    latency = judge_latency(Check.PROBE_LATENCY, probed.target, limits, probed.live)
    return errors, latency, _judge_users(probed, limits, weight)


def combined(findings: Sequence[Finding], observe_only: Collection[Check] = ()) -> Verdict:
    """The verdict, by the rule at the top of this file; findings of the checks in observe_only are observed only."""
    observed = [found for found in findings if found.is_observed_only or found.check in observe_only]
    counted = [found for found in findings if found not in observed]
    outcome = next((one for one in _SEVERITY if any(found.outcome is one for found in counted)), Outcome.PASS)
    if not findings:
        return Verdict(Outcome.NO_DATA, "nothing was looked at yet")
    said = [_told(found) for found in counted if found.outcome is outcome]
    said += [f"observed only: {_told(found)}" for found in observed if found.outcome is not Outcome.PASS]
    return Verdict(outcome, "; ".join(said))


def _judge_users(probed: Probed, limits: Limits, weight: int) -> Finding:
    users = probed.users
    told = f"{users.failed} of {users.requests} requests by the users' route failed"
    if users.failed < FEWEST_BAD or users.share_percent <= limits.error_share_percent:
        return Finding(Check.USERS_ERRORS, Outcome.PASS, told)
    if weight == 0:
        why = f"{told}, and the target colour gets none of them"
        # Live's trouble, or nothing is released yet: a version that mends it must not be held up by it.
        return Finding(Check.USERS_ERRORS, Outcome.INCONCLUSIVE, why, is_observed_only=True)
    return Finding(Check.USERS_ERRORS, _blame(probed, weight), told)


def _in_a_row(probed: Probed, weight: int) -> Finding:
    told, outcome = f"{probed.streak} requests in a row failed: {probed.trouble}", _blame(probed, weight)
    if outcome is Outcome.INCONCLUSIVE:
        told = f"{told}; the users' route gives no answer either, so it may be our own network"
    return Finding(Check.PROBE_ERRORS, outcome, told)


def _blame(probed: Probed, weight: int) -> Outcome:
    return Outcome.INCONCLUSIVE if probed.is_cut_off and weight <= CUT_OFF_WEIGHT else Outcome.FAIL


def _few(check: Check, requests: int, limits: Limits) -> Finding:
    return Finding(check, Outcome.NO_DATA, f"{requests} of {limits.min_samples} requests")


def _told(found: Finding) -> str:
    return f"{found.check}: {found.why}"
