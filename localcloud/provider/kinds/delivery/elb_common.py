"""What load balancers, target groups, listeners and rules have in common: attributes by key, tags by ARN."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from localcloud.provider.kind import Change, Prop, Read, Step
from localcloud.provider.kinds.bounds import at
from localcloud.provider.kinds.common import by_id
from localcloud.provider.tags import listed_tags
from localcloud.provider.translate import text

ELB_TAGS = listed_tags("add_tags", "remove_tags", "ResourceArns", "TagKeys")
TAGS_READ = Read("describe_tags", by_id("ResourceArns", many=True), "TagDescriptions[0].{Tags: Tags}")

LOAD_BALANCER_NAME = r"(?!internal-)(?!-)[A-Za-z0-9-]{1,32}(?<!-)"
NAME_MEANING = "1 to 32 letters, digits or hyphens, with no hyphen at either end"


def arn_suffix(arn: str) -> str:
    """The part of an ARN that CloudWatch knows a load balancer or target group by."""
    resource = arn.split(":", 5)[-1]
    return resource.removeprefix("loadbalancer/")


@dataclass(frozen=True)
class AttributeFamily:
    """Properties that are kept as a list of keys with text values, read and changed by a call each."""

    read_call: str
    write_call: str
    parameter: str
    """Which parameter of both calls names the resource."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """Property, or path inside one, to attribute key."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """By path: what holds when it is not given."""

    def prop(self, name: str) -> Prop:
        """The property, read from its attributes. Where every part has a default, that stands in for its absence."""
        nested = [path for path in self.keys if path.startswith(f"{name}.")]
        if nested:
            return Prop(resettable=True, read=lambda found: self._nested(name, nested, found))
        return Prop(default=self.defaults.get(name), read=lambda found: self._told(self.keys[name], found))

    def read(self) -> Read:
        """Finds all attributes."""
        return Read(self.read_call, by_id(self.parameter), "Attributes", into="Attributes")

    def step(self) -> Step:
        """Applies them all in one call."""
        return Step(frozenset(path.split(".")[0] for path in self.keys), self._write)

    def _write(self, change: Change) -> None:
        wanted = []
        for path, key in self.keys.items():
            declared = at(change.inputs, path)
            value = self.defaults.get(path) if declared is None else declared
            if value is not None:
                wanted.append({"Key": key, "Value": text(value)})
        change.call(self.write_call, **{self.parameter: change.id}, Attributes=wanted)

    def _nested(self, name: str, paths: list[str], found: Mapping[str, Any]) -> dict[str, Any]:
        values = {path.removeprefix(f"{name}."): self._told(self.keys[path], found) for path in paths}
        return {key: value for key, value in values.items() if value not in (None, "")}

    @staticmethod
    def _told(key: str, found: Mapping[str, Any]) -> Any:
        values = {pair["Key"]: pair["Value"] for pair in found.get("Attributes") or []}
        value = values.get(key)
        if value in ("true", "false"):
            return value == "true"
        return int(value) if isinstance(value, str) and value.isdigit() else value
