"""The data plane: what gives the API's instances a life and its load balancers a port.

API (moto)  --observe-->  Observation  --fleet, drains-->  Snapshot  --publish-->  Envoy
    ^------ replacements, target health, metrics, alarms ---------------------------'
"""

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from localcloud.dataplane import moto_health, moto_statistics
from localcloud.dataplane.admin import AdminUnavailable
from localcloud.dataplane.balancer import Balancer
from localcloud.dataplane.drains import Drains, placed
from localcloud.dataplane.fleet import Fleet, Phase
from localcloud.dataplane.health import HealthState, HealthTable, Hosts, target_health
from localcloud.dataplane.meter import Meter
from localcloud.dataplane.observe import Instance, Observation, Region, UnreadableAnswer, merged
from localcloud.dataplane.runner import Runner
from localcloud.dataplane.seen import InstanceStatus, ListenerStatus, Seen
from localcloud.dataplane.snapshot import Snapshot
from localcloud.dataplane.tasks import Seating, Task
from localcloud.errors import LocalCloudError

LOG = structlog.get_logger(__name__)

API_PROBLEMS = (ClientError, BotoCoreError, ResponseParserError, UnreadableAnswer)
"""The API says no, cannot be reached, or answers with an error page."""
TICK_SECONDS = 0.25
LONGEST_BLIND_SECONDS = 5.0
"""The API is asked at least this often, and whenever someone calls wake()."""
SHORTEST_GAP_SECONDS = 0.25
"""Between two looks during a burst of changes; a look at four stacks takes 0.2 s of the API's time."""
START_SECONDS = 30.0
STOP_SECONDS = 30.0


class DataPlane:
    """Runs beside a moto server in the same process, which it patches while it runs. Any thread may call it."""

    def __init__(
        self,
        endpoint_url: str,
        regions: Sequence[str],
        home: Path,
        runner: Runner,
        *,
        tasks: Callable[[], Sequence[Task]] = tuple,
        leash: Sequence[str] = (),
        metrics_seconds: float = 10.0,
    ) -> None:
        """Tasks are those of swarms' services; asked for often, so it has to be quick."""
        self._regions = {name: Region(name, endpoint_url) for name in regions}
        self._balancer = Balancer(home, leash)
        self._drains = Drains()
        self._fleet = Fleet(runner, self._drains.is_draining)
        self._seating = Seating(tasks)
        self._table = HealthTable()
        self._meter = Meter(self._regions, self._table, metrics_seconds)
        self._observed = Observation(Snapshot(), ())
        self._told: set[str] = set()
        self._served = Snapshot()
        self._hosts: Hosts = {}
        self._statuses: tuple[InstanceStatus, ...] = ()
        self._listeners: tuple[ListenerStatus, ...] = ()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._started = threading.Event()
        self._start_problem: Exception | None = None
        self._observed_at = -LONGEST_BLIND_SECONDS
        self._is_stale = True
        self._thread = threading.Thread(target=self._run, name="dataplane", daemon=True)
        self._patches: list[Callable[[], None]] = []

    def start(self) -> None:
        """Starts Envoy and follows the API from now on. Raises NoEnvoy, OSError, TimeoutError."""
        self._patches = [moto_health.install(self._table), moto_statistics.install()]
        self._thread.start()
        if not self._started.wait(START_SECONDS):
            self.stop()
            raise TimeoutError(f"the data plane has not started within {START_SECONDS:.0f} s")
        if self._start_problem:
            self._unpatch()
            raise self._start_problem

    def stop(self) -> None:
        """Ends Envoy and every instance, without draining. Harmless if it never started."""
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)
        self._unpatch()

    @property
    def is_alive(self) -> bool:
        """Whether it still follows the API; once it does not, nothing here is looked after any more."""
        return self._thread.is_alive()

    def wake(self) -> None:
        """Something may have changed in the API: look at once."""
        self._is_stale = True
        self._wake.set()

    def status(self) -> tuple[InstanceStatus, ...]:
        """Every instance, as of the last quarter of a second."""
        return self._statuses

    def listeners(self) -> tuple[ListenerStatus, ...]:
        """Every listener of every load balancer that Envoy has been given."""
        return self._listeners

    def _unpatch(self) -> None:
        while self._patches:
            self._patches.pop()()

    def _run(self) -> None:
        try:
            self._balancer.start()
        except (LocalCloudError, OSError) as problem:
            self._start_problem = problem  # start() raises it in the caller's thread
            self._balancer.stop()
            self._started.set()
            return
        self._meter.start(self._balancer)
        self._started.set()
        while not self._stopping.is_set():
            self._tick()
            self._wake.wait(TICK_SECONDS)
            self._wake.clear()
        self._meter.stop()
        self._fleet.stop()
        self._balancer.stop()

    def _tick(self) -> None:
        try:
            self._observe()
            here = placed(self._observed.snapshot, self._fleet.places())
            self._served = self._drains.follow(self._seating.follow(here, self._fleet.nodes()))
            self._balancer.look_after()
            self._balancer.publish(self._served)
            self._meter.follow(self._served)
            self._hosts = self._balancer.hosts()
            self._table.replace(target_health(self._served, self._hosts))
            # After what has to drain was noticed above: else an instance would be stopped with its requests in flight.
            if self._fleet.step():
                self._wake.set()
            self._let_in_ready()
            self._replace_lost()
        except (*API_PROBLEMS, AdminUnavailable, OSError) as problem:
            # Whatever it is, the next look may be luckier; what runs goes on running as it is.
            LOG.warning("the data plane could not do all", problem=str(problem))
        self._tell()

    def _observe(self) -> None:
        now = time.monotonic()
        due = self._observed_at + (SHORTEST_GAP_SECONDS if self._is_stale else LONGEST_BLIND_SECONDS)
        if now < due:
            if self._is_stale:
                self._wake.set()
                time.sleep(due - now)
            return
        self._is_stale = False
        try:
            self._follow(merged([region.observe() for region in self._regions.values()]))
        except API_PROBLEMS:
            # The API may have been changing just then: soon again. An answer that can't be read can wait.
            self._is_stale = True
            raise
        finally:
            self._observed_at = time.monotonic()

    def _follow(self, observed: Observation) -> None:
        for instance in observed.instances:
            if instance.id not in self._fleet.members:
                self._admit(instance)
        self._fleet.dismiss_all_but(instance.id for instance in observed.instances)
        self._observed = observed

    def _admit(self, instance: Instance) -> None:
        self._fleet.admit(self._regions[instance.region].birth(instance), instance.scaling_group)

    def _replace_lost(self) -> None:
        wanted = {instance.id: instance for instance in self._observed.instances}
        for instance in self._observed.instances:
            if instance.is_elb_checked:
                self._judge(instance)
        for instance_id in self._fleet.lost():
            if instance_id in wanted:
                self._regions[wanted[instance_id].region].replace_instance(instance_id)
                self.wake()

    def _let_in_ready(self) -> None:
        """An instance that runs and is held back tells its scaling group so, once."""
        waiting = {instance.id: instance for instance in self._observed.instances if instance.is_waiting}
        self._told &= waiting.keys()
        for instance_id in waiting.keys() - self._told:
            member = self._fleet.members.get(instance_id)
            if member and member.phase in (Phase.RUNNING, Phase.NODE):
                self._regions[waiting[instance_id].region].let_in(waiting[instance_id])
                self._told.add(instance_id)
                self.wake()

    def _judge(self, instance: Instance) -> None:
        """A scaling group that checks through ELB gives up an instance which the load balancer finds unhealthy."""
        member = self._fleet.members.get(instance.id)
        health = self._table.of_target(instance.id)
        if member is None or member.phase is not Phase.RUNNING or health is None:
            return
        is_old_enough = time.monotonic() > member.running_since + instance.grace.total_seconds()
        if health.state is HealthState.UNHEALTHY and is_old_enough:
            self._fleet.give_up(instance.id, f"the load balancer finds it unhealthy: {health.description}")

    def _tell(self) -> None:
        seen = Seen(self._table, self._served, self._hosts)
        groups = {key: member.scaling_group for key, member in self._fleet.members.items()}
        members = (member for member in self._fleet.members.values() if member.phase is not Phase.NODE)
        self._statuses = (*map(seen.instance, members), *seen.tasks(self._seating, groups))
        self._listeners = tuple(
            ListenerStatus(
                balancer.arn, balancer.dns_name, listener.protocol, listener.port, self._balancer.local_url(listener)
            )
            for balancer in self._served.load_balancers
            for listener in balancer.listeners
        )
