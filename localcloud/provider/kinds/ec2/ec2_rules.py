"""What EC2 refuses in a property's value, as rules for the table's rows; moto accepts most of it."""

import base64
import ipaddress
import re
from collections.abc import Iterable

from localcloud.provider.kind import Failures
from localcloud.provider.kinds.bounds import Rule, among, whole
from localcloud.provider.values import Properties

GROUP_TEXT = re.compile(r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]*")
"""Characters of a security group's name and description, and of its rules' descriptions."""
USER_DATA_BYTES = 16_384


def one_at_most(names: Iterable[str]) -> Rule:
    """No two of the properties are given together. For a type's presence."""
    kept = tuple(names)

    def rule(inputs: Properties) -> Failures:
        given = [name for name in kept if inputs.get(name) not in (None, "", [])]
        for name in given[1:]:
            yield name, f"{name} cannot go together with {given[0]}"

    return rule


def just_one(names: Iterable[str]) -> Rule:
    """One of the properties is given, and no other. For a type's presence."""
    kept = tuple(names)
    at_most = one_at_most(kept)

    def rule(inputs: Properties) -> Failures:
        yield from at_most(inputs)
        if all(inputs.get(name) in (None, "", []) for name in kept):
            yield kept[0], f"one of {', '.join(kept)} must be given"

    return rule


def network(name: str, *, largest: int = 0, smallest: int = 32) -> Rule:
    """The property, where given, is an IPv4 network without host bits, of a prefix length within bounds."""

    def rule(inputs: Properties) -> Failures:
        if inputs.get(name):
            yield from network_failures(name, inputs[name], largest, smallest)

    return rule


def network_failures(name: str, block: object, largest: int = 0, smallest: int = 32) -> Failures:
    """What is wrong with an IPv4 network."""
    try:
        prefix = ipaddress.IPv4Network(str(block)).prefixlen
    except ValueError as error:
        yield name, f"{name} {block!r} is not an IPv4 network: {error}"
        return
    if not largest <= prefix <= smallest:
        yield name, f"{name} {block} is outside the sizes /{largest} to /{smallest}"


def network6(name: str) -> Rule:
    """The property, where given, is an IPv6 network without host bits."""

    def rule(inputs: Properties) -> Failures:
        if inputs.get(name):
            yield from network6_failures(name, inputs[name])

    return rule


def network6_failures(name: str, block: object) -> Failures:
    """What is wrong with an IPv6 network."""
    try:
        ipaddress.IPv6Network(str(block))
    except ValueError as error:
        yield name, f"{name} {block!r} is not an IPv6 network: {error}"


def group_text(name: str, *, longest: int = 255, required: bool = False) -> Rule:
    """The property is text as EC2 takes it for security groups."""

    def rule(inputs: Properties) -> Failures:
        if name in inputs:
            yield from text_failures(name, str(inputs[name]), longest, required=required)

    return rule


def text_failures(name: str, value: str, longest: int = 255, *, required: bool = False) -> Failures:
    """What is wrong with a security group's text: its length in characters, or one that EC2 forbids."""
    if len(value) > longest or (required and not value):
        yield name, f"{name} must have {1 if required else 0} to {longest} characters, got {len(value)}"
    elif not GROUP_TEXT.fullmatch(value):
        strange = sorted({letter for letter in value if not GROUP_TEXT.fullmatch(letter)})
        yield name, f"{name} may have letters, digits, spaces and ._-:/()#,@[]+=&;{{}}!$*, got {''.join(strange)!r}"


def user_data(name: str, *, encoded: bool) -> Rule:
    """User data within EC2's limit of 16 KiB; base64 where it is given encoded."""

    def rule(inputs: Properties) -> Failures:
        text = str(inputs.get(name, ""))
        try:
            size = len(base64.b64decode(text, validate=True)) if encoded else len(text.encode())
        except ValueError:
            yield name, f"{name} must be base64"
            return
        if size > USER_DATA_BYTES:
            yield name, f"{name} takes at most {USER_DATA_BYTES} bytes before base64, got {size}"

    return rule


METADATA_OPTIONS: tuple[Rule, ...] = (
    among("metadataOptions.httpEndpoint", "enabled", "disabled"),
    among("metadataOptions.httpTokens", "optional", "required"),
    among("metadataOptions.httpProtocolIpv6", "enabled", "disabled"),
    among("metadataOptions.instanceMetadataTags", "enabled", "disabled"),
    whole("metadataOptions.httpPutResponseHopLimit", 1, 64),
)
"""The instance metadata service's settings."""
