"""The data volume on a server, with EC2, the kernel and the commands that write to disks played."""

import ast
import json
import os
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from components.boot import volume_boot

VOLUME, HERE, OTHER = "vol-0123456789abcdef0", "i-here", "i-other"
ABOUT = ("eu-west-1", HERE, VOLUME)


class Server:
    """A server with a disk that appears once it is attached, and EC2 that gives a volume to one instance."""

    def __init__(self, folder: Path) -> None:
        self.disk, self.ran = folder / "disk", list[list[str]]()
        self.content = bytes(volume_boot.BLANK_BYTES)
        self.holder, self.state = "", "attached"
        self.refusals: list[str] = []
        self.is_known = self.is_mounted = self.has_container = False
        self.now, self.free_at = 0.0, float("inf")

    def sleep(self, seconds: float) -> None:
        """Time goes on, and whoever has the volume may let it go meanwhile."""
        self.now += seconds
        if self.now >= self.free_at and self.holder == OTHER:
            self.holder, self.state = "", "attached"

    def run(self, command: list[str], **_: Any) -> Any:
        self.ran.append(command)
        name = command[2] if command[:2] == ["aws", "ec2"] else command[0]
        return getattr(self, f"_{name.replace('-', '_').replace('.', '_')}")(command)

    @property
    def names(self) -> list[str]:
        """What was run, but for looking."""
        looking = ("describe-volumes", "blkid", "resize2fs", "docker")
        found = [command[2] if command[:2] == ["aws", "ec2"] else command[0] for command in self.ran]
        return [name for name in found if name not in looking]

    def _describe_volumes(self, command: list[str]) -> Any:
        assert VOLUME in command
        held = [{"InstanceId": self.holder, "State": self.state}] if self.holder else []
        return done(json.dumps({"Volumes": [{"Attachments": held}]}))

    def _attach_volume(self, command: list[str]) -> Any:
        if self.refusals:
            return done("", self.refusals.pop(0), 254)
        assert not self.holder
        self.holder = command[command.index("--instance-id") + 1]
        self.disk.write_bytes(self.content)
        return done("{}")

    def _detach_volume(self, command: list[str]) -> Any:
        assert command[command.index("--instance-id") + 1] == self.holder
        assert not self.is_mounted, "EC2 would wait for ever"
        self.holder = ""
        return done("{}")

    def _blkid(self, _: list[str]) -> Any:
        return done("", "", 0 if self.is_known else volume_boot.NOTHING_FOUND)

    def _mkfs_ext4(self, command: list[str]) -> Any:
        assert command[-1] == str(self.disk)
        self.is_known = True
        return done("")

    def _mount(self, command: list[str]) -> Any:
        assert self.is_known
        assert command[-2] == str(self.disk)
        self.is_mounted = True
        return done("")

    def _umount(self, _: list[str]) -> Any:
        assert not self.has_container, "a container may write to it"
        self.is_mounted = False
        return done("")

    def _resize2fs(self, _: list[str]) -> Any:
        return done("")

    def _docker(self, command: list[str]) -> Any:
        if command[1] == "rm":
            return done("", "", 1)
        return done("0f1e\n" if self.has_container else "")


def done(told: str, wrong: str = "", status: int = 0) -> Any:
    return subprocess.CompletedProcess([], status, told, wrong)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    made = Server(tmp_path)
    monkeypatch.setattr(subprocess, "run", made.run)
    monkeypatch.setattr(volume_boot, "time", SimpleNamespace(monotonic=lambda: made.now, sleep=made.sleep))
    monkeypatch.setattr(volume_boot, "MOUNT", str(tmp_path / "data"))
    monkeypatch.setattr(volume_boot, "OTHER_NAMES", (str(made.disk),))
    monkeypatch.setattr(volume_boot, "SERIALS", str(tmp_path / "nvme*" / "device" / "serial"))
    monkeypatch.setattr(os.path, "ismount", lambda _: made.is_mounted)
    return made


def test_the_script_is_python_3_9() -> None:
    ast.parse(Path(volume_boot.__file__).read_text(encoding="utf-8"), feature_version=(3, 9))


def test_a_blank_volume_is_attached_formatted_and_mounted(server: Server) -> None:
    assert volume_boot.main(["attach", *ABOUT]) == 0
    assert server.names == ["attach-volume", "mkfs.ext4", "mount"]
    assert (server.holder, server.is_mounted) == (HERE, True)


def test_a_volume_with_a_file_system_is_never_formatted(server: Server) -> None:
    server.is_known = True
    assert volume_boot.main(["attach", *ABOUT]) == 0
    assert server.names == ["attach-volume", "mount"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\0" * 5000 + b"x" + bytes(volume_boot.BLANK_BYTES - 5001), "holds what is no file system known here"),
        (b"", "holds what is no file system known here"),
    ],
    ids=["something", "too short"],
)
def test_what_is_not_surely_blank_is_left_alone(
    server: Server, capsys: pytest.CaptureFixture[str], content: bytes, told: str
) -> None:
    server.content = content
    assert volume_boot.main(["attach", *ABOUT]) == 1
    assert server.names == ["attach-volume"]
    assert told in capsys.readouterr().err


def test_a_volume_that_can_not_be_read_is_left_alone(
    server: Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> Any:
        raise OSError(5, "Input/output error")

    server.holder = HERE
    server.disk.write_bytes(b"")
    monkeypatch.setattr(volume_boot, "open", broken, raising=False)
    assert volume_boot.main(["attach", *ABOUT]) == 1
    assert server.names == []
    assert "can't be read, so it is not touched" in capsys.readouterr().err


def test_while_another_instance_has_it_this_one_waits(server: Server) -> None:
    server.holder, server.state, server.free_at = OTHER, "detaching", 20.0
    assert volume_boot.main(["attach", *ABOUT]) == 0
    assert (server.holder, server.is_mounted) == (HERE, True)
    assert 20 <= server.now < 30


def test_somebody_who_is_quicker_is_waited_for(server: Server) -> None:
    server.refusals = ["An error occurred (VolumeInUse)", "UnauthorizedOperation: the role is not there yet"]
    assert volume_boot.main(["attach", *ABOUT]) == 0
    assert server.names.count("attach-volume") == 3


def test_a_volume_that_does_not_get_free_in_time_is_told_with_who_has_it(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.holder = OTHER
    assert volume_boot.main(["attach", *ABOUT]) == 1
    told = capsys.readouterr().err
    assert told == (
        f"waiting for {VOLUME}: {OTHER} has it (attached)\n"
        f"attach: {VOLUME} could not be attached within 240 s: {OTHER} has it (attached)\n"
    )
    assert server.now >= volume_boot.ATTACH_SECONDS
    assert server.names == []


def test_after_a_crash_it_is_there_already(server: Server) -> None:
    volume_boot.main(["attach", *ABOUT])
    server.ran.clear()
    assert volume_boot.main(["attach", *ABOUT]) == 0
    assert server.names == []


def test_one_that_this_instance_is_letting_go_is_not_mounted(server: Server) -> None:
    server.holder, server.state = HERE, "detaching"
    server.disk.write_bytes(server.content)
    assert volume_boot.main(["attach", *ABOUT]) == 1
    assert not server.is_mounted


def test_on_nitro_the_device_is_found_by_the_volumes_id(server: Server, tmp_path: Path) -> None:
    for name, serial in (("nvme0", "vol0ffffffffffffffff"), ("nvme1", "vol0123456789abcdef0")):
        (tmp_path / name / "device").mkdir(parents=True)
        (tmp_path / name / "device" / "serial").write_text(f"{serial} \n")
    assert volume_boot.device_of(VOLUME) == "/dev/nvme1n1"
    assert volume_boot.device_of("vol-1") == ""


def test_stopped_it_is_unmounted_then_detached(server: Server) -> None:
    volume_boot.main(["attach", *ABOUT])
    server.ran.clear()
    assert volume_boot.main(["detach", *ABOUT]) == 0
    assert server.names == ["umount", "detach-volume"]
    assert server.holder == ""
    assert volume_boot.main(["detach", *ABOUT]) == 0


def test_while_a_container_may_write_it_stays(server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    volume_boot.main(["attach", *ABOUT])
    server.has_container = True
    assert volume_boot.main(["detach", *ABOUT]) == 1
    assert (server.holder, server.is_mounted) == (HERE, True)
    assert "the container is still there" in capsys.readouterr().err


def test_another_instances_volume_is_not_taken_away(server: Server) -> None:
    server.holder = OTHER
    assert volume_boot.main(["detach", *ABOUT]) == 0
    assert server.holder == OTHER
