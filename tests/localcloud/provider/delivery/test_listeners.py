from typing import Any

import pytest

from components.balancing.listeners import SSL_POLICIES
from localcloud.provider.errors import ApiRefused, PartlyMade

LB, TARGET_GROUP = "aws:lb/loadBalancer:LoadBalancer", "aws:lb/targetGroup:TargetGroup"
LISTENER, RULE = "aws:lb/listener:Listener", "aws:lb/listenerRule:ListenerRule"
NOTHING = {"contentType": "text/plain", "messageBody": "nothing released yet", "statusCode": "503"}
FIXED = {"type": "fixed-response", "fixedResponse": NOTHING}
REDIRECT = {"type": "redirect", "redirect": {"port": "443", "protocol": "HTTPS", "statusCode": "HTTP_301"}}
TEST_HEADER = {"httpHeader": {"httpHeaderName": "X-Teal-Test", "values": ["a-secret-value"]}}


def forward(arns: list[str], *weights: int, **more: Any) -> dict[str, Any]:
    groups = [{"arn": arn, "weight": weight} for arn, weight in zip(arns, weights, strict=True)]
    return {"type": "forward", "forward": {"targetGroups": groups, **more}}


@pytest.fixture(scope="module")
def arns(engine: Any, network: Any) -> list[str]:
    inputs = {"port": 8080, "protocol": "HTTP", "vpcId": network.vpc}
    return [engine.create(TARGET_GROUP, inputs, name=name).id for name in ("blue", "green")]


@pytest.fixture
def balancer(engine: Any, network: Any) -> Any:
    made = engine.create(LB, {"subnets": network.subnets[:2], "securityGroups": [network.group]})
    yield made
    made.delete()


@pytest.fixture
def listener(engine: Any, balancer: Any, arns: list[str]) -> Any:
    inputs = {"loadBalancerArn": balancer.id, "port": 80, "defaultActions": [forward(arns, 90, 10)]}
    return engine.create(LISTENER, {**inputs, "tags": {"Team": "shop"}})


def test_a_listener_lives_and_keeps_both_target_groups(listener: Any, arns: list[str], call: Any) -> None:
    listener.update(defaultActions=[forward(arns, 0, 100)], tags={"Team": "till"})
    [told] = call("elbv2", "describe_listeners", ListenerArns=[listener.id])["Listeners"]
    weights = {
        each["TargetGroupArn"]: each["Weight"] for each in told["DefaultActions"][0]["ForwardConfig"]["TargetGroups"]
    }
    assert weights == {arns[0]: 0, arns[1]: 100}
    listener.update(defaultActions=[forward(arns, 50, 50, stickiness={"enabled": True, "duration": 60})])
    listener.update(defaultActions=[FIXED])
    listener.update(defaultActions=[REDIRECT], port=81)
    assert listener.imported()["defaultActions"] == [REDIRECT]
    assert listener.diff(loadBalancerArn="arn:other").replaces == ("loadBalancerArn",)
    listener.delete()


def test_weights_moved_behind_our_back_are_drift(listener: Any, arns: list[str], call: Any) -> None:
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in zip(arns, (70, 30), strict=True)]
    action = {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}
    call("elbv2", "modify_listener", ListenerArn=listener.id, DefaultActions=[action])
    [found] = listener.refresh()["defaultActions"]
    assert [group["weight"] for group in found["forward"]["targetGroups"]] == [70, 30]


def test_a_forward_to_one_group_is_the_same_in_both_spellings(engine: Any, balancer: Any, arns: list[str]) -> None:
    short = [{"type": "forward", "targetGroupArn": arns[0]}]
    listener = engine.create(LISTENER, {"loadBalancerArn": balancer.id, "port": 80, "defaultActions": short})
    listener.update(defaultActions=[forward(arns[:1], 1)])


def test_a_listener_moves_to_https_and_back(engine: Any, listener: Any, certificate: str) -> None:
    listener.update(
        protocol="HTTPS", port=443, certificateArn=certificate, sslPolicy="ELBSecurityPolicy-TLS13-1-2-Res-2021-06"
    )
    listener.update(sslPolicy=None)
    assert listener.imported()["certificateArn"] == certificate
    listener.update(protocol="HTTP", port=80, certificateArn=None)


@pytest.mark.parametrize("policy", SSL_POLICIES)
def test_every_tls_policy_that_components_allow_is_known(
    engine: Any, balancer: Any, certificate: str, policy: str
) -> None:
    inputs = {"loadBalancerArn": balancer.id, "port": 443, "protocol": "HTTPS", "defaultActions": [FIXED]}
    listener = engine.create(LISTENER, {**inputs, "certificateArn": certificate, "sslPolicy": policy})
    listener.delete()


def test_two_listeners_cannot_share_a_port(engine: Any, listener: Any, balancer: Any) -> None:
    with pytest.raises(ApiRefused, match="DuplicateListener"):
        engine.create(LISTENER, {"loadBalancerArn": balancer.id, "port": 80, "defaultActions": [FIXED]})
    other = engine.create(LISTENER, {"loadBalancerArn": balancer.id, "port": 8080, "defaultActions": [FIXED]})
    with pytest.raises(PartlyMade, match="DuplicateListener"):
        other.update(port=80)


def test_https_with_an_unknown_certificate_is_refused(engine: Any, balancer: Any) -> None:
    inputs = {"loadBalancerArn": balancer.id, "port": 443, "protocol": "HTTPS", "defaultActions": [FIXED]}
    arn = "arn:aws:acm:eu-west-1:123456789012:certificate/none"
    with pytest.raises(ApiRefused, match="CertificateNotFound"):
        engine.create(LISTENER, {**inputs, "certificateArn": arn})


def test_a_used_target_group_is_not_deleted(engine: Any, listener: Any, arns: list[str], call: Any) -> None:
    with pytest.raises(ApiRefused, match="ResourceInUse"):
        call("elbv2", "delete_target_group", TargetGroupArn=arns[1])


def test_a_rule_lives(engine: Any, listener: Any, arns: list[str]) -> None:
    inputs = {
        "listenerArn": listener.id,
        "priority": 10,
        "conditions": [TEST_HEADER],
        "actions": [forward(arns, 0, 100)],
    }
    rule = engine.create(RULE, {**inputs, "tags": {"Team": "shop"}})
    assert rule.outputs["arn"] == rule.id
    rule.update(actions=[forward(arns, 100, 0)], tags={"Team": "till"})
    rule.update(priority=20)
    rule.update(conditions=[{"pathPattern": {"values": ["/a/*", "/b"]}}, {"hostHeader": {"values": ["*.example.com"]}}])
    rule.update(
        conditions=[{"queryStrings": [{"key": "debug", "value": "1"}]}, {"sourceIp": {"values": ["10.0.0.0/8"]}}]
    )
    rule.update(conditions=[{"httpRequestMethod": {"values": ["GET"]}}], actions=[FIXED])
    assert rule.diff(listenerArn="arn:other").replaces == ("listenerArn",)
    imported = rule.imported()
    assert (imported["listenerArn"], imported["priority"]) == (listener.id, 20)
    assert imported["conditions"] == [{"httpRequestMethod": {"values": ["GET"]}}]
    rule.delete()


def test_a_rule_without_priority_goes_last(engine: Any, listener: Any) -> None:
    inputs = {"listenerArn": listener.id, "conditions": [TEST_HEADER], "actions": [FIXED]}
    engine.create(RULE, {**inputs, "priority": 41})
    assert engine.create(RULE, inputs).outputs["priority"] == 42


def test_drift_of_a_rule_is_seen(engine: Any, listener: Any, call: Any) -> None:
    rule = engine.create(
        RULE, {"listenerArn": listener.id, "priority": 5, "conditions": [TEST_HEADER], "actions": [FIXED]}
    )
    condition = {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Teal-Test", "Values": ["other"]}}
    call("elbv2", "modify_rule", RuleArn=rule.id, Conditions=[condition])
    assert rule.refresh()["conditions"][0]["httpHeader"]["values"] == ["other"]
    call("elbv2", "delete_rule", RuleArn=rule.id)
    assert rule.refresh() is None


def test_a_priority_is_taken_once(engine: Any, listener: Any) -> None:
    inputs = {"listenerArn": listener.id, "priority": 7, "conditions": [TEST_HEADER], "actions": [FIXED]}
    engine.create(RULE, inputs)
    with pytest.raises(ApiRefused, match="PriorityInUse"):
        engine.create(RULE, inputs)


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        (forward(["a", "b"], 1000, 0), "weight must be a whole number from 0 to 999, got 1000"),
        (forward([str(n) for n in range(6)], *[1] * 6), "1 to 5 target groups, got 6"),
        (forward([]), "1 to 5 target groups, got 0"),
        (forward(["a", "a"], 1, 1), "must differ"),
        (forward(["a"], 1, stickiness={"enabled": True, "duration": 604801}), "from 1 to 604800"),
        (forward(["a"], 1, colour=1), "does not apply forward.colour"),
        ({"type": "forward"}, "forward or targetGroupArn must be given"),
        ({"type": "fixed-response", "fixedResponse": {**NOTHING, "statusCode": "302"}}, "2xx, 4xx or 5xx"),
        ({"type": "fixed-response", "fixedResponse": {**NOTHING, "contentType": "text/csv"}}, "text/plain"),
        (
            {"type": "fixed-response", "fixedResponse": {**NOTHING, "messageBody": "x" * 1025}},
            "1024 characters, got 1025",
        ),
        ({"type": "redirect", "redirect": {"statusCode": "HTTP_301"}}, "must change"),
        ({"type": "redirect", "redirect": {"port": "443", "statusCode": "HTTP_308"}}, "HTTP_301, HTTP_302"),
        ({"type": "authenticate-oidc"}, "forward, fixed-response, redirect, got 'authenticate-oidc'"),
        ({**FIXED, "redirect": REDIRECT["redirect"]}, "redirect does not go with type fixed-response"),
    ],
)
def test_actions_that_aws_refuses_are_refused(engine: Any, action: dict[str, Any], reason: str) -> None:
    inputs = {"loadBalancerArn": "arn", "port": 80, "defaultActions": [action]}
    assert reason in " ".join(engine.refusals(LISTENER, inputs).values())
    assert reason in " ".join(
        engine.refusals(RULE, {"listenerArn": "a", "conditions": [TEST_HEADER], "actions": [action]}).values()
    )


@pytest.mark.parametrize(
    ("path", "change", "reason"),
    [
        ("certificateArn", {"protocol": "HTTPS"}, "must be given where protocol is HTTPS"),
        ("sslPolicy", {"sslPolicy": "x"}, "must not be given where protocol is HTTP"),
        ("port", {"port": 70000}, "from 1 to 65535, got 70000"),
        ("protocol", {"protocol": "TCP"}, "HTTP, HTTPS, got 'TCP'"),
    ],
)
def test_what_aws_refuses_of_a_listener_is_refused(engine: Any, path: str, change: dict[str, Any], reason: str) -> None:
    assert (
        reason
        in engine.refusals(LISTENER, {"loadBalancerArn": "a", "port": 80, "defaultActions": [FIXED], **change})[path]
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"priority": 50001}, "from 1 to 50000, got 50001"),
        ({"conditions": []}, "at least one condition"),
        ({"conditions": [{"colour": {"values": ["blue"]}}]}, "must have just one of hostHeader"),
        ({"conditions": [{"pathPattern": {"values": ["a"]}}]}, "start with a slash"),
        ({"conditions": [{"pathPattern": {"values": ["/a"] * 6}}]}, "5 values together, got 6"),
        ({"conditions": [{"hostHeader": {"values": ["x" * 129]}}]}, "1 to 128 characters"),
        (
            {"conditions": [{"hostHeader": {"regexValues": ["x"]}}]},
            "does not apply conditions[0].hostHeader.regexValues",
        ),
    ],
)
def test_what_aws_refuses_of_a_rule_is_refused(engine: Any, change: dict[str, Any], reason: str) -> None:
    inputs = {"listenerArn": "a", "conditions": [TEST_HEADER], "actions": [FIXED], **change}
    assert reason in " ".join(engine.refusals(RULE, inputs).values())


def test_a_secret_header_value_never_stands_in_an_error(engine: Any) -> None:
    secret = "s" * 129
    header = {"httpHeader": {"httpHeaderName": "X", "values": [secret]}}
    refused = engine.refusals(RULE, {"listenerArn": "a", "conditions": [header], "actions": [FIXED]})
    assert refused
    assert secret not in str(refused)
