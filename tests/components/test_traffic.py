"""Blue/green traffic: twin target groups behind one listener, and a secret way to the idle one."""

import json
from typing import Any

import pulumi
import pytest
from pulumi.runtime import rpc

from components.balancing.listeners import SSL_POLICIES
from components.traffic import TrafficSplit
from deployed import Deployment, Registered, deploy

ARGS: dict[str, Any] = {
    "vpc_id": "vpc-1",
    "load_balancer_arn": "arn:lb",
    "weights": {"blue": 90, "green": 10},
    "test_colour": "green",
    "test_header_value": "hush",
}
OWN = {"blue": "blue", "green": "green"}
RULES = ("web-assets-blue", "web-assets-green")


def args(**changes: Any) -> Any:
    return {**ARGS, **changes}


def deployment(**changes: Any) -> Deployment:
    def program() -> None:
        split = TrafficSplit("web", args(**changes))
        for output in ("target_group_arns", "listener_arn", "test_rule_arn"):
            pulumi.export(output, getattr(split, output))

    return deploy(program)


def split(**changes: Any) -> dict[str, Registered]:
    return deployment(**changes).resources


def shares(action: dict[str, Any]) -> dict[str, int]:
    return {group["arn"]: group["weight"] for group in action["forward"]["targetGroups"]}


def test_it_tells_its_arns_by_colour() -> None:
    assert deployment().exports == {
        "target_group_arns": {"blue": "arn:web-blue", "green": "arn:web-green"},
        "listener_arn": "arn:web-listener",
        "test_rule_arn": "arn:web-test",
    }


def test_no_child_is_loose_or_untagged() -> None:
    children = {
        name: child
        for name, child in split(tags={"Team": "shop"}, certificate_arn="arn:c", asset_colours=OWN).items()
        if child.type.startswith("aws:")
    }
    assert children.keys() == {"web-blue", "web-green", "web-listener", "web-redirect", "web-test", *RULES}
    assert {child.parent for child in children.values()} == {"web"}
    assert all(child.inputs["tags"] == {"Team": "shop", "Name": name} for name, child in children.items())


def test_a_tenth_of_the_requests_goes_to_green() -> None:
    [action] = split()["web-listener"].inputs["defaultActions"]
    assert shares(action) == {"arn:web-blue": 90, "arn:web-green": 10}


@pytest.mark.parametrize("idle", ["blue", "green"])
def test_a_colour_without_a_share_stays_attached(idle: str) -> None:
    [action] = split(weights={"blue": 100, "green": 0} if idle == "green" else {"blue": 0, "green": 100})[
        "web-listener"
    ].inputs["defaultActions"]
    assert shares(action)[f"arn:web-{idle}"] == 0
    assert len(shares(action)) == 2


def test_before_the_first_release_it_says_so_and_both_colours_stay_attached() -> None:
    resources = split(is_released=False)
    [action] = resources["web-listener"].inputs["defaultActions"]
    assert action == {
        "type": "fixed-response",
        "fixedResponse": {"contentType": "text/plain", "messageBody": "nothing released yet", "statusCode": "503"},
    }
    [forward] = resources["web-test"].inputs["actions"]
    assert shares(forward) == {"arn:web-blue": 0, "arn:web-green": 100}


@pytest.mark.parametrize("colour", ["blue", "green"])
def test_the_secret_header_leads_to_the_idle_colour_alone(colour: str) -> None:
    rule = split(test_colour=colour)["web-test"].inputs
    assert rule["listenerArn"] == "arn:web-listener"
    [action] = rule["actions"]
    assert shares(action)[f"arn:web-{colour}"] == 100
    assert sum(shares(action).values()) == 100
    assert "stickiness" not in action["forward"]


def test_the_headers_value_is_kept_secret() -> None:
    sent = split()["web-test"].inputs["conditions"]
    assert sent[rpc._special_sig_key] == rpc._special_secret_sig
    assert sent["value"] == [{"httpHeader": {"httpHeaderName": "X-Teal-Test", "values": ["hush"]}}]


def test_clients_stay_with_a_colour_only_while_both_have_a_share() -> None:
    [shared] = split(stickiness_seconds=60)["web-listener"].inputs["defaultActions"]
    [settled] = split(stickiness_seconds=60, weights={"blue": 0, "green": 100})["web-listener"].inputs["defaultActions"]
    [free] = split()["web-listener"].inputs["defaultActions"]
    assert shared["forward"]["stickiness"] == {"enabled": True, "duration": 60}
    assert "stickiness" not in settled["forward"]
    assert "stickiness" not in free["forward"]


def test_both_groups_are_alike() -> None:
    resources = split(port=9000, drain_seconds=45, slow_start_seconds=30, health_check_path="/up")
    blue, green = ({**resources[f"web-{colour}"].inputs, "tags": None} for colour in ("blue", "green"))
    assert blue == green
    assert (blue["port"], blue["protocol"], blue["targetType"], blue["vpcId"]) == (9000, "HTTP", "instance", "vpc-1")
    assert int(blue["deregistrationDelay"]) == 45
    assert blue["slowStart"] == 30
    assert blue["healthCheck"]["path"] == "/up"


def test_colours_that_share_servers_have_a_port_each() -> None:
    resources = split(ports={"green": 8082.0, "blue": 8081.0})
    assert {name: resources[f"web-{name}"].inputs["port"] for name in ("blue", "green")} == {
        "blue": 8081,
        "green": 8082,
    }


def test_a_dead_target_is_found_within_ten_seconds_by_default() -> None:
    check = split()["web-blue"].inputs["healthCheck"]
    assert check == {
        "enabled": True,
        "protocol": "HTTP",
        "port": "traffic-port",
        "path": "/readyz",
        "matcher": "200",
        "interval": 5,
        "timeout": 2,
        "healthyThreshold": 2,
        "unhealthyThreshold": 2,
    }


def test_without_a_certificate_it_listens_on_port_80() -> None:
    resources = split()
    listener = resources["web-listener"].inputs
    assert (listener["port"], listener["protocol"], listener["loadBalancerArn"]) == (80, "HTTP", "arn:lb")
    assert "sslPolicy" not in listener
    assert "web-redirect" not in resources


def test_with_a_certificate_port_80_only_redirects() -> None:
    resources = split(certificate_arn="arn:certificate")
    listener = resources["web-listener"].inputs
    assert (listener["port"], listener["protocol"]) == (443, "HTTPS")
    assert listener["certificateArn"] == "arn:certificate"
    assert listener["sslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
    redirect = resources["web-redirect"].inputs
    assert (redirect["port"], redirect["protocol"]) == (80, "HTTP")
    assert redirect["defaultActions"] == [
        {"type": "redirect", "redirect": {"port": "443", "protocol": "HTTPS", "statusCode": "HTTP_301"}}
    ]


@pytest.mark.parametrize("policy", SSL_POLICIES)
def test_every_strict_tls_policy_is_taken(policy: str) -> None:
    assert "TLS13" in policy
    assert split(certificate_arn="arn:c", ssl_policy=policy)["web-listener"].inputs["sslPolicy"] == policy


def test_numbers_may_come_as_floats_from_other_languages() -> None:
    resources = split(weights={"blue": 75.0, "green": 25.0}, port=8080.0, drain_seconds=30.0, stickiness_seconds=60.0)
    sent = json.dumps([resource.inputs for resource in resources.values()])
    assert '"weight": 75' in sent
    assert resources["web-blue"].inputs["deregistrationDelay"] in (30, "30")


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"weights": {"blue": 90, "green": 20}}, "weights must add up to 100, got 110"),
        ({"weights": {"blue": 101, "green": -1}}, "weights of blue must be a whole number from 0 to 100, got 101"),
        ({"weights": {"blue": 99.5, "green": 0.5}}, "weights of blue must be a whole number"),
        ({"weights": {"blue": 100}}, "weights must name blue and green, got blue"),
        ({"weights": {}}, "weights must name blue and green, got none"),
        ({"weights": {"blue": 50, "green": 50, "red": 0}}, "weights must name blue and green, got blue, green, red"),
        ({"test_colour": "red"}, "test_colour must be one of blue, green, got 'red'"),
        ({"test_header_value": ""}, "test_header_value must have 1 to 128 characters"),
        ({"ssl_policy": "ELBSecurityPolicy-2016-08"}, "ssl_policy must be one of .*, got 'ELBSecurityPolicy-2016-08'"),
        ({"ports": {"blue": 8081}}, "ports must be for blue and green, got blue"),
        ({"ports": {"blue": 8081, "green": 8081}}, "ports must differ"),
        ({"ports": {"blue": 8081, "green": 0}}, "ports for green must be a whole number from 1 to 65535, got 0"),
        ({"port": 99999}, "port must be a whole number from 1 to 65535, got 99999"),
        ({"health_check_path": "readyz"}, "health_check_path must start with a slash, got 'readyz'"),
        ({"health_check_interval_seconds": 4}, "health_check_interval_seconds must be a whole number from 5 to 300"),
        ({"health_check_timeout_seconds": 5}, r"health_check_timeout_seconds must be less than .* \(5\), got 5"),
        ({"healthy_threshold": 1}, "healthy_threshold must be a whole number from 2 to 10, got 1"),
        ({"unhealthy_threshold": 11}, "unhealthy_threshold must be a whole number from 2 to 10, got 11"),
        ({"drain_seconds": 3601}, "drain_seconds must be a whole number from 0 to 3600, got 3601"),
        ({"slow_start_seconds": 29}, "slow_start_seconds, unless 0, must be a whole number from 30 to 900, got 29"),
        ({"stickiness_seconds": 604801}, "stickiness_seconds must be a whole number from 0 to 604800, got 604801"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_made(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint) as refusal:
        TrafficSplit("web", args(**changes))
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("value", ["hush*", "hu?sh", "h" * 129])
def test_a_header_value_that_would_match_others_is_refused_without_being_shown(value: str) -> None:
    with pytest.raises(ValueError, match="none of them") as refusal:
        TrafficSplit("web", args(test_header_value=value))
    assert value not in str(refusal.value)


def test_a_name_too_long_for_aws_is_refused() -> None:
    with pytest.raises(ValueError, match="has 25 characters"):
        TrafficSplit("w" * 19, args())


def test_each_colours_own_files_are_at_that_colour_while_it_has_servers_else_at_the_other() -> None:
    resources = split(weights={"blue": 90, "green": 10}, asset_colours={"blue": "blue", "green": "blue"})
    for named in ("blue", "green"):
        rule = resources[f"web-assets-{named}"].inputs
        assert rule["conditions"] == [{"pathPattern": {"values": [f"/assets/{named}/*"]}}]
        [action] = rule["actions"]
        assert shares(action) == {"arn:web-blue": 100, "arn:web-green": 0}
    priorities = [resources[name].inputs["priority"] for name in ("web-test", "web-assets-blue", "web-assets-green")]
    assert priorities == [10, 20, 21], "a tester is at the idle colour with everything"


def test_without_asset_colours_there_are_no_such_rules() -> None:
    assert not [name for name in split() if "assets" in name]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"blue": "blue"}, "asset_colours must name blue and green, got blue"),
        ({"blue": "blue", "green": "red"}, "asset_colours of green must be one of blue, green, got 'red'"),
    ],
)
def test_asset_colours_that_can_not_be_are_refused(wrong: dict[str, str], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        split(asset_colours=wrong)
