"""Which values of properties a comment may show: those whose property and whose form are both known to be harmless.

The engine blinds what it knows as a secret. What it does not know, a password that somebody put into a description or a
variable of a launch template, it hands over in clear, and a comment is read by anybody and mailed about. So a value is
shown only if its property is in the table below, if it looks as such a value does, and if neither its old nor its new
form is secret. Of all else the path is shown.
"""

import re
from collections.abc import Callable, Mapping
from ipaddress import ip_network
from typing import Any

from pipeline import types
from pipeline.secrets import UNKNOWN, is_secret

Form = Callable[[Any], bool]
LATER = "known in the update"


def is_network(value: Any) -> bool:
    """An IPv4 or IPv6 network."""
    if not isinstance(value, str):
        return False
    try:
        ip_network(value)
    except ValueError:
        return False
    return True


def is_number(value: Any) -> bool:
    """A whole number of at most seven digits, also as text."""
    return not isinstance(value, bool) and bool(re.fullmatch(r"-?\d{1,7}(\.0)?", str(value)))


def is_flag(value: Any) -> bool:
    """True or false."""
    return isinstance(value, bool)


def _text(pattern: str) -> Form:
    form = re.compile(pattern, re.ASCII)
    return lambda value: isinstance(value, str) and bool(form.fullmatch(value))


is_protocol = _text(r"-1|[a-z0-9]{1,8}")
is_zone = _text(r"[a-z]{2}(-[a-z]{1,12}){1,3}-\d[a-z]")
is_instance_type = _text(r"[a-z][a-z0-9-]{1,11}\.[a-z0-9-]{1,14}")
is_source = _text(r"(sg|pl)-[0-9a-f]{8,17}")

_RULE: Mapping[str, Form] = {
    "cidrIpv4": is_network,
    "cidrIpv6": is_network,
    "fromPort": is_number,
    "toPort": is_number,
    "ipProtocol": is_protocol,
    "protocol": is_protocol,
    "referencedSecurityGroupId": is_source,
    "sourceSecurityGroupId": is_source,
    "prefixListId": is_source,
    "self": is_flag,
}
HARMLESS: Mapping[str, Mapping[str, Form]] = {
    **dict.fromkeys(types.GROUP_RULES, _RULE),
    types.VPC: {"cidrBlock": is_network},
    types.SUBNET: {"cidrBlock": is_network, "availabilityZone": is_zone, "mapPublicIpOnLaunch": is_flag},
    types.ROUTE: {"destinationCidrBlock": is_network},
    types.LOAD_BALANCER: {"internal": is_flag, "enableDeletionProtection": is_flag, "idleTimeout": is_number},
    types.TARGET_GROUP: {"port": is_number, "deregistrationDelay": is_number},
    types.LISTENER: {"port": is_number},
    types.SCALING_GROUP: {"minSize": is_number, "maxSize": is_number, "desiredCapacity": is_number},
    types.INSTANCE: {"instanceType": is_instance_type},
    types.LAUNCH_TEMPLATE: {"instanceType": is_instance_type},
    types.LOG_GROUP: {"retentionInDays": is_number},
    types.TABLE: {"deletionProtectionEnabled": is_flag},
    types.DATABASE: {"deletionProtection": is_flag, "multiAz": is_flag, "allocatedStorage": is_number},
}
"""By type and property, the form that a value must have to be shown."""


def shown(type_name: str, path: str, before: Any, after: Any) -> tuple[str | None, str | None]:
    """A property's old and new value in words; None for what may not be shown, and for what was not set."""
    form = HARMLESS.get(type_name, {}).get(path)
    if form is None or is_secret(before) or is_secret(after):
        return None, None
    return _told(form, before), _told(form, after)


def _told(form: Form, value: Any) -> str | None:
    if value == UNKNOWN:
        return LATER
    return plain(value) if form(value) else None


def plain(value: Any) -> str:
    """A number or a flag as a person writes it; numbers may come as floats."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
