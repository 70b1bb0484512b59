"""What an instance finds at AWS, in a network namespace of its own: metadata service, registry, API.

Run as `python -m boot.cloud FOLDER` in a fresh network namespace. FOLDER holds user-data, blobs/ and manifest (its
digest). Answers on standard output: a line once all listen, then one for each line on standard input, until it closes.
A data volume is there from the beginning, and another server has it until the line `let go`.
The API is moto with our mends; the registry asks for the password that this API hands out.
"""

import base64
import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import boto3
from botocore.config import Config

from boot.image import MANIFEST_TYPE
from localcloud.api import gaps_autoscaling, gaps_hooks, refusals_ec2
from localcloud.api.recorder import recorded, recording
from localcloud.api.server import ApiServer

METADATA_ADDRESS = "169.254.169.254"
REGISTRY_PORT, API_PORT = 5000, 4566
REGION, ZONE, LOG_GROUP, HOOK = "eu-west-1", "eu-west-1a", "shop-app", "ready"
PASSWORD = "123456789012-auth-token"
"""What moto's ECR answers; the test looks for it everywhere."""
VOLUME = "vol-00000000000000000"
"""Stands in user data for the id that moto draws."""
SESSION = "a-session-token"
CREDENTIALS = {
    "Code": "Success",
    "LastUpdated": "2026-01-01T00:00:00Z",
    "Type": "AWS-HMAC",
    "AccessKeyId": "ASIALOCAL",
    "SecretAccessKey": "local",
    "Token": "local",
    "Expiration": "2036-01-01T00:00:00Z",
}


class Handler(BaseHTTPRequestHandler):
    """Quiet, and writes down what it is asked for."""

    protocol_version = "HTTP/1.1"
    asked: ClassVar[list[str]]

    def answer(self, status: int, content: bytes, **headers: str) -> None:
        """The whole answer."""
        self.asked.append(f"{self.command} {self.path} {status}")
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


class Metadata(Handler):
    """The metadata service, version 2: whoever has no session token gets nothing."""

    tree: ClassVar[dict[str, Any]]

    def do_PUT(self) -> None:
        """Hands out the session token."""
        self.answer(200, SESSION.encode(), X_aws_ec2_metadata_token_ttl_seconds="21600")

    def do_GET(self) -> None:
        """A leaf, or the list of what is below; any version of the API is good."""
        if self.headers.get("X-aws-ec2-metadata-token") != SESSION:
            self.answer(401, b"")
            return
        found: Any = self.tree
        for part in self.path.split("?")[0].strip("/").split("/")[1:]:
            found = found.get(part) if isinstance(found, dict) else None
        if isinstance(found, dict):
            found = "\n".join(f"{name}/" if isinstance(below, dict) else name for name, below in found.items())
        self.answer(404 if found is None else 200, (found or "").encode())


class Registry(Handler):
    """A registry that is read by whoever knows the password."""

    blobs: ClassVar[dict[str, bytes]]
    manifest: ClassVar[str]

    def do_GET(self) -> None:
        """The version check, a manifest or a blob."""
        known = base64.b64encode(f"AWS:{PASSWORD}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {known}":
            self.answer(401, b"{}", WWW_Authenticate='Basic realm="ecr"')
            return
        digest = self.path.rsplit("/", 1)[-1]
        if self.path == "/v2/":
            self.answer(200, b"{}")
        elif digest in self.blobs:
            kind = MANIFEST_TYPE if digest == self.manifest else "application/octet-stream"
            self.answer(200, self.blobs[digest], Docker_Content_Digest=digest, Content_Type=kind)
        else:
            self.answer(404, b"{}")

    def do_HEAD(self) -> None:
        """The same without a body."""
        self.do_GET()


class Account:
    """A scaling group with one instance that it holds back, and a log group, at the API."""

    def __init__(self, url: str, calls: Path) -> None:
        self._calls = calls
        patience = Config(read_timeout=120, retries={"total_max_attempts": 1}, proxies={})
        session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)
        make: Any = session.client
        self._clients = {name: make(name, endpoint_url=url, config=patience) for name in ("ec2", "autoscaling", "logs")}
        ec2, autoscaling = self._clients["ec2"], self._clients["autoscaling"]
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24", AvailabilityZone=ZONE)["Subnet"]["SubnetId"]
        ec2.create_launch_template(LaunchTemplateName="blue", LaunchTemplateData={"ImageId": "ami-12c6146b"})
        hook = {"LifecycleHookName": HOOK, "LifecycleTransition": gaps_hooks.LAUNCHING, "HeartbeatTimeout": 180}
        autoscaling.create_auto_scaling_group(
            AutoScalingGroupName="blue-group",
            MinSize=1,
            MaxSize=1,
            LaunchTemplate={"LaunchTemplateName": "blue", "Version": "1"},
            VPCZoneIdentifier=subnet,
            LifecycleHookSpecificationList=[hook],
        )
        self._clients["logs"].create_log_group(logGroupName=LOG_GROUP)
        self.volume_id = str(ec2.create_volume(AvailabilityZone=ZONE, Size=1)["VolumeId"])
        launched = ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1, SubnetId=subnet)["Instances"]
        self._other = str(launched[0]["InstanceId"])
        ec2.attach_volume(VolumeId=self.volume_id, InstanceId=self._other, Device="/dev/sdf")
        self.instance_id = str(self._member()["InstanceId"])

    def _member(self) -> Any:
        return self._clients["autoscaling"].describe_auto_scaling_instances()["AutoScalingInstances"][0]

    def let_go(self) -> None:
        """The other server gives the volume back."""
        self._clients["ec2"].detach_volume(VolumeId=self.volume_id, InstanceId=self._other)

    def _holders(self) -> list[str]:
        [volume] = self._clients["ec2"].describe_volumes(VolumeIds=[self.volume_id])["Volumes"]
        return [attachment["InstanceId"] for attachment in volume["Attachments"]]

    def seen(self) -> dict[str, Any]:
        """The instance's state, the calls of the instance, and the lines that were logged, by stream."""
        logs = self._clients["logs"]
        streams = [one["logStreamName"] for one in logs.describe_log_streams(logGroupName=LOG_GROUP)["logStreams"]]
        return {
            "instance": self.instance_id,
            "state": self._member()["LifecycleState"],
            "volume": self.volume_id,
            "holders": self._holders(),
            "calls": [line.call for line in recorded(self._calls) if line.who == CREDENTIALS["AccessKeyId"]],
            "logged": {
                stream: [
                    event["message"]
                    for event in logs.get_log_events(logGroupName=LOG_GROUP, logStreamName=stream)["events"]
                ]
                for stream in streams
            },
        }


def main(folder: Path) -> None:
    """Serves until standard input closes."""
    for command in ("link set lo up", f"address add {METADATA_ADDRESS}/32 dev lo"):
        subprocess.run(["ip", *command.split()], check=True, timeout=10)
    gaps_autoscaling.install()
    gaps_hooks.install()
    refusals_ec2.install()
    with ApiServer([recording(folder / "calls.jsonl")], API_PORT) as api:
        account = Account(api.url, folder / "calls.jsonl")
        document = {"availabilityZone": ZONE, "region": REGION, "instanceId": account.instance_id}
        Metadata.asked, Registry.asked = [], []
        Metadata.tree = {
            "api": {},
            "user-data": (folder / "user-data").read_text().replace(VOLUME, account.volume_id),
            "dynamic": {"instance-identity": {"document": json.dumps(document)}},
            "meta-data": {
                "instance-id": account.instance_id,
                "local-hostname": "ip-10-0-0-4",
                "placement": {"availability-zone": ZONE, "region": REGION},
                "iam": {"security-credentials": {"blue-role": json.dumps(CREDENTIALS)}},
            },
        }
        Registry.blobs = {path.name: path.read_bytes() for path in (folder / "blobs").iterdir()}
        Registry.manifest = (folder / "manifest").read_text()
        for address, handler in (((METADATA_ADDRESS, 80), Metadata), (("127.0.0.1", REGISTRY_PORT), Registry)):
            threading.Thread(target=ThreadingHTTPServer(address, handler).serve_forever, daemon=True).start()
        print("listening", flush=True)  # noqa: T201
        for line in sys.stdin:
            if line == "let go\n":
                account.let_go()
            told = {**account.seen(), "metadata": Metadata.asked, "registry": Registry.asked}
            print(json.dumps(told), flush=True)  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]))
