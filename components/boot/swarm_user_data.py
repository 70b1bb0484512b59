"""What a node of a swarm is told at boot: cloud-config that installs Docker and has the node join."""

import json
from dataclasses import asdict, dataclass

from .archive import FOLDER, UNPACK, packed, written
from .instance_boot import HOOK
from .user_data import cloud_config

SWARM_FILE = "/etc/teal/swarm.json"
COMMON = ("swarm_boot.py", "teal-swarm.service")
BY_ROLE = {"manager": ("swarm_tend.py",), "worker": ("swarm_door.py", "teal-door.service")}


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
    return cloud_config(
        {
            "preserve_hostname": True,  # the node's name is one that managers know its instance and zone by
            "packages": ["docker"],
            "write_files": [written(SWARM_FILE, json.dumps(asdict(node))), packed(names)],
            "runcmd": [
                list(UNPACK),
                ["python3", FOLDER + "swarm_boot.py", "prepare"],
                ["systemctl", "daemon-reload"],
                ["systemctl", "enable", "docker.service"],
                ["systemctl", "restart", "docker.service"],
                *(["systemctl", "enable", "--now", "--no-block", unit] for unit in units),
            ],
        }
    )
