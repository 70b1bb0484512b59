"""A stack with a data volume: what it counts outlives its server, and one server at a time can write."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from engine.world import World, copy_project, running_world, within
from localcloud.stacks import LocalStack
from toolchain import Toolchain

WITH_VOLUME = {"dataVolumeGib": 8, "instances": 1, "maxInstances": 1}
BACK_SECONDS = 15.0


class Counting:
    """The service, and the counter that it keeps on its volume."""

    def __init__(self, world: World, stack: LocalStack, project: Path, url: str) -> None:
        self.world, self.stack, self.project, self.url = world, stack, project, url
        self.volume_id = str(stack.exports()["dataVolumeId"])

    def count(self) -> int:
        """One more; the number that it is then."""
        answer = httpx.post(f"{self.url}/counter", timeout=10, trust_env=False)
        assert answer.is_success, answer.text
        return int(answer.json()["count"])

    def serves(self) -> bool:
        return httpx.get(f"{self.url}/counter", timeout=10, trust_env=False).is_success

    def holders(self) -> list[str]:
        """The instances that have the volume."""
        [volume] = self.world.aws("ec2").describe_volumes(VolumeIds=[self.volume_id])["Volumes"]
        return [attachment["InstanceId"] for attachment in volume["Attachments"]]


@pytest.fixture(scope="module")
def counting(engine: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counting]:
    with running_world(tmp_path_factory.mktemp("volume") / "home", engine) as world:
        project = copy_project(tmp_path_factory.mktemp("copies") / "teal", "dev", "dev", **WITH_VOLUME)
        url = world.teal("local", "up", "dev", project=project).strip()
        yield Counting(world, world.stack("dev", project), project, url)


def test_the_stack_has_one_encrypted_volume_in_the_zone_of_its_servers(counting: Counting) -> None:
    ec2 = counting.world.aws("ec2")
    [volume] = ec2.describe_volumes(VolumeIds=[counting.volume_id])["Volumes"]
    assert (volume["Size"], volume["VolumeType"], volume["Encrypted"]) == (8, "gp3", True)
    assert "/alias/" not in volume["KmsKeyId"]
    [instance] = counting.world.status("dev").instances
    assert (instance.zone, counting.holders()) == (volume["AvailabilityZone"], [instance.id])


def test_a_killed_server_is_replaced_and_counts_on(counting: Counting) -> None:
    before = counting.count()
    [killed] = counting.holders()
    os.killpg(counting.world.pids()[killed], signal.SIGKILL)
    within(BACK_SECONDS, lambda: counting.holders() not in ([], [killed]) and counting.serves())
    assert counting.count() == before + 1
    assert counting.holders() == [instance.id for instance in counting.world.status("dev").instances]


def test_a_second_up_and_a_refresh_find_nothing_to_do(counting: Counting) -> None:
    counting.world.teal("local", "preview", "dev", "--refresh", "--expect-no-changes", project=counting.project)
