"""YAML as Pulumi's files hold it: text, numbers, true and false, lists, keys with values.

Read as the engine reads it, which is not as YAML 1.1 has it: `no` is a text. What the two would take for different
things (octal numbers, dates, tags) becomes an Unclear, so that whoever knows its key can say so. Bounded in all ways:
a file of a kilobyte that stands for gigabytes is refused.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

MAX_BYTES = 1_000_000
MAX_DEPTH = 40
MAX_VALUES = 20_000
"""Values of a whole file, each counted as often as it is referred to."""
MAX_DIGITS = 18
MAX_FLOAT_LENGTH = 24
"""What a double takes at most when it is written out whole, as 1.7976931348623157e+308 with a sign is."""
TAG = "tag:yaml.org,2002:"
UNCLEAR = "!unclear"

Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's where PyYAML was built with it


class NotPlain(Exception):
    """The file cannot be read; one line that says where."""


@dataclass(frozen=True, slots=True)
class Unclear:
    """A value that YAML readers differ about, or that cannot be passed on."""

    text: str
    why: str


class PlainLoader(Loader):  # type: ignore[misc, valid-type]  # known at run time only
    """Makes plain values, whatever a file's tags ask for."""

    yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012  # as its base has it
    yaml_constructors: dict[Any, Any] = {}  # noqa: RUF012

    def plain(self, node: yaml.Node) -> Any:
        """The value of a node."""
        if isinstance(node, yaml.MappingNode):
            return self._keys_with_values(node)
        if isinstance(node, yaml.SequenceNode):
            return [self.construct_object(each, deep=True) for each in node.value]
        assert isinstance(node, yaml.ScalarNode)  # noqa: S101  # there is no fourth kind
        return _scalar(node)

    def _keys_with_values(self, node: yaml.MappingNode) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self.construct_object(key_node, deep=True)
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise NotPlain(f"line {line}: a key must be text")
            text = str(key_node.value)
            if text in found:
                raise NotPlain(f"line {line}: {shown(text)} stands there twice")
            if text == "<<":
                found[text] = Unclear(text, "merging keys is not taken: write them out")
            elif not isinstance(key, str):
                found[text] = Unclear(text, "a key must be text, in quotes where it looks like anything else")
            else:
                found[text] = self.construct_object(value_node, deep=True)
        return found


PlainLoader.add_constructor(None, PlainLoader.plain)
for _tag, _pattern, _first in (
    (TAG + "bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    (TAG + "null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    (TAG + "int", r"^[-+]?(?:0|[1-9][0-9]*)$", "-+0123456789"),
    (UNCLEAR, r"^[-+]?(?:0[0-9_]+|0[xXoObB][0-9a-fA-F_]+|[0-9][0-9]*_[0-9_.]*)$", "-+0123456789"),
    (UNCLEAR, r"^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt ].*)?$", "0123456789"),
    (UNCLEAR, r"^[-+]?\.(?:inf|Inf|INF|nan|NaN|NAN)$", "-+."),
    (TAG + "float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", "-+.0123456789"),
):
    PlainLoader.add_implicit_resolver(_tag, re.compile(_pattern), list(_first))


def read(content: bytes) -> Any:
    """What a YAML document holds: plain values, and an Unclear where there is none. Raises NotPlain."""
    if len(content) > MAX_BYTES:
        raise NotPlain(f"it has {len(content)} bytes: {MAX_BYTES} are enough")
    try:
        _check_depth(content)
        found = yaml.load(content, Loader=PlainLoader)  # noqa: S506  # it makes plain values only
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise NotPlain(f"it is not YAML: {_told(error)}{f', line {mark.line + 1}' if mark else ''}") from None
    except yaml.YAMLError as error:
        raise NotPlain(f"it is not YAML: {' '.join(str(error).split())}") from None
    if _count(found, {}) > MAX_VALUES:
        raise NotPlain(f"its aliases stand for more than {MAX_VALUES} values")
    return found


def unclear(value: Any) -> Unclear | None:
    """The first Unclear in a value."""
    if isinstance(value, Unclear):
        return value
    below: Iterator[Any] = iter(value.values() if isinstance(value, dict) else value if isinstance(value, list) else ())
    return next((found for each in below if (found := unclear(each))), None)


def shown(value: Any) -> str:
    """A value as an error shows it: in one short line, whatever it is."""
    import reprlib  # only an error needs it

    short = reprlib.Repr()
    short.maxstring = short.maxother = 80
    short.maxlist = short.maxtuple = short.maxdict = 8
    short.maxlevel = 3
    return short.repr(value)


def _told(error: yaml.MarkedYAMLError) -> str:
    return ", ".join(" ".join(part.split()) for part in (error.context, error.problem) if part)


def _check_depth(content: bytes) -> None:
    """By the events, which come one by one: a tree that is too deep must not be built."""
    depth = 0
    for event in yaml.parse(content, Loader=Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise NotPlain(f"line {_line(event)}: it is nested deeper than {MAX_DEPTH} levels")


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _count(value: Any, known: dict[int, int]) -> int:
    """Values in all, without going through one twice."""
    if not isinstance(value, (dict, list)):
        return 1
    if id(value) not in known:
        below = value.values() if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_count(each, known) for each in below)
    return known[id(value)]


def _scalar(node: yaml.ScalarNode) -> Any:
    text, kind = str(node.value), node.tag.removeprefix(TAG)
    if kind == "str":
        return text
    if kind == "null" and text in ("", "~", "null", "Null", "NULL"):
        return None
    if kind == "bool" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    if kind in ("int", "float"):
        return _number(text, kind)
    if node.tag == UNCLEAR:
        return Unclear(text, "readers of YAML differ about it: write it in decimal digits, or as text in quotes")
    return Unclear(text, f"its tag {shown(node.tag)} is not taken: write plain values")


def _number(text: str, kind: str) -> Any:
    longest = MAX_DIGITS if kind == "int" else MAX_FLOAT_LENGTH
    if len(text) > longest:
        return Unclear(text, f"it has more than {longest} digits")
    try:
        number = int(text) if kind == "int" else float(text)
    except ValueError:  # of a tag: !!int x
        return Unclear(text, "it is no number")
    return Unclear(text, "it is too large") if number in (float("inf"), float("-inf")) else number
