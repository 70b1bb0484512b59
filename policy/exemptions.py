"""Written exemptions: which rule one resource may break, why, who says so, and until when.

They stand in policy-exemptions.yaml beside the Pulumi.yaml of the project that is checked. An exemption that has ended
exempts nothing any more.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from policy.model import Resource
from policy.rule import Rule

FILE_NAME = "policy-exemptions.yaml"
REASON_MIN_LENGTH = 30

Line = Annotated[str, Field(min_length=1, pattern=r"^\S(.*\S)?$")]


class BadExemptions(Exception):
    """The file of exemptions is not as it must be; one line that says where."""


class Exemption(BaseModel):
    """One resource that may break one rule for a while."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Line
    """The rule's id."""
    resource: Line
    """The resource's name, as the program calls it."""
    reason: Annotated[str, Field(min_length=REASON_MIN_LENGTH)]
    """The conflict that keeps the resource from complying."""
    owner: Line
    """Who answers for it."""
    expires: date
    """The last day on which it holds."""
    stacks: tuple[Line, ...] = ()
    """The stacks that it holds in; all where none is named."""

    def covers(self, rule: Rule, resource: Resource, stack: str) -> bool:
        """Whether it is about this rule, this resource and this stack, however old it is."""
        return (self.id, self.resource) == (rule.id, resource.name) and (not self.stacks or stack in self.stacks)


@dataclass(frozen=True, slots=True)
class Exemptions:
    """What a project has exempted."""

    entries: tuple[Exemption, ...] = ()

    def of(self, rule: Rule, resource: Resource, stack: str) -> Exemption | None:
        """The exemption for this rule and resource that holds longest, or held."""
        found = (entry for entry in self.entries if entry.covers(rule, resource, stack))
        return max(found, key=lambda entry: entry.expires, default=None)


def read(folder: Path, known_ids: frozenset[str]) -> Exemptions:
    """The exemptions of the project in folder; none without a file. Raises BadExemptions."""
    path = folder / FILE_NAME
    try:
        document = yaml.safe_load(path.read_bytes())
    except FileNotFoundError:
        return Exemptions()
    except yaml.YAMLError as error:
        raise BadExemptions(f"{FILE_NAME} is not YAML: {' '.join(str(error).split())}") from None
    try:
        entries = TypeAdapter(tuple[Exemption, ...]).validate_python(document or ())
    except ValidationError as error:
        raise BadExemptions(f"{FILE_NAME}: {'; '.join(_told(error))}") from None
    for entry in entries:
        if entry.id not in known_ids:
            raise BadExemptions(f"{FILE_NAME}: there is no rule {entry.id!r}")
    return Exemptions(entries)


def _told(error: ValidationError) -> Iterator[str]:
    for problem in error.errors():
        place = [str(each + 1 if isinstance(each, int) else each) for each in problem["loc"]]
        yield f"entry {' '.join(place)}: {problem['msg']}" if place else problem["msg"]
