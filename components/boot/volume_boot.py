#!/usr/bin/python3
"""Brings the data volume to the instance that it runs on, and away from it again; instance_boot.py calls it.

`volume_boot.py attach REGION INSTANCE VOLUME` has EC2 attach the volume, waits for its device, formats it if it is
blank, and mounts it. EC2 gives a volume to one instance at a time, so while another has it this waits.
`volume_boot.py detach REGION INSTANCE VOLUME` makes sure that the container is gone, unmounts and detaches.
Doing either again changes nothing. It is Python 3.9, like instance_boot.py. What goes wrong is a line in the journal.
"""

import glob
import json
import os
import subprocess
import sys
import time
from typing import Any

MOUNT = "/var/lib/teal/data"
DEVICE = (
    "/dev/sdf"  # as EC2 is told; Xen's kernels call it xvdf, and on Nitro it is an NVMe device with a serial number
)
OTHER_NAMES = ("/dev/xvdf", "/dev/sdf")
SERIALS = "/sys/block/nvme*/device/serial"
ATTACH_SECONDS = 240
AGAIN_SECONDS = 2
CALL_SECONDS = 60
FORMAT_SECONDS = 240
BLANK_BYTES = 1024 * 1024  # where file systems and partition tables begin
NOTHING_FOUND = 2  # blkid's status


class NotHere(Exception):
    """The volume can not be had, or not be let go, and why."""


def attach(region: str, instance: str, volume: str) -> None:
    """Returns once the volume is mounted. Raises NotHere where it is not to be had in time, or can't be read."""
    deadline = time.monotonic() + ATTACH_SECONDS
    said, why = "", _missing(region, instance, volume)
    while why:
        if time.monotonic() > deadline:
            raise NotHere(volume + " could not be attached within " + str(ATTACH_SECONDS) + " s: " + why)
        if why != said:
            sys.stderr.write("waiting for " + volume + ": " + why + "\n")
        said = why
        time.sleep(AGAIN_SECONDS)
        why = _missing(region, instance, volume)
    device = device_of(volume)
    if is_blank(device):
        subprocess.run(["mkfs.ext4", "-q", "-L", "teal-data", device], check=True, timeout=FORMAT_SECONDS)
    if not os.path.ismount(MOUNT):
        os.makedirs(MOUNT, exist_ok=True)  # noqa: PTH103  # 3.9
        subprocess.run(["mount", "-o", "nodev,nosuid", device, MOUNT], check=True, timeout=CALL_SECONDS)
    subprocess.run(["resize2fs", device], check=False, timeout=FORMAT_SECONDS)  # the volume may have grown


def _missing(region: str, instance: str, volume: str) -> str:
    """Why the volume's device is not there yet, having asked for it; empty once it is."""
    try:
        holder, state = attachment_of(region, volume)
        if not holder:
            place = ["--volume-id", volume, "--instance-id", instance, "--device", DEVICE]
            _aws(region, "attach-volume", *place)
            return "its device does not appear"
    except NotHere as problem:
        return str(problem)
    if holder != instance or state == "detaching":
        return holder + " has it (" + state + ")"
    return "" if device_of(volume) else "its device does not appear"


def attachment_of(region: str, volume: str) -> tuple[str, str]:
    """The instance that has the volume and in which state, such as detaching; empty texts where it is free."""
    found = _aws(region, "describe-volumes", "--volume-ids", volume)["Volumes"][0]
    held = [one for one in found.get("Attachments", []) if one["State"] != "detached"]
    return (held[0]["InstanceId"], held[0]["State"]) if held else ("", "")


def device_of(volume: str) -> str:
    """The volume's device; empty where it is not there."""
    serial = volume.replace("-", "")
    for path in sorted(glob.glob(SERIALS)):  # noqa: PTH207  # text is all that is needed
        with open(path, encoding="ascii") as file:  # noqa: PTH123
            if file.read().strip() == serial:
                return "/dev/" + path.split("/")[-3] + "n1"
    return next((name for name in OTHER_NAMES if os.path.exists(name)), "")  # noqa: PTH110


def is_blank(device: str) -> bool:
    """Whether nothing has ever been written to the device. Raises NotHere for one that can't be read.

    Only zeros at its start and nothing that blkid knows: what could be anybody's data is never formatted.
    """
    known = subprocess.run(["blkid", "--probe", device], stdout=subprocess.DEVNULL, check=False, timeout=CALL_SECONDS)
    try:
        with open(device, "rb") as file:  # noqa: PTH123
            start = file.read(BLANK_BYTES)
    except OSError as problem:
        raise NotHere(device + " can't be read, so it is not touched: " + str(problem)) from problem
    is_empty = len(start) == BLANK_BYTES and not any(start)
    if known.returncode == 0:
        return False
    if known.returncode == NOTHING_FOUND and is_empty:
        return True
    raise NotHere(device + " holds what is no file system known here, so it is not formatted")


def detach(region: str, instance: str, volume: str) -> None:
    """Has EC2 take the volume back, if this instance has it. Raises NotHere while a container may write to it."""
    subprocess.run(["docker", "rm", "--force", "teal"], capture_output=True, check=False, timeout=CALL_SECONDS)
    left = subprocess.run(
        ["docker", "ps", "--all", "--quiet", "--filter", "name=^teal$"],
        stdout=subprocess.PIPE, check=True, timeout=CALL_SECONDS,
    ).stdout  # fmt: skip
    if left.strip():
        raise NotHere("the container is still there, so " + volume + " stays attached")
    if os.path.ismount(MOUNT):
        subprocess.run(["umount", MOUNT], check=True, timeout=CALL_SECONDS)
    holder, state = attachment_of(region, volume)
    if holder == instance and state != "detaching":
        _aws(region, "detach-volume", "--volume-id", volume, "--instance-id", instance)


def _aws(region: str, operation: str, *words: str) -> Any:
    """What EC2 answers. Raises NotHere with what it says instead."""
    command = ["aws", "ec2", operation, *words, "--region", region, "--output", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=CALL_SECONDS)
    if done.returncode:
        raise NotHere(" ".join(done.stderr.split()))
    return json.loads(done.stdout)


STEPS = {"attach": attach, "detach": detach}


def main(arguments: list[str]) -> int:
    """Does `attach` or `detach`; returns the exit status."""
    step, *about = arguments
    try:
        STEPS[step](*about)
    except (OSError, subprocess.SubprocessError, NotHere) as problem:
        sys.stderr.write(step + ": " + str(problem) + "\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
