"""The data volume of a server that boots for real: a loop device, attached as the played EC2 says.

Not shown: that EC2 makes the device appear and go; it is there all along, under the name that Xen's kernels give it.
The tests of one machine follow each other: it waits for the volume, has it, crashes, stops, starts, and goes down.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from boot.conftest import told
from boot.image import Image
from boot.machine import UP_SECONDS, Machine, booted
from components.servers.data_access import attach_policy

pytestmark = [pytest.mark.boot, pytest.mark.timeout(1200)]

DEVICE, FOLDER = "/dev/xvdf", "/var/lib/teal/data"
SIZE_BYTES = 64 * 1024 * 1024


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A blank disk as a loop device of this machine."""
    file = tmp_path_factory.mktemp("disk") / "disk"
    file.touch()
    with file.open("r+b") as content:
        content.truncate(SIZE_BYTES)
    made = subprocess.run(["losetup", "--find", "--show", file], capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"not run, so nothing is known of the data volume at boot: {made.stderr.strip()}")
    device = Path(made.stdout.strip())
    yield device
    subprocess.run(["losetup", "--detach", device], check=True, timeout=30)


@pytest.fixture(scope="module")
def holding(root: Path, built: Image, disk: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine with the disk, whose volume another server has."""
    number = disk.name.removeprefix("loop")
    with booted(tmp_path_factory.mktemp("holding"), root, told(built, has_volume=True), built) as machine:
        machine.run("mknod", DEVICE, "b", "7", number)
        yield machine


@pytest.fixture(scope="module")
def serving(holding: Machine) -> Machine:
    """The same, once the other server has let go."""
    holding.until("waiting", lambda: "has it (attached)" in holding.journal(), UP_SECONDS)
    holding.seen("let go")
    holding.until("in service", lambda: holding.seen()["state"] == "InService", UP_SECONDS)
    return holding


def starts(machine: Machine) -> list[str]:
    """What each container has written to its volume as it started."""
    return machine.run("cat", f"{FOLDER}/starts").splitlines()


def test_while_another_server_has_the_volume_no_container_starts(holding: Machine) -> None:
    holding.until("waiting", lambda: "has it (attached)" in holding.journal(), UP_SECONDS)
    seen = holding.seen()
    assert (seen["state"], holding.container()) == ("Pending:Wait", {})
    assert seen["instance"] not in seen["holders"]
    assert f"waiting for {seen['volume']}: {seen['holders'][0]} has it (attached)" in holding.journal()


def test_then_it_is_formatted_mounted_and_the_containers_own(serving: Machine) -> None:
    seen = serving.seen()
    assert seen["holders"] == [seen["instance"]]
    mounted = serving.run("findmnt", "--noheadings", "--output", "SOURCE,FSTYPE,OPTIONS", FOLDER).split()
    assert mounted[:2] == [DEVICE, "ext4"]
    assert {"nodev", "nosuid"} <= set(mounted[2].split(","))
    assert serving.run("stat", "--format", "%u:%g", FOLDER) == "10001:10001"
    container = serving.container()
    [mount] = container["HostConfig"]["Mounts"]
    assert (mount["Type"], mount["Source"], mount["Target"]) == ("bind", FOLDER, "/data")
    assert "TEAL_DATA=/data" in container["Config"]["Env"]
    assert container["HostConfig"]["ReadonlyRootfs"]
    assert starts(serving) == [seen["instance"]]


def test_the_role_allows_what_was_called_for_the_volume(serving: Machine) -> None:
    made = {call for call in serving.seen()["calls"] if call.startswith("ec2 ")}
    assert made == {"ec2 DescribeVolumes", "ec2 AttachVolume"}
    policy = attach_policy("arn:aws:ec2:eu-west-1:1:volume/vol-1", "arn:key", "blue")
    assert all(f'"{call.replace(" ", ":")}"' in policy for call in made)


def test_a_container_that_ends_finds_its_volume_still_there(serving: Machine) -> None:
    before = serving.container()["Id"]
    serving.run("/usr/bin/docker", "kill", "teal")
    serving.until("another container", lambda: serving.container().get("Id", before) != before, 30)
    serving.until("the unit", lambda: serving.unit("teal.service")["SubState"] == "running", 60)
    assert "ec2 DetachVolume" not in serving.seen()["calls"]
    assert len(starts(serving)) == 2


def test_a_unit_that_is_stopped_lets_the_volume_go_and_finds_it_as_it_was(serving: Machine) -> None:
    serving.run("systemctl", "stop", "teal.service")
    assert serving.seen()["holders"] == []
    assert serving.run("findmnt", FOLDER, check=False) == ""
    assert serving.container() == {}
    serving.run("systemctl", "start", "teal.service")
    serving.until("the unit", lambda: serving.unit("teal.service")["SubState"] == "running", 60)
    assert serving.seen()["holders"] == [serving.seen()["instance"]]
    assert len(starts(serving)) == 3, "it was formatted again"


def test_a_server_that_goes_down_lets_the_volume_go_after_its_container(serving: Machine) -> None:
    serving.run("systemctl", "poweroff", check=False)
    serving.until("the volume free", lambda: serving.seen()["holders"] == [], 90)
    assert serving.seen()["calls"].count("ec2 DetachVolume") == 2, "once as it was stopped, and once now"
