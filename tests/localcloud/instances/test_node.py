import base64
import json
from typing import Any

import pytest
import yaml

from components.boot.swarm_user_data import Node as Told
from components.boot.swarm_user_data import node_user_data
from localcloud.instances.errors import InstanceError
from localcloud.instances.node import Node, node_from_user_data


def user_data(content: Any) -> str:
    return "#cloud-config\n" + yaml.safe_dump({"write_files": [{"path": "/etc/teal/swarm.json", "content": content}]})


@pytest.mark.parametrize("role", ["manager", "worker"])
def test_what_nodes_are_told_at_boot_is_understood(role: str) -> None:
    text = node_user_data(
        Told(cluster="dev", role=role, parameters="/p", identity="sg-1", key="", pool="100.64.0.0/16")
    )
    assert node_from_user_data(base64.b64encode(text.encode()).decode()) == Node(cluster="dev", role=role)


@pytest.mark.parametrize("text", ["", "#!/bin/sh\n", "#cloud-config\nwrite_files: []\n"])
def test_other_user_data_makes_no_node(text: str) -> None:
    assert node_from_user_data(text) is None


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "swarm.json is not JSON"),
        ("[]", "must be a JSON object with a cluster"),
        (json.dumps({"role": "worker"}), "must be a JSON object with a cluster"),
        (json.dumps({"cluster": "dev", "role": "guest"}), "role in /etc/teal/swarm.json must be worker or manager"),
        (7, "has no text as its content"),
    ],
)
def test_what_cannot_be_followed_is_told(content: Any, told: str) -> None:
    with pytest.raises(InstanceError, match=told):
        node_from_user_data(user_data(content))
