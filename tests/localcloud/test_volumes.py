"""Folders for volumes, and the lock that keeps a second writer away whatever happens."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fake_machine import wait_for
from localcloud.errors import LocalCloudError
from localcloud.volumes import VolumeInUse, Volumes

VOLUME, OTHER, SNAPSHOT = "vol-01", "vol-02", "snap-01"


@pytest.fixture
def volumes(tmp_path: Path) -> Volumes:
    return Volumes(tmp_path / "volumes", tmp_path / "snapshots")


def test_a_new_volume_is_blank_and_whoever_an_image_runs_as_may_write_to_it(volumes: Volumes) -> None:
    before = os.umask(0o077)
    try:
        folder = volumes.folder(VOLUME)
    finally:
        os.umask(before)
    assert list(folder.iterdir()) == []
    assert folder.stat().st_mode & 0o777 == 0o777
    (folder / "counter").write_text("7")
    assert (volumes.folder(VOLUME) / "counter").read_text() == "7"


def test_a_lock_is_one_instances_and_volumes_have_one_each(volumes: Volumes) -> None:
    first, other = volumes.lock(VOLUME), volumes.lock(OTHER)
    with pytest.raises(VolumeInUse, match="vol-01 is in use by another instance"):
        volumes.lock(VOLUME)
    os.close(first)
    os.close(volumes.lock(VOLUME))
    os.close(other)


def test_a_process_that_inherits_it_holds_it_until_it_ends_however_that_is(volumes: Volumes) -> None:
    handle = volumes.lock(VOLUME)
    sleeper = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE, pass_fds=[handle])
    os.close(handle)  # as when the cloud that started it is killed
    with pytest.raises(VolumeInUse):
        volumes.lock(VOLUME)
    sleeper.send_signal(signal.SIGKILL)
    sleeper.communicate(timeout=10)
    os.close(volumes.lock(VOLUME))


def test_a_lock_goes_to_nobody_who_was_not_meant(volumes: Volumes) -> None:
    handle = volumes.lock(VOLUME)
    stranger = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE, close_fds=False)
    os.close(handle)
    try:
        # Popen returns when the new program begins, which may be a moment before the kernel closes its descriptors.
        wait_for(lambda: _is_free(volumes))
        assert stranger.poll() is None
    finally:
        stranger.communicate(b"\n", timeout=10)


def _is_free(volumes: Volumes) -> bool:
    try:
        os.close(volumes.lock(VOLUME))
    except VolumeInUse:
        return False
    return True


def test_a_snapshot_is_what_was_there_and_fills_a_new_volume(volumes: Volumes) -> None:
    folder = volumes.folder(VOLUME)
    (folder / "deep").mkdir()
    (folder / "deep" / "counter").write_text("7")
    with volumes.still(VOLUME):
        volumes.keep(VOLUME, SNAPSHOT)
    (folder / "deep" / "counter").write_text("8")
    volumes.restore(SNAPSHOT, OTHER)
    assert (volumes.folder(OTHER) / "deep" / "counter").read_text() == "7"
    assert volumes.folder(OTHER).stat().st_mode & 0o777 == 0o777


def test_a_volume_is_not_still_while_somebody_writes_to_it(volumes: Volumes) -> None:
    handle = volumes.lock(VOLUME)
    with pytest.raises(VolumeInUse), volumes.still(VOLUME):
        raise AssertionError("it was")
    os.close(handle)


def test_a_volume_that_was_never_used_has_an_empty_snapshot(volumes: Volumes) -> None:
    volumes.keep(VOLUME, SNAPSHOT)
    volumes.restore(SNAPSHOT, OTHER)
    assert list(volumes.folder(OTHER).iterdir()) == []


def test_what_is_deleted_is_gone(volumes: Volumes, tmp_path: Path) -> None:
    os.close(volumes.lock(VOLUME))
    (volumes.folder(VOLUME) / "counter").write_text("7")
    volumes.keep(VOLUME, SNAPSHOT)
    for each in (VOLUME, SNAPSHOT, "vol-03"):
        volumes.drop(each)
    assert [path.name for path in tmp_path.glob("*/*")] == []


@pytest.mark.parametrize("strange", ["../vol-01", "vol-01/..", "", "vol-", "ami-01"])
def test_an_id_that_is_none_reaches_no_folder(volumes: Volumes, strange: str) -> None:
    with pytest.raises(LocalCloudError, match="is no id of a volume or snapshot"):
        volumes.folder(strange)
