"""What clients of the load balancer see: real Envoy, real requests."""

import os
import signal
import stat
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from localcloud.dataplane.admin import AdminUnavailable
from localcloud.dataplane.balancer import Balancer
from localcloud.dataplane.snapshot import (
    Action,
    Condition,
    ConditionField,
    FixedResponse,
    Redirect,
    Rule,
    Snapshot,
    Target,
    TargetState,
    Unsupported,
)
from traffic_world import Backend, eventually, group, load_on, snapshot, split

Pair = tuple[Backend, Backend]
Ruled = tuple[Balancer, Snapshot]
pytestmark = pytest.mark.process


def url(running: Balancer, snap: Snapshot) -> str:
    return running.local_url(snap.load_balancers[0].listeners[0])


def get(address: str, **options: Any) -> httpx.Response:
    return httpx.get(address, trust_env=False, timeout=5, **options)


def serve(running: Balancer, snap: Snapshot) -> str:
    """Publishes snap and waits until its first listener answers 200."""
    running.publish(snap)
    address = url(running, snap)
    eventually(lambda: answers(address))
    return address


def answers(address: str) -> bool:
    try:
        return get(address).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture
def pair(backends: Callable[[str], Backend]) -> Pair:
    return backends("blue"), backends("green")


def test_a_change_of_weights_is_followed_within_a_second_and_loses_no_request(running: Balancer, pair: Pair) -> None:
    blue, green = (group(backend.name, backend.target) for backend in pair)

    def at(blue_weight: int, green_weight: int) -> Snapshot:
        return snapshot(blue, green, default=split((blue, blue_weight), (green, green_weight)))

    address = serve(running, at(100, 0))
    with load_on(address) as load:
        time.sleep(0.2)
        for weights in ((95, 5), (50, 50), (0, 100)):
            running.publish(at(*weights))
            changed = time.monotonic()
            time.sleep(0.3)
        eventually(lambda: {name for _, name in load.recent[-50:]} == {"green"})
    assert load.failures == []
    late = [moment - changed for moment, name in load.recent if name == "blue" and moment > changed]
    assert max(late, default=0) < 1.0
    assert load.names["blue"] > 20
    assert load.names["green"] > 20


def test_half_the_weight_is_half_the_requests(running: Balancer, pair: Pair) -> None:
    blue, green = (group(backend.name, backend.target) for backend in pair)
    address = serve(running, snapshot(blue, green, default=split((blue, 1), (green, 1))))
    with load_on(address) as load:
        eventually(lambda: load.names.total() > 300)
    assert 0.35 < load.names["blue"] / load.names.total() < 0.65


def test_targets_come_and_go_under_load_without_a_failed_request(running: Balancer, pair: Pair) -> None:
    first, second = pair

    def of(*targets: Target) -> Snapshot:
        return snapshot(group("web", *targets), default=split((group("web"), 1)))

    address = serve(running, of(first.target))
    with load_on(address) as load:
        for targets in ((first.target, second.target), (second.target,), (first.target, second.target)):
            running.publish(of(*targets))
            time.sleep(0.4)
    assert load.failures == []
    assert set(load.names) == {"blue", "green"}


def test_a_target_that_leaves_finishes_its_request_and_gets_no_new_one(running: Balancer, pair: Pair) -> None:
    old, new = pair
    address = serve(running, snapshot(group("web", old.target), default=split((group("web"), 1))))
    slow = []
    asking = threading.Thread(target=lambda: slow.append(get(f"{address}/slow")))
    asking.start()
    assert old.is_at_slow.wait(5)
    leaving = replace(old.target, state=TargetState.DRAINING)
    running.publish(snapshot(group("web", leaving, new.target), default=split((group("web"), 1))))
    eventually(lambda: answers(address) and get(address).json()["name"] == "green")
    assert {get(address).json()["name"] for _ in range(10)} == {"green"}
    asking.join(5)
    assert [(answer.status_code, answer.json()["name"]) for answer in slow] == [(200, "blue")]


def test_an_unhealthy_target_gets_nothing_but_a_group_of_such_fails_open(running: Balancer, pair: Pair) -> None:
    well, ill = pair
    snap = snapshot(group("web", well.target, ill.target), default=split((group("web"), 1)))
    address = serve(running, snap)
    eventually(lambda: all(host.is_healthy for host in running.hosts()["web.1"].values()))
    ill.is_well = False
    eventually(lambda: sorted(host.is_healthy for host in running.hosts()["web.1"].values()) == [False, True])
    eventually(lambda: {get(address).json()["name"] for _ in range(10)} == {"blue"})
    well.is_well = False
    eventually(lambda: not any(host.is_healthy for host in running.hosts()["web.1"].values()))
    eventually(lambda: {get(address).json()["name"] for _ in range(20)} == {"blue", "green"})


def test_a_new_target_that_fails_its_first_check_gets_nothing(running: Balancer, pair: Pair) -> None:
    well, ill = pair
    ill.is_well = False
    address = serve(running, snapshot(group("web", well.target), default=split((group("web"), 1))))
    running.publish(snapshot(group("web", well.target, ill.target), default=split((group("web"), 1))))
    with load_on(address) as load:
        time.sleep(0.5)
    assert load.failures == []
    assert set(load.names) == {"blue"}


PATIENT = replace(group("x").health_check, timeout=timedelta(seconds=3))


def test_a_target_whose_first_check_is_under_way_gets_nothing_yet(running: Balancer, pair: Pair) -> None:
    old, new = pair
    new.check_takes = 2.0

    def of(*targets: Target) -> Snapshot:
        return snapshot(group("web", *targets, health_check=PATIENT), default=split((group("web"), 1)))

    address = serve(running, of(old.target))
    running.publish(of(old.target, new.target))
    eventually(lambda: len(running.hosts()["web.1"]) == 2)
    assert {get(address).json()["name"] for _ in range(10)} == {"blue"}
    eventually(lambda: get(address).json()["name"] == "green")


def test_a_group_that_was_not_used_before_takes_over_without_a_failed_request(running: Balancer, pair: Pair) -> None:
    pair[1].check_takes = 0.3
    blue, green = (group(f"new-{backend.name}", backend.target, health_check=PATIENT) for backend in pair)
    address = serve(running, snapshot(blue, green, default=split((blue, 1))))
    with load_on(address) as load:
        running.publish(snapshot(blue, green, default=split((green, 1))))
        eventually(lambda: load.names["green"] > 20)
    assert load.failures == []


@pytest.mark.parametrize("weights", [(0, 0), (1, 0)], ids=["no weight at all", "an empty group"])
def test_nobody_to_send_to_is_503(running: Balancer, pair: Pair, weights: tuple[int, int]) -> None:
    blue, green = group("empty"), group("green", pair[1].target)
    snap = snapshot(blue, green, default=split((blue, weights[0]), (green, weights[1])))
    running.publish(snap)
    eventually(lambda: is_status(url(running, snap), 503))


def is_status(address: str, status: int) -> bool:
    try:
        return get(address).status_code == status
    except httpx.HTTPError:
        return False


def test_a_target_that_hangs_up_is_502_as_with_elbv2(running: Balancer, pair: Pair) -> None:
    web = group("web", pair[0].target)
    address = serve(running, snapshot(web, default=split((web, 1))))
    assert get(f"{address}/hangup").status_code == 502


@pytest.fixture
def ruled(running: Balancer, pair: Pair) -> Ruled:
    """An HTTP and an HTTPS listener to blue, and a rule for each condition and action."""
    blue, green = (group(backend.name, backend.target) for backend in pair)
    to_green = split((green, 1))
    conditions = {
        "header": Condition(ConditionField.HEADER, ("s3cr?t*",), "X-Teal-Test"),
        "host": Condition(ConditionField.HOST, ("*.Shop.example",)),
        "path": Condition(ConditionField.PATH, ("/img/*", "/static/*")),
        "query": Condition(ConditionField.QUERY, ("to=green*", "=verte")),
        "method": Condition(ConditionField.METHOD, ("OPTIONS",)),
    }
    rules = [Rule(name, (condition,), to_green) for name, condition in conditions.items()]
    answers_by_path: dict[str, Action] = {
        "/fixed": FixedResponse(404, "text/html", "<b>100% gone</b>"),
        "/secure": Redirect(301, "HTTPS", port="443"),
        "/moved/*": Redirect(302, path="/new/#{path}", query=""),
        "/oidc": Unsupported("action authenticate-oidc"),
    }
    rules += [
        Rule(path, (Condition(ConditionField.PATH, (path,)),), action) for path, action in answers_by_path.items()
    ]
    far_away = Condition(ConditionField.SOURCE, ("203.0.113.0/24",))
    rules.append(Rule("far", (far_away,), FixedResponse(403)))
    snap = snapshot(blue, green, default=split((blue, 1), (green, 0)), rules=tuple(rules), is_https=True)
    serve(running, snap)
    return running, snap


def test_rules_route_by_header_host_path_and_query(ruled: Ruled) -> None:
    address = url(*ruled)

    def colour(path: str = "/", **headers: str) -> str:
        return str(get(address + path, headers=headers).json()["name"])

    assert colour() == "blue"
    assert colour(**{"x-teal-test": "S3CRET-1"}) == "green"
    assert colour(**{"x-teal-test": "secret"}) == "blue"
    assert colour(host="a.shop.example:8080") == "green"
    assert colour("/img/logo.png?x=1") == "green"
    assert colour("/IMG/logo.png") == "blue"
    assert colour("/?a=b&TO=greenish") == "green"
    assert colour("/?any=verte") == "green"
    assert colour("/?to=blue") == "blue"


def test_a_fixed_response_answers_without_a_target(ruled: Ruled) -> None:
    answer = get(f"{url(*ruled)}/fixed")
    assert (answer.status_code, answer.text, answer.headers["content-type"]) == (404, "<b>100% gone</b>", "text/html")


def test_a_redirect_to_https_ends_at_the_local_https_listener(ruled: Ruled) -> None:
    address = url(*ruled)
    moved = get(f"{address}/secure?q=1")
    secure = ruled[0].local_url(ruled[1].load_balancers[0].listeners[1])
    assert (moved.status_code, moved.headers["location"]) == (301, f"{secure}/secure?q=1")
    with httpx.Client(verify=False, trust_env=False) as client:  # noqa: S501 - as curl -k does
        assert client.get(secure).json()["headers"]["x-forwarded-proto"] == "https"


def test_a_redirect_keeps_what_it_is_told_to_keep(ruled: Ruled) -> None:
    moved = get(f"{url(*ruled)}/moved/a/b?q=1")
    assert (moved.status_code, moved.headers["location"]) == (302, f"{url(*ruled)}/new/moved/a/b")


def test_what_is_not_supported_says_so(ruled: Ruled) -> None:
    answer = get(f"{url(*ruled)}/oidc")
    assert (answer.status_code, answer.text) == (501, "not supported by this load balancer: action authenticate-oidc\n")


def test_targets_learn_who_asked(ruled: Ruled) -> None:
    headers = get(url(*ruled), headers={"X-Forwarded-For": "198.51.100.7"}).json()["headers"]
    port = url(*ruled).rpartition(":")[2]
    assert headers["x-forwarded-for"].replace(" ", "") == "198.51.100.7,127.0.0.1"
    assert (headers["x-forwarded-proto"], headers["x-forwarded-port"]) == ("http", port)
    assert not any(name.startswith("x-envoy") for name in headers)


def test_a_client_sticks_to_its_target_group_until_its_weight_is_0(running: Balancer, pair: Pair) -> None:
    blue, green = (group(backend.name, backend.target) for backend in pair)

    def at(blue_weight: int, green_weight: int) -> Snapshot:
        shares = split((blue, blue_weight), (green, green_weight), sticky=timedelta(minutes=5))
        return snapshot(blue, green, default=shares)

    address = serve(running, at(100, 0))
    with httpx.Client(trust_env=False) as client:
        assert client.get(address).json()["name"] == "blue"
        running.publish(at(1, 99))
        eventually(lambda: get(address).json()["name"] == "green")
        assert {client.get(address).json()["name"] for _ in range(20)} == {"blue"}
        running.publish(at(0, 100))
        eventually(lambda: client.get(address).json()["name"] == "green")


def test_a_client_sticks_to_one_target(running: Balancer, pair: Pair) -> None:
    both = group("web", *(backend.target for backend in pair), sticky=timedelta(minutes=5))
    address = serve(running, snapshot(both, default=split((both, 1))))
    eventually(lambda: all(host.is_healthy for host in running.hosts()["web.1"].values()))
    with httpx.Client(trust_env=False) as client:
        assert len({client.get(address).json()["name"] for _ in range(10)}) == 1
        assert "AWSALB" in client.cookies
    assert len({get(address).json()["name"] for _ in range(10)}) == 2


def test_a_listener_that_goes_closes_its_port(running: Balancer, pair: Pair) -> None:
    web = group("web", pair[0].target)
    address = serve(running, snapshot(web, default=split((web, 1))))
    running.publish(Snapshot())
    eventually(lambda: not answers(address))


def test_a_private_key_is_the_owners_alone(ruled: Ruled) -> None:
    keys = list(ruled[0]._certificates._folder.glob("*.key"))
    assert [stat.S_IMODE(key.stat().st_mode) for key in keys] == [0o600]


def test_envoy_killed_is_started_again_and_serves_as_before(running: Balancer, pair: Pair) -> None:
    web = group("web", pair[0].target)
    address = serve(running, snapshot(web, default=split((web, 1))))
    assert running.pid is not None
    os.kill(running.pid, signal.SIGKILL)
    eventually(lambda: running.pid is None)
    with pytest.raises(AdminUnavailable):
        _ = running.admin
    running.look_after()
    eventually(lambda: answers(address))
