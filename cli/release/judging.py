"""The judge of an environment's releases, by its settings and its program's exports."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime

from cli.release.place_base import Place
from config.settings import Settings
from release.adapters.cloudwatch import ColourMetrics
from release.adapters.gathered import Gathered
from release.adapters.judge import Rules, TrafficJudge
from release.adapters.synthetic import Pace, SyntheticProbe
from release.alarms import Alarm
from release.judgement import Limits, Sample
from release.ledger import Colour, InFlight, Routes

METRICS_SECONDS = ALARMS_SECONDS = 10.0
"""Between two questions to CloudWatch: each costs money there, and none is news within seconds."""
LEAST_TIMEOUT_SECONDS = 2.0


def judge_of(place: Place, routes: Routes, despite_alarms: Collection[str]) -> TrafficJudge:
    """The judge of a place. Raises LedgerMissing where its program has not run."""
    wanted, url = place.settings, place.url
    metrics, alarms = ColourMetrics(place.client("cloudwatch"), routes), place.alarms

    def ask_metrics(release: InFlight) -> Mapping[Colour, Sample]:
        return metrics.between(release.started_at, datetime.now(UTC))

    def ask_alarms(_: InFlight) -> tuple[Alarm, ...]:
        return alarms.read()

    return TrafficJudge(
        rules_of(wanted, despite_alarms),
        SyntheticProbe(
            url,
            place.secret,
            wanted.probe_paths,
            pace=Pace(timeout_seconds=max(LEAST_TIMEOUT_SECONDS, 1.5 * wanted.latency_milliseconds / 1000)),
            # The embedded cloud's certificates are its own, and its listeners on loopback: nobody to mistrust.
            verify=not url.startswith("https://127."),
        ),
        Gathered(ask_metrics, METRICS_SECONDS),
        Gathered(ask_alarms, ALARMS_SECONDS),
    )


def rules_of(wanted: Settings, despite_alarms: Collection[str] = ()) -> Rules:
    """How strictly the settings have a release judged."""
    return Rules(
        limits=Limits(
            error_share_percent=wanted.error_share_percent,
            p99_seconds=wanted.latency_milliseconds / 1000,
            min_samples=wanted.min_samples,
            points_over_live=wanted.error_points_over_live,
            times_live=wanted.latency_times_live,
        ),
        observe_only=frozenset(wanted.observe_only),
        waits_for_metrics=wanted.waits_for_metrics,
        despite_alarms=frozenset(despite_alarms),
    )
