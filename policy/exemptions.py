"""Written exemptions: which rule one resource may break, why, who says so, and until when.

They stand in policy-exemptions.yaml beside the Pulumi.yaml of the project that is checked. An exemption that has ended
exempts nothing any more.
"""

import difflib
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from policy.model import Resource
from policy.rule import Rule

FILE_NAME = "policy-exemptions.yaml"
REASON_MIN_LENGTH = 30
MAX_BYTES = 1_000_000
MAX_DEPTH = 20
MOST_PROBLEMS = 5
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class BadExemptions(Exception):
    """The file of exemptions is not as it must be; one line that says where."""


class TextLoader(yaml.BaseLoader):
    """Makes texts, lists and keys with values, whatever tags and looks a value has: what it must be, the model says."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """The keys with their values; each once."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for number, key in enumerate(keys):
            if key in keys[:number]:
                problem = f"{key!r:.80} stands there twice"
                raise yaml.constructor.ConstructorError(problem=problem, problem_mark=node.start_mark)
        return super().construct_mapping(node, deep)


def _day(written: Any) -> Any:
    """By its digits only: of a number, pydantic would make the seconds since 1970."""
    if type(written) is not date and not (isinstance(written, str) and DAY.fullmatch(written)):
        raise ValueError("must be a date such as 2027-01-31")
    return written


Line = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^\S(.*\S)?$")]


class Exemption(BaseModel):
    """One resource that may break one rule for a while."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    id: Line
    """The rule's id."""
    resource: Line
    """The resource's name, as the program calls it."""
    reason: Annotated[str, Field(min_length=REASON_MIN_LENGTH)]
    """The conflict that keeps the resource from complying."""
    owner: Line
    """Who answers for it."""
    expires: Annotated[date, BeforeValidator(_day)]
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
    try:
        document = _document((folder / FILE_NAME).read_bytes())
    except FileNotFoundError:
        return Exemptions()
    except OSError as error:
        raise BadExemptions(f"{FILE_NAME} cannot be read: {error.strerror}") from None
    except yaml.MarkedYAMLError as error:  # by its line, without the line itself, which may hold anything
        mark = error.problem_mark or error.context_mark
        said = " ".join(f"{error.context or ''} {error.problem or ''}".split())
        raise BadExemptions(f"{FILE_NAME} is not YAML: {said}{f', line {mark.line + 1}' if mark else ''}") from None
    except yaml.YAMLError as error:
        raise BadExemptions(f"{FILE_NAME} is not YAML: {' '.join(str(error).split())}") from None
    try:
        entries = TypeAdapter(tuple[Exemption, ...]).validate_python(() if document in (None, "") else document)
    except ValidationError as error:
        more = f"; and {error.error_count() - MOST_PROBLEMS} more" if error.error_count() > MOST_PROBLEMS else ""
        raise BadExemptions(f"{FILE_NAME}: {'; '.join(islice(_told(error), MOST_PROBLEMS))}{more}") from None
    for number, entry in enumerate(entries, start=1):
        if entry.id not in known_ids:
            raise BadExemptions(
                f"{FILE_NAME}: entry {number} id: there is no rule {entry.id!r}{_nearest(entry, known_ids)}"
            )
    return Exemptions(entries)


def _document(content: bytes) -> Any:
    """What the file holds. Raises YAMLError, and BadExemptions for a file that is too large to be one of exemptions."""
    if len(content) > MAX_BYTES:
        raise BadExemptions(f"{FILE_NAME} has {len(content)} bytes: {MAX_BYTES} are enough")
    depth = 0
    for event in yaml.parse(content, Loader=yaml.BaseLoader):  # one by one: a tree that is too deep must not be built
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise BadExemptions(f"{FILE_NAME} is nested deeper than {MAX_DEPTH} levels")
    return yaml.load(content, Loader=TextLoader)  # noqa: S506  # it makes nothing but texts, lists and keys with values


def _nearest(entry: Exemption, known_ids: Collection[str]) -> str:
    found = difflib.get_close_matches(entry.id, known_ids, n=1)
    return f"; did you mean {found[0]}?" if found else ""


def _told(error: ValidationError) -> Iterator[str]:
    for problem in error.errors(include_input=False):
        place = [str(each + 1) if isinstance(each, int) else _plain(each[:60]) for each in problem["loc"]]
        said = " ".join(problem["msg"].removeprefix("Value error, ").split())
        yield " ".join(f"entry {' '.join(place)}: {said}".split()) if place else said


def _plain(key: str) -> str:
    return key if key.isprintable() else repr(key)
