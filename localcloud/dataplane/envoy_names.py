"""By which names a load balancer may be asked. Pure.

ELBv2 answers whatever name it is called by. On loopback that would let any web page in whose own name is made to lead
here (DNS rebinding), so a load balancer answers to names of this machine, and to those that are its own: its DNS name,
those on its certificates, and those that its rules ask for.
"""

import re

from localcloud.dataplane.envoy_match import Json, wildcard
from localcloud.dataplane.snapshot import ConditionField, LoadBalancer

HERE = (r"127\.0\.0\.1", r"\[::1\]", r"([a-z0-9_-]+\.)*localhost")
NOT_OUR_NAME = (
    "this load balancer answers to 127.0.0.1, to localhost, to its DNS name and to the names of its certificates and "
    "rules: take the address that `teal local status` prints\n"
)
LEAST_LABELS = 2


def own_names(balancer: LoadBalancer) -> tuple[str, ...]:
    """Names and patterns that are the load balancer's own, sorted; none as wide as *.com, which is anybody's."""
    certified = {name for listener in balancer.listeners for name in listener.domains}
    ruled = {
        value
        for listener in balancer.listeners
        for rule in listener.rules
        for condition in rule.conditions
        if condition.field is ConditionField.HOST
        for value in condition.values
    }
    named = {balancer.dns_name.lower(), *(name.lower() for name in certified | ruled if _is_somebodys(name))}
    return tuple(sorted(named - {""}))


def stranger(balancer: LoadBalancer) -> Json:
    """A route match for every request by another name."""
    names = "|".join([*HERE, *map(wildcard, own_names(balancer))])
    ours = {"safe_regex": {"regex": f"(?i)({names})(:[0-9]+)?"}}
    return {"prefix": "/", "headers": [{"name": ":authority", "string_match": ours, "invert_match": True}]}


def _is_somebodys(pattern: str) -> bool:
    """Whether the last two labels are spelled out."""
    labels = pattern.split(".")[-LEAST_LABELS:]
    return len(labels) == LEAST_LABELS and not any(re.search(r"[*?]", label) for label in labels)
