"""Every few seconds: Envoy's counters into CloudWatch, then every alarm evaluated."""

import datetime
import threading
from collections.abc import Mapping

import structlog
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from localcloud.dataplane import moto_statistics
from localcloud.dataplane.admin import AdminUnavailable, ClusterStats
from localcloud.dataplane.alarms import AlarmClock
from localcloud.dataplane.balancer import Balancer
from localcloud.dataplane.health import HealthTable
from localcloud.dataplane.metrics import NAMESPACE, metrics
from localcloud.dataplane.observe import Region, region_of
from localcloud.dataplane.snapshot import Snapshot

LOG = structlog.get_logger(__name__)

KEPT = datetime.timedelta(hours=1)
"""No alarm here looks further back, and moto reads all that it has for every question."""
STOP_SECONDS = 10.0
MOST_DATA_IN_A_CALL = 500


class Meter:
    """A thread of its own: CloudWatch may be slow, and the load balancer must not wait for it."""

    def __init__(self, regions: Mapping[str, Region], table: HealthTable, every_seconds: float) -> None:
        self._regions = regions
        self._clocks = [AlarmClock(region.cloudwatch) for region in regions.values()]
        self._table = table
        self._every_seconds = every_seconds
        self._snapshot = Snapshot()
        self._before: dict[str, ClusterStats] = {}
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, balancer: Balancer) -> None:
        """Measures from now on."""
        self._thread = threading.Thread(target=self._run, args=(balancer,), name="meter", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends its thread."""
        self._stopping.set()
        if self._thread:
            self._thread.join(STOP_SECONDS)

    def follow(self, snapshot: Snapshot) -> None:
        """Which target groups there are now."""
        self._snapshot = snapshot

    def _run(self, balancer: Balancer) -> None:
        while not self._stopping.wait(self._every_seconds):
            try:
                self._measure(balancer)
            except (ClientError, BotoCoreError, ResponseParserError, AdminUnavailable) as problem:
                LOG.warning("metrics could not be taken", problem=str(problem))

    def _measure(self, balancer: Balancer) -> None:
        now = datetime.datetime.now(datetime.UTC)
        after = balancer.admin.cluster_stats()
        snapshot = self._snapshot
        health = {arn: self._table.of_group(arn).values() for arn in snapshot.groups}
        found = metrics(snapshot, self._before, after, health)
        self._before = after
        for name, region in self._regions.items():
            data = [metric.datum(now) for metric in found if region_of(metric.balancer_arn) == name]
            for first in range(0, len(data), MOST_DATA_IN_A_CALL):
                some = data[first : first + MOST_DATA_IN_A_CALL]
                region.cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=some)
        for clock in self._clocks:
            clock.evaluate(now)
        moto_statistics.forget_before(now - KEPT, self._regions)
