"""A running cloud listens on loopback only, and each of its listeners is asked by foreign names."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass

import httpx
import psutil
import pytest

from engine.world import World
from localcloud.dataplane.envoy_names import NOT_OUR_NAME
from localcloud.launch import STATUS_PATH
from localcloud.stacks import LocalStack

FOREIGN = ("evil.example", "127.0.0.1.nip.io", "localhost.evil.example", "rebind.127.0.0.1.example", "10.0.0.1")
OWN = ("127.0.0.1", "localhost", "web.localhost", "[::1]")
PAGE = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}


@dataclass(frozen=True)
class Listeners:
    """Addresses of a running cloud, by what they are for."""

    api: tuple[str, int]
    providers: frozenset[tuple[str, int]]
    balancers: frozenset[tuple[str, int]]
    instances: frozenset[tuple[str, int]]

    @property
    def known(self) -> frozenset[tuple[str, int]]:
        """Those that are asked below."""
        return self.providers | self.balancers | self.instances | {self.api}


@pytest.fixture
def listeners(world: World, dev: LocalStack) -> Listeners:
    told = httpx.get(world.record.api_url + STATUS_PATH, timeout=10, trust_env=False).json()
    assert dev.name == "dev"
    return Listeners(
        api=_place(world.record.api_url),
        providers=frozenset(("127.0.0.1", port) for port in world.record.providers.values()),
        balancers=frozenset(_place(listener["url"]) for listener in told["listeners"]),
        instances=frozenset(_place(f"http://{each['address']}") for each in told["instances"] if each["pid"]),
    )


def _place(url: str) -> tuple[str, int]:
    parts = httpx.URL(url)
    return parts.host, int(parts.port or 0)


def sockets(world: World) -> set[tuple[str, int]]:
    """Every address that a process of the cloud accepts connections or datagrams at."""
    daemon = psutil.Process(world.record.pid)
    found = set()
    for process in (daemon, *daemon.children(recursive=True)):
        for each in process.net_connections(kind="inet"):
            if each.status == psutil.CONN_LISTEN or (each.type == socket.SOCK_DGRAM and not each.raddr):
                found.add((each.laddr.ip, each.laddr.port))
    return found


def test_every_listener_is_on_loopback_and_is_one_that_is_asked_here(world: World, listeners: Listeners) -> None:
    found = sockets(world)
    assert {address for address, _ in found if not address.startswith("127.")} == set()
    assert found == listeners.known, "a listener that is not asked below: decide whom it answers, and ask it there"


def ask(place: tuple[str, int], host: str, path: str = "/", **headers: str) -> httpx.Response:
    address, port = place
    with httpx.Client(trust_env=False, timeout=10) as client:
        return client.get(f"http://{address}:{port}{path}", headers={"Host": host, **headers})


@pytest.mark.parametrize("host", FOREIGN)
def test_the_api_and_the_load_balancer_refuse_foreign_names(listeners: Listeners, host: str) -> None:
    for place in (listeners.api, *listeners.balancers):
        for spelled in (host, host.upper(), f"{host}:{place[1]}"):
            answer = ask(place, spelled)
            assert (answer.status_code, answer.text.count("\n")) == (421, 1), (place, spelled)


@pytest.mark.parametrize("host", OWN)
def test_names_of_this_machine_are_answered(listeners: Listeners, host: str) -> None:
    assert ask(listeners.api, f"{host}:{listeners.api[1]}", STATUS_PATH).status_code == 200
    for place in listeners.balancers:
        assert ask(place, f"{host}:{place[1]}", "/version").status_code == 200


def test_a_load_balancer_answers_to_its_own_dns_name(world: World, listeners: Listeners) -> None:
    told = httpx.get(world.record.api_url + STATUS_PATH, timeout=10, trust_env=False).json()["listeners"]
    for each in told:
        assert each["dns_name"].endswith(".elb.amazonaws.com")
        assert ask(_place(each["url"]), each["dns_name"], "/version").status_code == 200
        refused = ask(_place(each["url"]), f"x.{each['dns_name']}", "/version")
        assert (refused.status_code, refused.text) == (421, NOT_OUR_NAME)


def test_pages_of_other_sites_do_not_reach_the_api(listeners: Listeners) -> None:
    for name, value in PAGE.items():
        assert ask(listeners.api, f"127.0.0.1:{listeners.api[1]}", STATUS_PATH, **{name: value}).status_code == 403


def test_the_providers_speak_nothing_that_a_browser_speaks(listeners: Listeners) -> None:
    """gRPC needs HTTP/2 from the first byte, which browsers speak over TLS only; there is no TLS here."""
    for place in listeners.providers:
        with pytest.raises(httpx.HTTPError):
            ask(place, "evil.example")
        with socket.create_connection(place, timeout=10) as connection:
            connection.sendall(b"POST /pulumirpc.ResourceProvider/GetPluginInfo HTTP/1.1\r\nHost: evil.example\r\n\r\n")
            assert not connection.recv(1000).startswith(b"HTTP/1.1 2")


def test_an_instance_answers_as_its_image_says(listeners: Listeners) -> None:
    """The image is the user's and knows no names, here as on AWS, where only the load balancer reaches it."""
    answers: Mapping[tuple[str, int], int] = {
        place: ask(place, "evil.example", "/version").status_code for place in listeners.instances
    }
    assert answers
    assert set(answers.values()) == {200}


def test_envoys_own_interface_is_no_port_but_a_file_of_the_owner(world: World, listeners: Listeners) -> None:
    [admin] = world.home.envoy.glob("*.sock")
    assert admin.is_socket()
    assert admin.stat().st_mode & 0o077 == 0
    assert listeners.balancers
