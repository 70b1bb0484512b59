"""What the nodes of a swarm find at AWS, each on loopback of its own: metadata service, API, ECR and its layers.

Run as `python -m boot.swarm_cloud FOLDER ROLES PID...` in a fresh network namespace: for each node its role, and a
process in its namespace. FOLDER holds blobs/, manifest (its digest), certificate.pem, key.pem, user-data-manager and
user-data-worker. Answers as boot.cloud does. ECR sends whoever asks for a layer to another address, as the real one.
"""

import ctypes
import json
import os
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from boot.cloud import API_PORT, CREDENTIALS, HOOK, LOG_GROUP, METADATA_ADDRESS, REGION, Metadata, Registry
from localcloud.api import gaps_autoscaling, gaps_hooks
from localcloud.api.recorder import recorded, recording
from localcloud.api.server import ApiServer

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
ECR_ADDRESS, LAYER_PORT = "127.0.0.2", 8000
ZONES = ("eu-west-1a", "eu-west-1b", "eu-west-1c")
NEW_NETWORK = 0x40000000
"""CLONE_NEWNET."""


def address(number: int) -> str:
    """Where a node is."""
    return f"10.77.0.{11 + number}"


def zone_of(number: int) -> str:
    """The zone that a node is in."""
    return ZONES[number % len(ZONES)]


class Ecr(Registry):
    """Manifests for whoever knows the password; layers are elsewhere."""

    def do_GET(self) -> None:  # noqa: N802
        """As Registry, but for layers."""
        name = self.path.rsplit("/", 1)[-1]
        if "/blobs/" in self.path and self.headers.get("Authorization"):
            self.answer(307, b"", Location=f"http://{ECR_ADDRESS}:{LAYER_PORT}/{name}")
        else:
            super().do_GET()


class Layers(Registry):
    """A store that takes no password, since the address is secret enough."""

    def do_GET(self) -> None:  # noqa: N802
        """A layer. Whoever sends a password along is refused, as S3 would."""
        found = self.blobs.get(self.path.strip("/"))
        is_asked_well = found is not None and not self.headers.get("Authorization")
        self.answer(200 if is_asked_well else 400, found if found and is_asked_well else b"")


class Passage(socketserver.BaseRequestHandler):
    """Passes a connection on to the API, which is in another namespace."""

    def handle(self) -> None:
        """Both ways, until one side ends."""
        with socket.create_connection(("127.0.0.1", API_PORT), timeout=120) as there:
            back = threading.Thread(target=self._copy, args=(there, self.request), daemon=True)
            back.start()
            self._copy(self.request, there)
            back.join(120)

    @staticmethod
    def _copy(source: Any, target: Any) -> None:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


class Passages(socketserver.ThreadingTCPServer):
    """Forgets quickly."""

    allow_reuse_address = True
    daemon_threads = True


class Account:
    """A scaling group of managers and one of workers, which hold their instances back, and a log group."""

    def __init__(self, url: str, calls: Path, roles: list[str]) -> None:
        self._calls = calls
        patience = Config(read_timeout=120, retries={"total_max_attempts": 1}, proxies={})
        session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)
        make: Any = session.client
        names = ("ec2", "autoscaling", "logs", "ssm")
        self._clients = {name: make(name, endpoint_url=url, config=patience) for name in names}
        ec2, scaling = self._clients["ec2"], self._clients["autoscaling"]
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        ec2.create_launch_template(LaunchTemplateName="node", LaunchTemplateData={"ImageId": "ami-12c6146b"})
        hook = {"LifecycleHookName": HOOK, "LifecycleTransition": gaps_hooks.LAUNCHING, "HeartbeatTimeout": 300}
        subnets = []
        for number, zone in enumerate(ZONES):
            made = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{number}.0/24", AvailabilityZone=zone)
            subnets.append(made["Subnet"]["SubnetId"])
        for role in sorted(set(roles)):
            scaling.create_auto_scaling_group(
                AutoScalingGroupName=f"{role}s",
                MinSize=roles.count(role),
                MaxSize=roles.count(role),
                LaunchTemplate={"LaunchTemplateName": "node", "Version": "1"},
                VPCZoneIdentifier=",".join(subnets),
                LifecycleHookSpecificationList=[hook],
            )
        members = scaling.describe_auto_scaling_instances()["AutoScalingInstances"]
        free = {
            role: [one["InstanceId"] for one in members if one["AutoScalingGroupName"] == f"{role}s"] for role in roles
        }
        self.instances = [free[role].pop(0) for role in roles]
        self._clients["logs"].create_log_group(logGroupName=LOG_GROUP)

    def terminate(self, instance: str) -> None:
        """Takes an instance out of its group, for good."""
        self._clients["autoscaling"].terminate_instance_in_auto_scaling_group(
            InstanceId=instance, ShouldDecrementDesiredCapacity=False
        )

    def seen(self) -> dict[str, Any]:
        """States by instance, calls of the instances, kinds and values of parameters, lines that were logged."""
        logs, ssm = self._clients["logs"], self._clients["ssm"]
        members = self._clients["autoscaling"].describe_auto_scaling_instances()["AutoScalingInstances"]
        parameters = ssm.get_parameters_by_path(Path="/teal", Recursive=True, WithDecryption=True)["Parameters"]
        streams = [one["logStreamName"] for one in logs.describe_log_streams(logGroupName=LOG_GROUP)["logStreams"]]
        return {
            "instances": self.instances,
            "states": {one["InstanceId"]: one["LifecycleState"] for one in members},
            "calls": [line.call for line in recorded(self._calls) if line.who == CREDENTIALS["AccessKeyId"]],
            "parameters": {one["Name"]: [one["Type"], one["Value"]] for one in parameters},
            "logged": {
                stream: [
                    event["message"]
                    for event in logs.get_log_events(logGroupName=LOG_GROUP, logStreamName=stream)["events"]
                ]
                for stream in streams
            },
        }


def inside(pid: int, make: Callable[[], Any]) -> Any:
    """What make returns, its sockets in the network namespace of a process."""
    made: list[Any] = []

    def run() -> None:
        namespace = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
        assert ctypes.CDLL(None, use_errno=True).setns(namespace, NEW_NETWORK) == 0, os.strerror(ctypes.get_errno())
        os.close(namespace)
        made.append(make())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(10)
    return made[0]


class Node:
    """What one node finds on its loopback."""

    def __init__(self, folder: Path, pid: int, role: str, number: int, instance: str) -> None:
        document = {"availabilityZone": zone_of(number), "region": REGION, "instanceId": instance}
        tree = {
            "api": {},
            "user-data": (folder / f"user-data-{role}").read_text(),
            "dynamic": {"instance-identity": {"document": json.dumps(document)}},
            "meta-data": {
                "instance-id": instance,
                "local-hostname": f"ip-10-77-0-{11 + number}",
                "local-ipv4": address(number),
                "placement": {"availability-zone": zone_of(number), "region": REGION},
                "iam": {"security-credentials": {f"{role}-role": json.dumps(CREDENTIALS)}},
            },
        }
        metadata = type("OwnMetadata", (Metadata,), {"tree": tree, "asked": []})
        self.ecr: Any = type("OwnEcr", (Ecr,), {"asked": []})
        self.layers: Any = type("OwnLayers", (Layers,), {"asked": []})
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
        ecr = inside(pid, lambda: ThreadingHTTPServer((ECR_ADDRESS, 443), self.ecr))
        ecr.socket = context.wrap_socket(ecr.socket, server_side=True)
        serve(ecr)
        serve(inside(pid, lambda: ThreadingHTTPServer((METADATA_ADDRESS, 80), metadata)))
        serve(inside(pid, lambda: ThreadingHTTPServer((ECR_ADDRESS, LAYER_PORT), self.layers)))
        serve(inside(pid, lambda: Passages(("127.0.0.1", API_PORT), Passage)))


def serve(server: Any) -> None:
    """Until this process ends."""
    threading.Thread(target=server.serve_forever, daemon=True).start()


def main(folder: Path, roles: list[str], pids: list[int]) -> None:
    """Serves until standard input closes; a line of it is `?`, or the id of an instance to terminate."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True, timeout=10)
    gaps_autoscaling.install()
    gaps_hooks.install()
    Registry.blobs = {path.name: path.read_bytes() for path in (folder / "blobs").iterdir()}
    Registry.manifest = (folder / "manifest").read_text()
    with ApiServer([recording(folder / "calls.jsonl")], API_PORT) as api:
        account = Account(api.url, folder / "calls.jsonl", roles)
        nodes = [
            Node(folder, pid, role, number, account.instances[number])
            for number, (role, pid) in enumerate(zip(roles, pids, strict=True))
        ]
        print("listening", flush=True)  # noqa: T201
        for line in sys.stdin:
            if line.strip() != "?":
                account.terminate(line.strip())
            told = {**account.seen(), "ecr": [node.ecr.asked for node in nodes]}
            told["layers"] = [node.layers.asked for node in nodes]
            print(json.dumps(told), flush=True)  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2].split(","), [int(pid) for pid in sys.argv[3:]])
