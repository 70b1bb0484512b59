"""Listeners of application load balancers."""

from typing import Any

from localcloud.provider.kind import AwsType, Change, Create, Failures, Prop, Read, Step
from localcloud.provider.kinds.bounds import among, whole
from localcloud.provider.kinds.common import by_id, deletes
from localcloud.provider.kinds.delivery.actions import action_rules, actions_prop
from localcloud.provider.kinds.delivery.elb_common import ELB_TAGS, TAGS_READ
from localcloud.provider.values import Properties

PLAIN_SSL_POLICY = "ELBSecurityPolicy-2016-08"
"""What AWS takes for an HTTPS listener that names no policy."""


def _https_parameters(change: Change) -> dict[str, Any]:
    if change.inputs["protocol"] != "HTTPS":
        return {}
    return {
        "Certificates": [{"CertificateArn": change.inputs["certificateArn"]}],
        "SslPolicy": change.inputs.get("sslPolicy", PLAIN_SSL_POLICY),
    }


def _modifies(change: Change) -> None:
    applied = change.parameters("modify_listener", ("port", "protocol", "defaultActions"))
    change.call("modify_listener", ListenerArn=change.id, **applied, **_https_parameters(change))


def _https_only(value: str) -> Any:
    """Reads a value where the listener speaks HTTPS: moto tells a policy for all."""

    def read(found: dict[str, Any]) -> Any:
        if found.get("Protocol") != "HTTPS":
            return None
        return (
            found.get("SslPolicy") if value == "sslPolicy" else (found["Certificates"] or [{}])[0].get("CertificateArn")
        )

    return read


def _secured(inputs: Properties) -> Failures:
    protocol = inputs.get("protocol")
    if protocol == "HTTP":
        for name in sorted({"certificateArn", "sslPolicy"} & inputs.keys()):
            yield name, f"{name} must not be given where protocol is HTTP, got {inputs[name]!r}"
    if protocol == "HTTPS" and not inputs.get("certificateArn"):
        yield "certificateArn", "certificateArn must be given where protocol is HTTPS, got nothing"


LISTENER = AwsType(
    token="aws:lb/listener:Listener",
    service="elbv2",
    properties={
        "loadBalancerArn": Prop(required=True, replaces=True),
        "port": Prop(required=True),
        "protocol": Prop(default="HTTP"),
        "certificateArn": Prop(resettable=True, read=_https_only("certificateArn")),
        "sslPolicy": Prop(resettable=True, read=_https_only("sslPolicy")),
        "defaultActions": actions_prop("DefaultActions"),
        "tags": Prop(),
    },
    create=Create(
        "create_listener",
        "Listeners[0].ListenerArn",
        extra=_https_parameters,
        of=frozenset({"certificateArn", "sslPolicy"}),
    ),
    reads=(Read("describe_listeners", by_id("ListenerArns", many=True), "Listeners[0]"), TAGS_READ),
    steps=(Step(frozenset({"port", "protocol", "certificateArn", "sslPolicy", "defaultActions"}), _modifies),),
    delete=deletes("delete_listener", "ListenerArn"),
    outputs={"arn": "ListenerArn"},
    tags=ELB_TAGS,
    rules=(whole("port", 1, 65535), among("protocol", "HTTP", "HTTPS"), *action_rules("defaultActions")),
    presence=(_secured,),
)

TYPES = (LISTENER,)
