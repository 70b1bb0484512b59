"""What a node of a swarm is told at boot: cloud-config that installs Docker and has the node join."""

import base64
import bz2
import io
import json
import tarfile
from dataclasses import asdict, dataclass
from pathlib import Path

from .instance_boot import HOOK
from .user_data import cloud_config

SWARM_FILE = "/etc/teal/swarm.json"
FOLDER = "/usr/local/lib/teal/"
UNIT_FOLDER = "/etc/systemd/system/"
ARCHIVE_FILE = FOLDER + "swarm.tar.bz2"
UNPACK = f"import tarfile; tarfile.open('{ARCHIVE_FILE}').extractall('/')"
COMMON = ("swarm_boot.py", "teal-swarm.service")
BY_ROLE = {"manager": ("swarm_tend.py",), "worker": ("swarm_door.py", "teal-door.service")}

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """What a node is to be, as its file has it."""

    cluster: str
    """The environment."""
    role: str
    """manager or worker."""
    parameters: str
    """Path of the SSM parameters that nodes find each other by."""
    identity: str
    """What no other swarm has, nor an earlier one of the same environment."""
    key: str
    """KMS key that encrypts tokens; empty for SSM's own."""
    pool: str
    """IPv4 block that overlay networks get their addresses from."""
    hook: str = HOOK
    """The scaling group's lifecycle hook that the node completes."""


def node_user_data(node: Node) -> str:
    """Cloud-config, as plain text; the same for the same node. Raises ValueError when EC2 would refuse its length."""
    names = (*COMMON, *BY_ROLE[node.role])
    units = sorted(name for name in names if name.endswith(".service"))
    packed = _file(ARCHIVE_FILE, base64.b64encode(archive(names)).decode(), "0644")
    return cloud_config(
        {
            "preserve_hostname": True,  # the node's name is one that managers know its instance and zone by
            "packages": ["docker"],
            "write_files": [_file(SWARM_FILE, json.dumps(asdict(node)), "0644"), {**packed, "encoding": "b64"}],
            "runcmd": [
                ["python3", "-c", UNPACK],
                ["python3", FOLDER + "swarm_boot.py", "prepare"],
                ["systemctl", "daemon-reload"],
                ["systemctl", "enable", "docker.service"],
                ["systemctl", "restart", "docker.service"],
                *(["systemctl", "enable", "--now", "--no-block", unit] for unit in units),
            ],
        }
    )


def archive(names: tuple[str, ...]) -> bytes:
    """These files of ours, each at its place, as tar.bz2; in plain they would be longer than EC2 takes.

    By bzip2, since it gives the same bytes on every machine: zlib has implementations that differ, and user data that
    differs is another version of the launch template.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in names:
            content = (_HERE / name).read_bytes()
            entry = tarfile.TarInfo((UNIT_FOLDER if name.endswith(".service") else FOLDER).lstrip("/") + name)
            entry.size, entry.mode = len(content), 0o644
            tar.addfile(entry, io.BytesIO(content))
    return bz2.compress(buffer.getvalue())


def _file(path: str, content: str, mode: str) -> dict[str, str]:
    return {"path": path, "owner": "root:root", "permissions": mode, "content": content}
