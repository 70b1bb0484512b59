"""By which names a load balancer may be asked."""

import re
from dataclasses import replace
from typing import Any

import httpx
import pytest

from localcloud.dataplane.balancer import Balancer
from localcloud.dataplane.envoy_names import NOT_OUR_NAME, own_names, stranger
from localcloud.dataplane.runner import accepts_connections
from localcloud.dataplane.snapshot import Condition, ConditionField, FixedResponse, LoadBalancer, Rule
from traffic_world import eventually, snapshot

OK = FixedResponse(200, body="ours")


def balancer(*patterns: str, is_https: bool = False) -> LoadBalancer:
    rules = tuple(Rule(pattern, (Condition(ConditionField.HOST, (pattern,)),), OK) for pattern in patterns)
    [made] = snapshot(default=OK, rules=rules, is_https=is_https).load_balancers
    return made


def answers(made: LoadBalancer, host: str) -> bool:
    [header] = stranger(made)["headers"]
    assert header["invert_match"]
    return re.fullmatch(header["string_match"]["safe_regex"]["regex"], host) is not None


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.0.0.1:8080", "localhost:1", "a.localhost", "[::1]:80", "web.elb.example", "WEB.elb.EXAMPLE:80"],
)
def test_names_of_this_machine_and_its_own_are_answered(host: str) -> None:
    assert answers(balancer(), host)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "",
        "127.0.0.1.nip.io",
        "127a0b0c1",
        "localhost.evil.example",
        "web.elb.example.evil",
        "x.web.elb.example",
    ],
)
def test_others_are_not(host: str) -> None:
    assert not answers(balancer(), host)


def test_names_of_certificates_count_on_the_plain_listener_as_well() -> None:
    assert own_names(balancer(is_https=True)) == ("web.elb.example", "web.example")
    assert answers(balancer(is_https=True), "web.example:80")


def test_names_that_rules_ask_for_are_its_own_unless_they_are_anybodys() -> None:
    made = balancer("*.shop.example", "api?.shop.example", "*", "*.com", "?.example", "shop.*", "*example")
    assert own_names(made) == ("*.shop.example", "api?.shop.example", "web.elb.example")
    assert answers(made, "a.shop.example")
    assert not answers(made, "shop.example.evil.com")


def test_a_load_balancer_without_a_name_has_none() -> None:
    assert own_names(replace(balancer(), dns_name="")) == ()
    assert not answers(replace(balancer(), dns_name=""), "")


@pytest.mark.process
def test_envoy_refuses_a_strangers_name_before_any_rule(running: Balancer) -> None:
    everything = Rule("all", (Condition(ConditionField.PATH, ("*",)),), OK)
    long = [f"{letter * 60}.example" for letter in "abcde"]
    named = Rule("named", (Condition(ConditionField.HOST, tuple(long)),), OK)
    snap = snapshot(default=OK, rules=(everything, named), is_https=True)
    running.publish(snap)
    plain, secure = (running.local_url(listener) for listener in snap.load_balancers[0].listeners)

    def ask(url: str, **about: Any) -> httpx.Response:
        with httpx.Client(verify=False, trust_env=False, timeout=10) as client:  # noqa: S501  # as curl -k does
            return client.get(url, **about)

    eventually(lambda: all(_listens(url) for url in (plain, secure)))
    for url in (plain, secure):
        for host in ("evil.example", "127.0.0.1.nip.io:80", "EVIL.example"):
            refused = ask(url, headers={"Host": host})
            assert (refused.status_code, refused.text) == (421, NOT_OUR_NAME)
            assert refused.headers["content-type"] == "text/plain"
        for host in ("web.example", "web.elb.example:80", "localhost", "[::1]:8080", long[-1]):
            assert ask(url, headers={"Host": host}).text == "ours", host


def _listens(url: str) -> bool:
    parts = httpx.URL(url)
    return accepts_connections(parts.host, int(parts.port or 0))
