"""What the way back loads before the traffic is moved: every import there is time that users spend on a bad version."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from cli_world import FakeCloud
from release.ledger import Colour, InFlight, Side, State
from release.ledger_text import item
from release.machine import Phase
from release_world import LIVE, NEXT, ROUTES, flight

TABLE, POINTER = "way-back", "/teal/dev/ledger"
SLOW = (
    "boto3", "config.settings", "filelock", "google", "grpc", "httpx", "localcloud.launch", "localcloud.stacks",
    "localcloud.status", "pulumi", "pydantic", "rich", "toolchain",
)  # fmt: skip
"""Rooms and libraries that take their time, none of which moves traffic."""
UNTIL_THE_SHIFT = """
import json, os, sys
from release.adapters.elbv2 import ListenerTraffic

def shift(self, weights, fence):
    print(json.dumps({"weights": dict(weights), "modules": sorted(sys.modules)}), flush=True)
    os._exit(0)

ListenerTraffic.shift = shift
from cli.main import main

main(["release", "rollback", "dev", "--reason", "it is bad"], prog_name="teal")
"""


@pytest.fixture
def settling(cloud: FakeCloud) -> Iterator[InFlight]:
    """A release whose other colour is warm, in a cloud that has no more than a release needs."""
    call = cloud.api.call
    cloud.add_stack("dev")
    [balancer] = call("elbv2", "describe_load_balancers", Names=["dev-web"])["LoadBalancers"]
    server = call("ec2", "run_instances", ImageId="ami-12c6146b", MinCount=1, MaxCount=1)["Instances"][0]
    groups = {}
    for colour in Colour:
        made = call("elbv2", "create_target_group", Name=colour, Protocol="HTTP", Port=80, VpcId=balancer["VpcId"])
        groups[colour] = made["TargetGroups"][0]["TargetGroupArn"]
        call("elbv2", "register_targets", TargetGroupArn=groups[colour], Targets=[{"Id": server["InstanceId"]}])
    weighted = [{"TargetGroupArn": arn, "Weight": 100 * (colour == "green")} for colour, arn in groups.items()]
    listener = call(
        "elbv2", "create_listener", LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="HTTP", Port=80,
        DefaultActions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": weighted}}],
    )["Listeners"][0]["ListenerArn"]  # fmt: skip
    release = flight(phase=Phase.SETTLING, step=2, routes=replace(ROUTES, listener_arn=listener, group_arns=groups))
    sides = {"blue": Side(digest=LIVE, capacity=1, weight=0), "green": Side(digest=NEXT, capacity=1, weight=100)}
    write_ledger(cloud, State(version=7, live=Colour.GREEN, release=release, **sides))
    yield release
    call("elbv2", "delete_listener", ListenerArn=listener)
    for arn in groups.values():
        call("elbv2", "delete_target_group", TargetGroupArn=arn)
    call("ec2", "terminate_instances", InstanceIds=[server["InstanceId"]])
    call("dynamodb", "delete_table", TableName=TABLE)
    call("ssm", "delete_parameter", Name=POINTER)


def write_ledger(cloud: FakeCloud, state: State) -> None:
    names = {"pk": "HASH", "sk": "RANGE"}
    cloud.api.call(
        "dynamodb", "create_table", TableName=TABLE, BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in names.items()],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
    )  # fmt: skip
    cloud.api.call("dynamodb", "put_item", TableName=TABLE, Item=json.loads(item(state)))
    cloud.api.call("ssm", "put_parameter", Name=POINTER, Type="String", Value=TABLE)


def test_until_the_traffic_is_moved_nothing_slow_is_loaded(settling: InFlight) -> None:
    done = subprocess.run(
        [sys.executable, "-c", UNTIL_THE_SHIFT], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["weights"] == {"blue": 100, "green": 0}
    loaded = [name for name in found["modules"] if name.split(".")[0] in SLOW or name in SLOW]
    assert loaded == []
    assert "TAKEN_BACK" in done.stderr  # the intent was told, and so it is in the ledger
