"""Folders for volumes, and the lock that keeps a second writer away whatever happens."""

import os
import shutil
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from fake_machine import wait_for
from localcloud.errors import LocalCloudError
from localcloud.left import Disk, Record
from localcloud.volumes import VolumeInUse, Volumes
from small_disk import largest_file

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


def record(name: str, **changes: object) -> Record:
    known: dict[str, object] = {
        "id": name, "account": "1", "region": "eu-west-1", "zone": "eu-west-1a", "size_gib": 8,
        "created": datetime(2026, 11, 23, 12), "tags": {"Environment": "dev", "Name": "data"},  # as moto
    }  # fmt: skip
    return Record.model_validate({**known, **changes})


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*/*"))


def test_what_is_known_of_a_volume_is_read_as_it_was_written(volumes: Volumes, tmp_path: Path) -> None:
    known = [record(VOLUME, iops=3000, key="arn:key", encrypted=True), record(SNAPSHOT, source=VOLUME)]
    for each in known:
        volumes.write(each)
    assert [volumes.is_recorded(name) for name in (VOLUME, SNAPSHOT, OTHER)] == [True, True, False]
    assert Volumes(tmp_path / "volumes", tmp_path / "snapshots").take_stock() == known
    assert (tmp_path / "volumes" / "vol-01.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", ["", "{", "[]", '{"id": "vol-01"}', record(OTHER).model_dump_json()])
def test_a_record_that_is_not_whole_or_anothers_is_none_and_the_folder_stays(
    volumes: Volumes, tmp_path: Path, content: str
) -> None:
    (volumes.folder(VOLUME) / "counter").write_text("7")
    (tmp_path / "volumes" / "vol-01.json").write_text(content)
    assert volumes.take_stock() == []
    assert (volumes.unclaimed(), volumes.disks()) == ([Disk(VOLUME)], [Disk(VOLUME)])
    assert (volumes.folder(VOLUME) / "counter").read_text() == "7"


def test_what_a_killed_cloud_was_copying_or_removing_is_removed(volumes: Volumes, tmp_path: Path) -> None:
    volumes.folder(VOLUME)
    volumes.write(record(VOLUME))
    (tmp_path / "volumes" / ".vol-04.json.new").touch()
    for half in ("volumes/vol-02.gone", "volumes/vol-03.new", "snapshots/snap-01.new"):
        (tmp_path / half / "deep").mkdir(parents=True)
    assert volumes.take_stock() == [record(VOLUME)]
    assert names(tmp_path) == ["vol-01", "vol-01.json"]
    assert [disk.id for disk in volumes.unclaimed()] == [VOLUME]


def test_what_is_deleted_has_no_record_before_its_content_goes(
    volumes: Volumes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (volumes.folder(VOLUME) / "counter").write_text("7")
    volumes.write(record(VOLUME))
    seen = []
    monkeypatch.setattr(shutil, "rmtree", lambda *_, **__: seen.append(names(tmp_path)))
    volumes.drop(VOLUME)
    assert seen == [["vol-01"], ["vol-01.gone"]], "neither half a volume nor one that somebody could claim"


def test_a_snapshot_that_the_disk_does_not_take_whole_is_none(volumes: Volumes, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (volumes.folder(VOLUME) / name).write_bytes(b"x" * (1 if name == "a" else 100_000))
    with largest_file(50_000), pytest.raises(OSError, match="File too large"):
        volumes.keep(VOLUME, SNAPSHOT)
    assert names(tmp_path) == ["vol-01"]
    volumes.keep(VOLUME, SNAPSHOT)
    assert (tmp_path / "snapshots" / SNAPSHOT / "c").stat().st_size == 100_000


def test_a_record_that_the_disk_does_not_take_leaves_the_one_before(volumes: Volumes, tmp_path: Path) -> None:
    volumes.write(record(VOLUME))
    with largest_file(20), pytest.raises(OSError, match="File too large"):
        volumes.write(record(VOLUME, size_gib=16))
    assert volumes.records() == [record(VOLUME)]
    assert [path.name for path in (tmp_path / "volumes").iterdir()] == ["vol-01.json"]
