"""Listeners and what they do with a request: share it out, redirect it, or say that nothing is released."""

from collections.abc import Mapping

import pulumi
from pulumi_aws import lb

from ..bounds import whole
from ..children import Children
from ..naming import COLOURS

TEST_HEADER = "X-Teal-Test"
TEST_RULE_PRIORITY = 10
ASSET_RULE_PRIORITIES = {colour: 20 + place for place, colour in enumerate(COLOURS)}
SSL_POLICIES = tuple(  # Security Hub's ELB.17, post-quantum key exchange first
    f"ELBSecurityPolicy-TLS13-1-{rest}"
    for rest in (
        *("2-Res-PQ-2025-09", "3-PQ-2025-09", "2-Res-FIPS-PQ-2025-09", "3-FIPS-PQ-2025-09"),
        *("2-Res-2021-06", "3-2021-06", "2-Res-FIPS-2023-04", "3-FIPS-2023-04"),
    )
)
HEADER_VALUE_MAX_LENGTH = 128


def checked_weights(weights: Mapping[str, float]) -> dict[str, int]:
    """Whole weights in the order of the colours. Raises ValueError unless both colours share 100 out."""
    if set(weights) != set(COLOURS):
        raise ValueError(f"weights must name {' and '.join(COLOURS)}, got {', '.join(weights) or 'none'}")
    checked = {colour: whole(f"weights of {colour}", weights[colour], 0, 100) for colour in COLOURS}
    if sum(checked.values()) != 100:
        raise ValueError(f"weights must add up to 100, got {sum(checked.values())}")
    return checked


def check_colour(field: str, colour: str) -> None:
    """Raises ValueError, naming the field, for anything but a colour."""
    if colour not in COLOURS:
        raise ValueError(f"{field} must be one of {', '.join(COLOURS)}, got {colour!r}")


def check_header_value(value: pulumi.Input[str]) -> None:
    """Raises ValueError for a plain value that is empty, too long or a pattern; never repeats it, as it is secret."""
    if not isinstance(value, str):
        return
    if not 1 <= len(value) <= HEADER_VALUE_MAX_LENGTH or set("*?") & set(value):
        raise ValueError(f"test_header_value must have 1 to {HEADER_VALUE_MAX_LENGTH} characters, none of them * or ?")


def check_ssl_policy(policy: str) -> None:
    """Raises ValueError for a policy that lets weak ciphers or TLS below 1.2 in."""
    if policy not in SSL_POLICIES:
        raise ValueError(f"ssl_policy must be one of {', '.join(SSL_POLICIES)}, got {policy!r}")


def check_asset_colours(asset_colours: Mapping[str, str]) -> None:
    """Raises ValueError unless it says of both colours which colour answers for them."""
    if set(asset_colours) != set(COLOURS):
        raise ValueError(f"asset_colours must name {' and '.join(COLOURS)}, got {', '.join(asset_colours) or 'none'}")
    for named, colour in asset_colours.items():
        check_colour(f"asset_colours of {named}", colour)


def forward_action(
    arns: Mapping[str, pulumi.Input[str]], weights: Mapping[str, int], stickiness_seconds: int
) -> lb.ListenerDefaultActionArgsDict:
    """Shares requests out by weight; sticky, where wanted, only while more than one colour has a share."""
    shares: list[lb.ListenerDefaultActionForwardTargetGroupArgsDict] = [
        {"arn": arns[colour], "weight": weight} for colour, weight in weights.items()
    ]
    forward: lb.ListenerDefaultActionForwardArgsDict = {"target_groups": shares}
    if stickiness_seconds and all(weights.values()):
        forward["stickiness"] = {"enabled": True, "duration": stickiness_seconds}
    return {"type": "forward", "forward": forward}


def nothing_released() -> lb.ListenerDefaultActionArgsDict:
    """Answers 503 with a line of text."""
    answer: lb.ListenerDefaultActionFixedResponseArgsDict = {
        "content_type": "text/plain",
        "message_body": "nothing released yet",
        "status_code": "503",
    }
    return {"type": "fixed-response", "fixed_response": answer}


def http_listener(
    children: Children, load_balancer_arn: pulumi.Input[str], action: lb.ListenerDefaultActionArgsDict
) -> lb.Listener:
    """HTTP on port 80 with the given action."""
    return lb.Listener(
        children.name("listener"),
        load_balancer_arn=load_balancer_arn,
        port=80,
        protocol="HTTP",
        default_actions=[action],
        tags=children.tagged("listener"),
        opts=children.options(),
    )


def https_listener(
    children: Children,
    load_balancer_arn: pulumi.Input[str],
    action: lb.ListenerDefaultActionArgsDict,
    certificate_arn: pulumi.Input[str],
    ssl_policy: str,
) -> lb.Listener:
    """HTTPS on port 443 with the given action, and port 80 redirected there.

    It has the name of the HTTP listener, so that a service that gets a certificate later moves its listener to port 443
    in place; the redirect follows it, since two listeners can't share port 80 even for a moment.
    """
    listener = lb.Listener(
        children.name("listener"),
        load_balancer_arn=load_balancer_arn,
        port=443,
        protocol="HTTPS",
        certificate_arn=certificate_arn,
        ssl_policy=ssl_policy,
        default_actions=[action],
        tags=children.tagged("listener"),
        opts=children.options(),
    )
    lb.Listener(
        children.name("redirect"),
        load_balancer_arn=load_balancer_arn,
        port=80,
        protocol="HTTP",
        default_actions=[
            {"type": "redirect", "redirect": {"port": "443", "protocol": "HTTPS", "status_code": "HTTP_301"}}
        ],
        tags=children.tagged("redirect"),
        opts=children.following(listener).options(),
    )
    return listener


def idle_rule(
    children: Children,
    listener: lb.Listener,
    arns: Mapping[str, pulumi.Input[str]],
    colour: str,
    value: pulumi.Input[str],
) -> lb.ListenerRule:
    """Takes requests whose test header has the value to one colour, and keeps both groups attached.

    Never sticky: a client's cookie must neither lead a tester astray nor keep anyone on the idle colour.
    """
    header: lb.ListenerRuleConditionHttpHeaderArgsDict = {
        "http_header_name": TEST_HEADER,
        "values": [pulumi.Output.secret(value)],
    }
    return lb.ListenerRule(
        children.name("test"),
        listener_arn=listener.arn,
        priority=TEST_RULE_PRIORITY,
        conditions=[{"http_header": header}],
        actions=[_all_to(colour, arns)],
        tags=children.tagged("test"),
        opts=children.options(),
    )


def asset_rules(
    children: Children, listener: lb.Listener, arns: Mapping[str, pulumi.Input[str]], asset_colours: Mapping[str, str]
) -> None:
    """Takes requests for one colour's own files to the colour that answers for it, whatever the weights are.

    So a page finds its files during a shift: a server that does not have one redirects to the other colour's path.
    """
    for named, colour in asset_colours.items():
        lb.ListenerRule(
            children.name(f"assets-{named}"),
            listener_arn=listener.arn,
            priority=ASSET_RULE_PRIORITIES[named],
            conditions=[{"path_pattern": {"values": [f"/assets/{named}/*"]}}],
            actions=[_all_to(colour, arns)],
            tags=children.tagged(f"assets-{named}"),
            opts=children.options(),
        )


def _all_to(colour: str, arns: Mapping[str, pulumi.Input[str]]) -> lb.ListenerRuleActionArgsDict:
    """Everything to one colour; the other stays attached."""
    shares: list[lb.ListenerRuleActionForwardTargetGroupArgsDict] = [
        {"arn": arns[each], "weight": 100 if each == colour else 0} for each in COLOURS
    ]
    return {"type": "forward", "forward": {"target_groups": shares}}
