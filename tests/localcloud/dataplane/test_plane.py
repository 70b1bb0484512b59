"""The whole data plane between a real moto server and real Envoy; instances are small HTTP servers.

All of it takes longer than a quick test may, hence the marker.
"""

import base64
import itertools
import os
import signal
import ssl
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from cryptography import x509

from localcloud.api import gaps_autoscaling
from localcloud.api.server import ApiServer
from localcloud.dataplane.observe import api_client
from localcloud.dataplane.plane import DataPlane
from traffic_world import FakeRunner, eventually, load_on

pytestmark = pytest.mark.engine

NUMBERS = itertools.count()


class Stack:
    """One environment as the program would declare it: two target groups behind a listener, and scaling groups."""

    def __init__(self, api: str) -> None:
        self.number = next(NUMBERS)
        self.elbv2, self.ec2, self.autoscaling, self.cloudwatch = (
            api_client(service, "eu-west-1", api) for service in ("elbv2", "ec2", "autoscaling", "cloudwatch")
        )
        self.vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.subnets = [self._subnet(place, zone) for place, zone in enumerate("ab")]
        name = f"web-{self.number}"
        self.balancer = self.elbv2.create_load_balancer(Name=name, Subnets=self.subnets)["LoadBalancers"][0]
        self.groups = {colour: self._group(colour) for colour in ("blue", "green")}
        self.listener = self.elbv2.create_listener(
            LoadBalancerArn=self.balancer["LoadBalancerArn"],
            Port=80,
            Protocol="HTTP",
            DefaultActions=self.shares(100, 0),
        )["Listeners"][0]["ListenerArn"]

    def _subnet(self, place: int, zone: str) -> str:
        subnet = self.ec2.create_subnet(
            VpcId=self.vpc, CidrBlock=f"10.0.{place}.0/24", AvailabilityZone=f"eu-west-1{zone}"
        )
        return str(subnet["Subnet"]["SubnetId"])

    def _group(self, colour: str) -> str:
        group = self.elbv2.create_target_group(
            Name=f"{colour}-{self.number}",
            Protocol="HTTP",
            Port=RUNNER.port,
            VpcId=self.vpc,
            HealthCheckPath="/readyz",
            HealthCheckIntervalSeconds=5,
            HealthCheckTimeoutSeconds=2,
            HealthyThresholdCount=2,
        )["TargetGroups"][0]["TargetGroupArn"]
        delay = {"Key": "deregistration_delay.timeout_seconds", "Value": "20"}
        self.elbv2.modify_target_group_attributes(TargetGroupArn=group, Attributes=[delay])
        return str(group)

    def shares(self, blue: int, green: int) -> list[dict[str, object]]:
        weights = {"blue": blue, "green": green}
        shares = [{"TargetGroupArn": self.groups[colour], "Weight": weight} for colour, weight in weights.items()]
        return [{"Type": "forward", "ForwardConfig": {"TargetGroups": shares}}]

    def scaling_group(self, colour: str, size: int, user_data: str | None = None) -> str:
        name = f"{colour}-{self.number}-{next(NUMBERS)}"
        encoded = base64.b64encode((user_data or colour).encode()).decode()
        template = self.ec2.create_launch_template(
            LaunchTemplateName=name, LaunchTemplateData={"ImageId": "ami-12c6146b", "UserData": encoded}
        )["LaunchTemplate"]["LaunchTemplateId"]
        self.autoscaling.create_auto_scaling_group(
            AutoScalingGroupName=name,
            MinSize=0,
            MaxSize=9,
            DesiredCapacity=size,
            LaunchTemplate={"LaunchTemplateId": template, "Version": "1"},
            VPCZoneIdentifier=",".join(self.subnets),
            TargetGroupARNs=[self.groups[colour]],
        )
        return name

    def health(self, colour: str) -> dict[str, tuple[str, str | None]]:
        answer = self.elbv2.describe_target_health(TargetGroupArn=self.groups[colour])["TargetHealthDescriptions"]
        return {
            entry["Target"]["Id"]: (entry["TargetHealth"]["State"], entry["TargetHealth"].get("Reason"))
            for entry in answer
        }

    def url(self, plane: DataPlane) -> str:
        arn = self.balancer["LoadBalancerArn"]
        return str(eventually(lambda: [one.url for one in plane.listeners() if one.load_balancer_arn == arn])[0])


RUNNER = FakeRunner()


@pytest.fixture(scope="module")
def api() -> Iterator[str]:
    gaps_autoscaling.install()
    with ApiServer() as server:
        yield server.url


@pytest.fixture(scope="module")
def plane(api: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataPlane]:
    plane = DataPlane(api, ("eu-west-1",), tmp_path_factory.mktemp("plane"), RUNNER, metrics_seconds=1.0)
    plane.start()
    yield plane
    plane.stop()


@pytest.fixture
def stack(api: str) -> Iterator[Stack]:
    stack = Stack(api)
    yield stack
    for group in stack.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]:
        stack.autoscaling.delete_auto_scaling_group(
            AutoScalingGroupName=group["AutoScalingGroupName"], ForceDelete=True
        )
    stack.elbv2.delete_load_balancer(LoadBalancerArn=stack.balancer["LoadBalancerArn"])


def serving(plane: DataPlane, stack: Stack, colour: str, count: int) -> list[str]:
    """Waits until so many instances of a colour serve; their ids."""
    plane.wake()

    def healthy() -> list[str] | None:
        ids = [target for target, (state, _) in stack.health(colour).items() if state == "healthy"]
        return ids if len(ids) == count else None

    found: list[str] = eventually(healthy, 20)
    return found


def name_at(url: str) -> str:
    try:
        return str(httpx.get(url, trust_env=False, timeout=5).json()["name"])
    except (httpx.HTTPError, ValueError):
        return ""


def test_a_scaling_group_serves_from_two_zones(plane: DataPlane, stack: Stack) -> None:
    stack.scaling_group("blue", 2)
    ids = serving(plane, stack, "blue", 2)
    url = stack.url(plane)
    assert {name_at(url) for _ in range(10)} == set(ids)
    seen = [one for one in plane.status() if one.id in ids]
    assert {(one.zone, one.health, one.state, one.colour) for one in seen} == {
        ("eu-west-1a", "healthy", "running", "blue"),
        ("eu-west-1b", "healthy", "running", "blue"),
    }


def test_weights_changed_by_the_api_hold_within_a_second_and_lose_no_request(plane: DataPlane, stack: Stack) -> None:
    stack.scaling_group("blue", 1)
    stack.scaling_group("green", 1)
    [blue], [green] = serving(plane, stack, "blue", 1), serving(plane, stack, "green", 1)
    with load_on(stack.url(plane), clients=2) as load:
        time.sleep(0.5)
        stack.elbv2.modify_listener(ListenerArn=stack.listener, DefaultActions=stack.shares(0, 100))
        plane.wake()
        changed = time.monotonic()
        time.sleep(1.5)
    assert load.failures == []
    assert load.names[green] > 0
    last_blue = max(moment - changed for moment, name in load.recent if name == blue)
    print(f"weights in effect after {last_blue:.2f} s")  # noqa: T201
    assert last_blue < 1.0


def test_an_instance_killed_is_replaced_and_serving_within_ten_seconds(plane: DataPlane, stack: Stack) -> None:
    stack.scaling_group("blue", 1)
    [victim] = serving(plane, stack, "blue", 1)
    url = stack.url(plane)
    os.kill(RUNNER.lives[victim].pid, signal.SIGKILL)
    killed = time.monotonic()
    replacement = eventually(lambda: name_at(url) not in ("", victim) and name_at(url), 10)
    print(f"replaced and serving after {time.monotonic() - killed:.2f} s")  # noqa: T201
    eventually(lambda: victim not in stack.health("blue"))
    assert [one.id for one in plane.status() if one.scaling_group.startswith(f"blue-{stack.number}-")] == [replacement]


def test_scaling_in_drains_before_it_stops(plane: DataPlane, stack: Stack) -> None:
    scaling_group = stack.scaling_group("blue", 1)
    [only] = serving(plane, stack, "blue", 1)
    url, answers = stack.url(plane), []
    asking = threading.Thread(target=lambda: answers.append(httpx.get(f"{url}/slow", trust_env=False, timeout=10)))
    asking.start()
    time.sleep(0.3)
    stack.autoscaling.set_desired_capacity(AutoScalingGroupName=scaling_group, DesiredCapacity=0)
    plane.wake()
    eventually(lambda: stack.health("blue").get(only) == ("draining", "Target.DeregistrationInProgress"))
    asking.join(10)
    assert [answer.status_code for answer in answers] == [200]
    eventually(lambda: not any(one.id == only for one in plane.status()))
    assert stack.health("blue") == {}


def test_instances_that_cannot_start_say_why(plane: DataPlane, stack: Stack) -> None:
    stack.scaling_group("blue", 1, "bad")
    stack.scaling_group("green", 1, "none")
    plane.wake()

    def states() -> dict[str, str] | None:
        found = {
            one.state: one.reason for one in plane.status() if str(stack.number) in one.scaling_group.split("-")[1]
        }
        return found if len(found) == 2 else None

    assert eventually(states) == {"failed": "the image is missing", "idle": "its user data names no image"}
    eventually(lambda: [state for state, _ in stack.health("blue").values()] == ["unhealthy"])


def test_a_group_that_no_rule_uses_is_unused(plane: DataPlane, stack: Stack) -> None:
    lone = stack.elbv2.create_target_group(Name="lone", Protocol="HTTP", Port=80, VpcId=stack.vpc)["TargetGroups"][0]
    stack.groups["lone"] = lone["TargetGroupArn"]
    stack.scaling_group("lone", 1)
    plane.wake()
    eventually(lambda: [*stack.health("lone").values()] == [("unused", "Target.NotInUse")])


def test_http_redirects_to_https_with_the_certificates_names(plane: DataPlane, stack: Stack, api: str) -> None:
    stack.scaling_group("blue", 1)
    [only] = serving(plane, stack, "blue", 1)
    certificate = api_client("acm", "eu-west-1", api).request_certificate(DomainName="shop.example")["CertificateArn"]
    stack.elbv2.create_listener(
        LoadBalancerArn=stack.balancer["LoadBalancerArn"],
        Port=443,
        Protocol="HTTPS",
        SslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06",
        Certificates=[{"CertificateArn": certificate}],
        DefaultActions=stack.shares(100, 0),
    )
    to_https = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
    stack.elbv2.modify_listener(
        ListenerArn=stack.listener, DefaultActions=[{"Type": "redirect", "RedirectConfig": to_https}]
    )
    plane.wake()
    with httpx.Client(verify=False, trust_env=False, follow_redirects=True) as client:  # noqa: S501 - as curl -k does

        def secured() -> httpx.Response | None:
            try:
                answer = client.get(stack.url(plane))
            except httpx.ConnectError:  # the way there may be told a moment before the new listener has its port
                return None
            return answer if answer.url.scheme == "https" else None

        assert eventually(secured).json()["name"] == only
    port = next(one.url for one in plane.listeners() if one.protocol == "HTTPS").rpartition(":")[2]
    shown = x509.load_pem_x509_certificate(ssl.get_server_certificate(("127.0.0.1", int(port))).encode())
    assert shown.subject.rfc4514_string() == "CN=shop.example"


def test_requests_reach_cloudwatch_and_set_off_an_alarm(plane: DataPlane, stack: Stack) -> None:
    stack.scaling_group("blue", 1)
    serving(plane, stack, "blue", 1)
    dimensions = [
        {"Name": "TargetGroup", "Value": stack.groups["blue"].rpartition(":")[2]},
        {"Name": "LoadBalancer", "Value": stack.balancer["LoadBalancerArn"].rpartition("loadbalancer/")[2]},
    ]

    def query(query_id: str, metric: str) -> dict[str, Any]:
        described = {"Namespace": "AWS/ApplicationELB", "MetricName": metric, "Dimensions": dimensions}
        stat = {"Metric": described, "Period": 60, "Stat": "Sum"}
        return {"Id": query_id, "MetricStat": stat, "ReturnData": False}

    share = {"Id": "share", "Expression": "100 * FILL(errors, 0) / requests", "ReturnData": True}
    stack.cloudwatch.put_metric_alarm(
        AlarmName="errors",
        Metrics=[query("errors", "HTTPCode_Target_5XX_Count"), query("requests", "RequestCount"), share],
        EvaluationPeriods=1,
        Threshold=40,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )
    url = stack.url(plane)
    for _ in range(3):
        name_at(url)
        httpx.get(f"{url}/broken", trust_env=False)

    def state() -> dict[str, Any]:
        alarm: dict[str, Any] = stack.cloudwatch.describe_alarms(AlarmNames=["errors"])["MetricAlarms"][0]
        return alarm

    alarm = eventually(lambda: state() if state()["StateValue"] == "ALARM" else None, 10)
    assert "GreaterThanThreshold 40" in alarm["StateReason"]
