"""Three managers that boot at once make one swarm; the one that leads is lost, and another takes its place."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from boot.image import Image
from boot.machine import UP_SECONDS, Machine
from boot.swarm_machines import Site, nodes, told

pytestmark = [pytest.mark.boot, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def site(root: Path, built: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Three that are in service, and a fourth that does not boot yet."""
    with nodes(tmp_path_factory.mktemp("managers"), root, built, ["manager"] * 4, booting=3) as site:
        first = site.machines[0]
        first.until("three in service", lambda: in_service(site) >= 3, UP_SECONDS)
        yield site


def in_service(site: Site) -> int:
    return list(site.told()["states"].values()).count("InService")


def managing(asked: Machine) -> set[str]:
    """The instances that manage, and are in reach, by one of them."""
    return {
        instance
        for instance, node in told(asked).items()
        if node.get("ManagerStatus", {}).get("Reachability") == "reachable"
    }


def test_three_that_boot_at_once_are_one_swarm_by_one_claim(site: Site) -> None:
    seen = site.told()
    three = set(seen["instances"][:3])
    for machine in site.machines:
        machine.until("three managers", lambda machine=machine: managing(machine) == three, 60)  # type: ignore[misc]
    claims = [name for name in seen["parameters"] if "/claim-" in name]
    assert claims == ["/teal/dev/swarm/claim-swarm-nodes-id-1"]


def test_when_the_leader_is_lost_another_manager_takes_its_place_and_it_is_removed(
    site: Site, record_property: Callable[[str, object], None]
) -> None:
    nodes_before = told(site.machines[0])
    instances = site.told()["instances"]
    lost = next(
        number
        for number, instance in enumerate(instances[:3])
        if nodes_before[instance].get("ManagerStatus", {}).get("Leader")
    )
    began = time.monotonic()
    site.terminate(lost)
    fourth = site.start()
    wanted = {instance for number, instance in enumerate(instances) if number != lost}
    fourth.until("in service", lambda: site.told()["states"].get(instances[3]) == "InService", UP_SECONDS)
    asked = next(machine for number, machine in enumerate(site.machines) if number != lost)
    asked.until("a swarm without the lost one", lambda: set(told(asked)) == wanted == managing(asked), 120)
    record_property("a lost leader is replaced after", f"{time.monotonic() - began:.0f} s (a boot among them)")
