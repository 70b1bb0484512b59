"""For tests of the command line: what came of a command, an engine that does nothing, and a cloud without a daemon."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import psutil

from localcloud.api.server import WsgiApp
from localcloud.home import CloudRecord, Home
from localcloud.provider.api import Api

REGION = "ca-central-1"
"""Nobody else's: moto keeps one state for all servers of a process."""
FAKE_PULUMI = """#!/bin/sh
echo "$*" >> "$(dirname "$0")/calls"
case "$*" in
    version) echo v3.259.0 ;;
    *" up "*) trap 'echo told >> "$(dirname "$0")/told"; exit 255' INT; touch "$(dirname "$0")/busy"
        while :; do sleep 0.05; done ;;
esac
"""


@dataclass(frozen=True)
class Ended:
    """What came of a command."""

    code: int
    out: str
    err: str

    @property
    def told(self) -> str:
        """The one line on standard error that is no progress."""
        lines = [line for line in self.err.splitlines() if not line.startswith(("✓", "✗", "…", "  "))]
        assert len(lines) == 1, self.err
        assert "Traceback" not in self.err
        return lines[0]


Teal = Callable[..., Ended]


@dataclass
class FakeCloud:
    """An API and a status, as a daemon would serve them; this process stands for the daemon."""

    current: ClassVar["FakeCloud"]
    home: Home
    api: Api
    status: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {"instances": [], "listeners": []})
    is_broken: bool = False
    """Whether the API answers 500 to everything."""
    _added: dict[str, str] = field(default_factory=dict)

    def add_instance(self, number: int, group: str, zone: str, health: str = "healthy", reason: str = "") -> None:
        self.status["instances"].append(
            {
                "id": f"i-{number:017x}", "scaling_group": group, "colour": "blue", "zone": zone,
                "address": f"127.16.0.{number}:8080", "health": health, "state": "InService", "reason": reason,
                "digest": "sha256:" + "0a" * 32, "pid": None,
            }
        )  # fmt: skip

    def add_stack(self, stack: str, *zones: str) -> str:
        """A stack with a load balancer and an instance in each zone; its URL."""
        tags = [{"Key": "Environment", "Value": stack}]
        subnets = self.api.call("ec2", "describe_subnets")["Subnets"]
        made = self.api.call(
            "elbv2", "create_load_balancer", Name=f"{stack}-web", Subnets=[s["SubnetId"] for s in subnets[:2]],
            Tags=tags,
        )  # fmt: skip
        template = {"ImageId": "ami-12c6146b", "InstanceType": "t3.micro"}
        self.api.call("ec2", "create_launch_template", LaunchTemplateName=f"{stack}-blue", LaunchTemplateData=template)
        self.api.call(
            "autoscaling", "create_auto_scaling_group", AutoScalingGroupName=f"{stack}-blue", MinSize=0, MaxSize=0,
            AvailabilityZones=[f"{REGION}a"], LaunchTemplate={"LaunchTemplateName": f"{stack}-blue", "Version": "1"},
            Tags=[{**tags[0], "PropagateAtLaunch": True}],
        )  # fmt: skip
        url = f"http://127.0.0.1:{40000 + len(self.status['listeners'])}"
        arn = self._added[stack] = made["LoadBalancers"][0]["LoadBalancerArn"]
        self.status["listeners"].append({"load_balancer_arn": arn, "protocol": "HTTP", "port": 80, "url": url})
        for number, zone in enumerate(zones, len(self.status["instances"]) + 1):
            self.add_instance(number, f"{stack}-blue", zone)
        return url

    def clear(self) -> None:
        """Removes what was added."""
        for stack, arn in self._added.items():
            self.api.call("autoscaling", "delete_auto_scaling_group", AutoScalingGroupName=f"{stack}-blue")
            self.api.call("elbv2", "delete_load_balancer", LoadBalancerArn=arn)
            self.api.call("ec2", "delete_launch_template", LaunchTemplateName=f"{stack}-blue")


def record_of(process: psutil.Process, api_url: str = "http://127.0.0.1:9") -> CloudRecord:
    return CloudRecord(
        pid=process.pid, started=process.create_time(), mark="none", api_url=api_url, providers={"aws": 1, "docker": 2}
    )


def breaking(api: WsgiApp) -> WsgiApp:
    """Around an API: answers 500 where the current cloud is broken."""

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if not FakeCloud.current.is_broken:
            return api(environ, start_response)
        start_response("500 Internal Server Error", [("Content-Type", "text/html"), ("Content-Length", "4")])
        return [b"oops"]

    return application
