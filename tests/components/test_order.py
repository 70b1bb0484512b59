"""What must exist before what, where no property says so: AWS refuses or fails otherwise."""

from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from components.load_balancer import LoadBalancer
from components.nat import Nat
from components.network import Network
from components.traffic import TrafficSplit
from deployed import Recorder, deploy

Order = Callable[[Callable[[], object]], dict[str, set[str]]]


@pytest.fixture
def needs(monkeypatch: pytest.MonkeyPatch) -> Order:
    """Runs a program and returns the names that each resource waits for."""
    found: dict[str, set[str]] = {}
    register = Recorder.RegisterResource

    def noting(self: Recorder, request: Any) -> Any:
        found[request.name] = {urn.split("::")[-1] for urn in request.dependencies}
        return register(self, request)

    monkeypatch.setattr(Recorder, "RegisterResource", noting)

    def run(program: Callable[[], object]) -> dict[str, set[str]]:
        deploy(program)
        return found

    return run


def network(nat: Nat) -> Network:
    return Network("net", {"cidr_block": "10.0.0.0/16", "zones": ["eu-west-1a", "eu-west-1b"], "nat": nat})


@pytest.mark.parametrize("nat", [Nat.INSTANCE, Nat.SINGLE, Nat.PER_ZONE])
def test_nat_comes_after_the_public_subnets_way_to_the_internet(needs: Order, nat: Nat) -> None:
    order = needs(lambda: network(nat))
    made = {name: waits for name, waits in order.items() if name.startswith("net-nat")}
    assert made
    assert all({"net-public-out", "net-public-a-association"} <= waits for waits in made.values())


def test_flow_logs_start_once_their_role_may_write(needs: Order) -> None:
    assert "net-flow-log-policy" in needs(lambda: network(Nat.NONE))["net-flow-log"]


def test_whoever_takes_private_subnets_waits_for_their_way_out(needs: Order) -> None:
    def program() -> None:
        pulumi.CustomResource("test:index:Server", "server", {"subnets": network(Nat.SINGLE).private_subnet_ids})

    assert {"net-private-a-out", "net-private-b-out", "net-private-b-association"} <= needs(program)["server"]


def test_the_load_balancer_comes_after_the_policy_that_lets_it_log(needs: Order) -> None:
    order = needs(
        lambda: LoadBalancer("web", {"vpc_id": "vpc", "vpc_cidr_block": "10.0.0.0/16", "subnet_ids": ["a", "b"]})
    )
    assert "web-logs-policy" in order["web-alb"]
    assert "web-logs-privacy" in order["web-logs-policy"]


def test_the_redirect_takes_port_80_once_the_listener_has_left_it(needs: Order) -> None:
    order = needs(
        lambda: TrafficSplit(
            "web",
            {
                "vpc_id": "vpc",
                "load_balancer_arn": "arn:lb",
                "weights": {"blue": 100, "green": 0},
                "test_colour": "green",
                "test_header_value": "hush",
                "certificate_arn": "arn:certificate",
            },
        )
    )
    assert "web-listener" in order["web-redirect"]
