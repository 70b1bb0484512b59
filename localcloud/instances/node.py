"""Whether an instance is a node of a swarm: another entry of its cloud-config that the embedded cloud reads."""

import json
from dataclasses import dataclass
from typing import Any

from localcloud.instances.container import written_file
from localcloud.instances.errors import InstanceError

SWARM_FILE = "/etc/teal/swarm.json"
WORKER, MANAGER = "worker", "manager"


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """What a node's user data says of it."""

    cluster: str
    role: str
    """worker or manager."""


def node_from_user_data(user_data: str) -> Node | None:
    """The node that user data, plain or base64, makes of an instance; None where it makes it none.

    Raises InstanceError, saying what is wrong, for user data that can't be followed.
    """
    content = written_file(user_data, SWARM_FILE)
    return None if content is None else _node(content)


def _node(content: str) -> Node:
    try:
        found: Any = json.loads(content)
    except ValueError as error:
        raise InstanceError(f"{SWARM_FILE} is not JSON: {error}") from error
    if not isinstance(found, dict) or not isinstance(found.get("cluster"), str):
        raise InstanceError(f"{SWARM_FILE} must be a JSON object with a cluster")
    if found.get("role") not in (WORKER, MANAGER):
        raise InstanceError(f"role in {SWARM_FILE} must be {WORKER} or {MANAGER}, got {found.get('role')!r}")
    return Node(cluster=found["cluster"], role=found["role"])
