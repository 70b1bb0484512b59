"""What runs in an embedded cloud, stack by stack."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import httpx
from pydantic import BaseModel, ConfigDict

from localcloud.errors import CloudNotRunning, LocalCloudError
from localcloud.home import CloudRecord
from localcloud.launch import STATUS_PATH
from localcloud.left import ENVIRONMENT_TAG as ENVIRONMENT_TAG
from localcloud.left import Disk
from localcloud.provider.api import Api

HEALTHY = "healthy"
POLL_SECONDS = 0.2


class InstanceStatus(BaseModel):
    """One instance, or one task of a swarm: what it is called, where it answers, and how the load balancer finds it."""

    model_config = ConfigDict(frozen=True)

    id: str
    scaling_group: str
    colour: str
    zone: str
    address: str
    health: str
    state: str
    reason: str = ""
    digest: str = ""
    pid: int | None = None
    """Its first process; None where it has none."""
    container: str = ""
    """Name of its container, where a container engine runs it; empty for a process."""
    requests: int | None = None
    """Requests that the load balancer has sent it so far; None where it is in no target group."""
    worker: str = ""
    """Of a task: the instance that it is at; empty for an instance, and for a task that waits for one."""
    worker_port: int = 0
    """Of a task: port of that instance that stands for it."""

    @property
    def is_task(self) -> bool:
        """Whether it is a task of a swarm, which Swarm has named."""
        return not self.id.startswith("i-")


class ListenerStatus(BaseModel):
    """One listener of a load balancer, and where on this machine it answers."""

    model_config = ConfigDict(frozen=True)

    load_balancer_arn: str
    protocol: str
    port: int
    url: str


class PlaneStatus(BaseModel):
    """All instances and listeners of a cloud, and what an earlier one left, as its daemon tells them."""

    model_config = ConfigDict(frozen=True)

    instances: tuple[InstanceStatus, ...]
    listeners: tuple[ListenerStatus, ...]
    left: tuple[Disk, ...] = ()


@dataclass(frozen=True)
class StackStatus:
    """One stack: the address that it answers at, if it has a load balancer, and its instances."""

    url: str | None
    instances: tuple[InstanceStatus, ...]

    @property
    def healthy(self) -> tuple[InstanceStatus, ...]:
        """Instances that the load balancer sends requests to."""
        return tuple(instance for instance in self.instances if instance.health == HEALTHY)


def plane_status(record: CloudRecord) -> PlaneStatus:
    """What the cloud's daemon tells. Raises CloudNotRunning if it does not answer within ten seconds."""
    try:
        answer = httpx.get(record.api_url + STATUS_PATH, timeout=10, trust_env=False).raise_for_status()
    except httpx.HTTPError as error:
        raise CloudNotRunning(f"the embedded cloud does not answer at {record.api_url}: {error}") from error
    return PlaneStatus.model_validate_json(answer.content)


def stack_statuses(record: CloudRecord, regions: Iterable[str]) -> dict[str, StackStatus]:
    """Every stack that has a load balancer or instances, by name. Raises CloudNotRunning."""
    plane = plane_status(record)
    owners = dict(pair for region in sorted(set(regions)) for pair in _owners(_api(record.api_url, region)))
    names = sorted(set(owners.values()))
    return {name: _of_stack(name, owners, plane) for name in names}


def await_serving(
    read: Callable[[], StackStatus], count: int, zones: int, seconds: float, waiting: Callable[[str], None]
) -> StackStatus:
    """Waits until that many instances are healthy, in that many zones. Raises LocalCloudError past the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        found = read()
        seen = len({instance.zone for instance in found.healthy})
        if len(found.healthy) >= count and seen >= zones:
            return found
        told = f"{len(found.healthy)} of {count} instances healthy, in {seen} of {zones} zones"
        if time.monotonic() > deadline:
            why = "; ".join(sorted({i.reason for i in found.instances if i.reason})) or "see `teal local logs`"
            raise LocalCloudError(f"after {seconds:.0f} s only {told}: {why}")
        waiting(told)
        time.sleep(POLL_SECONDS)


@cache
def _api(endpoint: str, region: str) -> Api:
    """Clients take long to make, and a waiting command asks five times a second."""
    return Api(endpoint, region)


def _of_stack(name: str, owners: dict[str, str], plane: PlaneStatus) -> StackStatus:
    listeners = [listener for listener in plane.listeners if owners.get(listener.load_balancer_arn) == name]
    by_trust = sorted(listeners, key=lambda listener: (listener.protocol != "HTTPS", listener.port))
    instances = tuple(i for i in plane.instances if owners.get(i.scaling_group) == name)
    return StackStatus(by_trust[0].url if by_trust else None, instances)


def _owners(api: Api) -> Iterator[tuple[str, str]]:
    """Scaling group names and load balancer ARNs, each with the stack that it belongs to."""
    for group in api.pages("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups"):
        tags = {tag["Key"]: tag["Value"] for tag in group["Tags"]}
        if ENVIRONMENT_TAG in tags:
            yield group["AutoScalingGroupName"], tags[ENVIRONMENT_TAG]
    arns = [lb["LoadBalancerArn"] for lb in api.pages("elbv2", "describe_load_balancers", "LoadBalancers")]
    for start in range(0, len(arns), 20):  # the most that DescribeTags takes
        answer = api.call("elbv2", "describe_tags", ResourceArns=arns[start : start + 20])
        for described in answer["TagDescriptions"]:
            tags = {tag["Key"]: tag["Value"] for tag in described["Tags"]}
            if ENVIRONMENT_TAG in tags:
                yield described["ResourceArn"], tags[ENVIRONMENT_TAG]
