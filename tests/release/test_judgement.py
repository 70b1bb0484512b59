from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from release.judgement import (
    FEWEST_BAD,
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
    p99_of,
    target_weight,
)
from release.machine import Phase
from release.verdict import Outcome
from release_world import flight

PASS, FAIL, INCONCLUSIVE, NO_DATA = Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.NO_DATA
LIMITS = Limits(error_share_percent=5, p99_seconds=1.0, min_samples=20, points_over_live=1, times_live=3)
FINE = Sample(requests=100, failed=0, p99_seconds=0.05)
GOOD = Probed(target=FINE, live=FINE, users=FINE, streak=0, trouble="", is_cut_off=False)


def errors(failed: int, requests: int = 100, live: Sample = NOTHING) -> Finding:
    sample = Sample(requests=requests, failed=failed, p99_seconds=None)
    return judge_errors(Check.PROBE_ERRORS, sample, LIMITS, live)


def latency(p99_seconds: float | None, live: float | None = None, requests: int = 100) -> Finding:
    sample = Sample(requests=requests, failed=0, p99_seconds=p99_seconds)
    before = Sample(requests=100, failed=0, p99_seconds=live)
    return judge_latency(Check.PROBE_LATENCY, sample, LIMITS, before)


def outcomes(probed: Probed, weight: int = 5) -> list[Outcome]:
    return [found.outcome for found in judge_probe(probed, LIMITS, weight)]


def test_a_share_within_the_limit_passes_and_above_it_fails() -> None:
    assert (errors(0).outcome, errors(5).outcome, errors(6).outcome) == (PASS, PASS, FAIL)
    assert errors(6).why == "6 of 100 requests failed, 5 % may"


def test_one_lost_packet_is_no_verdict_and_two_blame_nobody() -> None:
    assert [errors(failed, requests=20).outcome for failed in (1, 2, 3)] == [PASS, INCONCLUSIVE, FAIL]


def test_too_few_samples_say_nothing() -> None:
    assert errors(19, requests=19) == Finding(Check.PROBE_ERRORS, NO_DATA, "19 of 20 requests")
    assert latency(9.0, requests=19).outcome is NO_DATA
    assert latency(None) == Finding(Check.PROBE_LATENCY, NO_DATA, "100 requests are too few for a p99")


def test_within_the_limit_but_worse_than_live_fails() -> None:
    assert errors(4, live=FINE).outcome is FAIL
    assert errors(4, live=replace(FINE, failed=3)).outcome is PASS
    assert errors(4, live=replace(FINE, requests=19)).outcome is PASS, "live has too few samples to compare with"


def test_beyond_the_limit_as_live_is_blames_nobody() -> None:
    sick = replace(FINE, failed=30)
    assert errors(30, live=sick).outcome is INCONCLUSIVE
    assert errors(32, live=sick).outcome is FAIL
    assert errors(6, live=replace(FINE, failed=5)).outcome is FAIL, "live keeps the limit"


def test_slowness_is_told_by_the_limit_and_by_live() -> None:
    assert (latency(1.0).outcome, latency(1.01).outcome) == (PASS, FAIL)
    assert latency(0.9, live=0.2).why == "p99 is 0.9 s, live has 0.2 s"
    assert latency(0.9, live=0.2).outcome is FAIL
    assert latency(0.9, live=0.31).outcome is PASS, "less than three times live's"
    assert latency(0.4, live=0.001).outcome is PASS, "a multiple of nothing is nothing"
    assert latency(1.5, live=1.2).outcome is INCONCLUSIVE
    assert latency(1.5, live=0.9).outcome is FAIL, "live keeps the limit"


def test_two_stragglers_are_spared() -> None:
    assert p99_of([0.1] * 50 + [9.0] * 2) == 0.1
    assert p99_of([0.1] * 50 + [9.0] * 3) == 9.0
    assert p99_of([0.1] * 990 + [9.0] * 10) == 0.1
    assert (p99_of([]), p99_of([1.0, 2.0]), p99_of([1.0, 2.0, 3.0])) == (None, None, 1.0)


def test_failures_in_a_row_fail_at_once_however_few_requests_there_were() -> None:
    few = Sample(requests=3, failed=3, p99_seconds=0.1)
    assert outcomes(replace(GOOD, target=few, streak=FEWEST_BAD, trouble="/ by the test route: status 500"))[0] is FAIL
    assert outcomes(replace(GOOD, target=few, streak=FEWEST_BAD - 1, trouble="x"))[0] is NO_DATA


def test_no_answer_from_anybody_may_be_our_own_network() -> None:
    nothing = Sample(requests=9, failed=9, p99_seconds=0.1)
    lost = replace(GOOD, users=nothing, streak=9, trouble="no answer", is_cut_off=True)
    assert outcomes(lost, weight=50) == [INCONCLUSIVE, PASS, INCONCLUSIVE]
    assert outcomes(lost, weight=51) == [FAIL, PASS, FAIL], "most users, too, are led to the target colour"
    assert outcomes(replace(lost, is_cut_off=False), weight=50) == [FAIL, PASS, FAIL]


def test_what_users_get_is_the_releases_fault_only_while_the_target_has_requests() -> None:
    bad = replace(GOOD, users=Sample(requests=50, failed=3, p99_seconds=0.1))
    assert outcomes(bad, weight=0) == [PASS, PASS, INCONCLUSIVE]
    assert outcomes(bad, weight=5) == [PASS, PASS, FAIL]
    assert outcomes(replace(bad, users=replace(bad.users, failed=2))) == [PASS, PASS, PASS]


def test_before_it_has_requests_what_users_get_is_told_and_not_held_against_it() -> None:
    target = Sample(requests=100, failed=0, p99_seconds=0.05)
    nothing = Sample(requests=100, failed=100, p99_seconds=0.05)
    probed = Probed(target=target, live=NOTHING, users=nothing, streak=0, trouble="", is_cut_off=False)
    verdict = combined(judge_probe(probed, LIMITS, 0))
    assert verdict.outcome is PASS
    assert "100 of 100 requests by the users' route failed, and the target colour gets none of them" in verdict.why
    assert combined(judge_probe(probed, LIMITS, 5)).outcome is FAIL  # from then on it is


def test_the_worst_finding_decides_and_is_told() -> None:
    one, two, three = (Finding(Check.ALARMS, outcome, outcome.lower()) for outcome in (FAIL, INCONCLUSIVE, NO_DATA))
    fine = Finding(Check.PROBE_ERRORS, PASS, "fine")
    assert combined([fine, three, two, one]).outcome is FAIL
    assert combined([fine, three, two]).outcome is INCONCLUSIVE
    assert combined([fine, three]).outcome is NO_DATA
    assert (combined([fine]).outcome, combined([fine]).why) == (PASS, "probe-errors: fine")
    assert combined([fine, three, two, one]).why == "alarms: fail"
    assert combined([]).outcome is NO_DATA


def test_what_is_observed_only_is_told_and_changes_nothing() -> None:
    findings = [Finding(Check.PROBE_ERRORS, PASS, "fine"), Finding(Check.METRIC_LATENCY, FAIL, "p99 is 3 s")]
    assert combined(findings).outcome is FAIL
    verdict = combined(findings, observe_only=[Check.METRIC_LATENCY])
    assert (verdict.outcome, verdict.why) == (PASS, "probe-errors: fine; observed only: metric-latency: p99 is 3 s")
    assert combined([replace(findings[1], is_observed_only=True)]).outcome is PASS


@pytest.mark.parametrize(
    ("phase", "step", "weight"),
    [(Phase.VERIFYING, 0, 0), (Phase.SHIFTING, 0, 5), (Phase.SHIFTING, 1, 50), (Phase.SETTLING, 2, 100)],
)
def test_the_targets_share_is_the_plans(phase: Phase, step: int, weight: int) -> None:
    assert target_weight(flight(phase=phase, step=step)) == weight


counts = st.integers(0, 400)
samples = st.builds(
    lambda requests, failed, p99: Sample(requests=requests, failed=min(failed, requests), p99_seconds=p99),
    counts,
    counts,
    st.none() | st.floats(0, 10),
)
limits = st.builds(
    Limits,
    error_share_percent=st.floats(0.1, 100),
    p99_seconds=st.floats(0.001, 5),
    min_samples=st.integers(1, 200),
    points_over_live=st.floats(0, 100),
    times_live=st.floats(1, 100),
)
RANK = {PASS: 0, INCONCLUSIVE: 1, FAIL: 2}


@given(samples, samples, limits, counts)
def test_more_failures_never_look_better(sample: Sample, live: Sample, limits: Limits, more: int) -> None:
    worse = replace(sample, failed=min(sample.failed + more, sample.requests))
    before, after = (judge_errors(Check.PROBE_ERRORS, one, limits, live).outcome for one in (sample, worse))
    assert (before is NO_DATA) == (after is NO_DATA) == (sample.requests < limits.min_samples)
    assert before is NO_DATA or RANK[before] <= RANK[after]


@given(samples, samples, limits, st.floats(0, 10))
def test_more_slowness_never_looks_better(sample: Sample, live: Sample, limits: Limits, more: float) -> None:
    worse = replace(sample, p99_seconds=None if sample.p99_seconds is None else sample.p99_seconds + more)
    before, after = (judge_latency(Check.PROBE_LATENCY, one, limits, live).outcome for one in (sample, worse))
    assert before is after is NO_DATA or RANK[before] <= RANK[after]


@given(samples, samples, samples, limits, st.integers(0, FEWEST_BAD - 1), st.integers(0, 100))
def test_fewer_than_the_least_samples_neither_pass_nor_fail(
    target: Sample, live: Sample, users: Sample, limits: Limits, streak: int, weight: int
) -> None:
    probed = Probed(target=target, live=live, users=users, streak=streak, trouble="x", is_cut_off=False)
    few = replace(limits, min_samples=target.requests + 1)
    errors, latency, _ = judge_probe(probed, few, weight)
    assert errors.outcome is latency.outcome is NO_DATA


findings = st.lists(st.builds(Finding, st.sampled_from(Check), st.sampled_from(Outcome), st.just("x"), st.booleans()))


@given(findings, st.sets(st.sampled_from(Check)))
def test_what_is_observed_only_never_decides(some: list[Finding], observe_only: set[Check]) -> None:
    counted = [found for found in some if not found.is_observed_only and found.check not in observe_only]
    verdict = combined(some, observe_only)
    assert (verdict.outcome is FAIL) == any(found.outcome is FAIL for found in counted)
    if counted:
        assert verdict.outcome is combined(counted).outcome
