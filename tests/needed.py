"""What roles needed when it was last recorded: a file beside the tests that compare with it."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path

from components.pipeline_roles.permissions import EVERYTHING, Scope, Statement
from localcloud.api.recorder import Recorded
from localcloud.api.resources import UNTOLD

RECORD = Path(__file__).parent / "components" / "pipeline_roles" / "pipeline_calls.json"
CHANCE = (
    (re.compile(r"-[0-9a-f]{7}(?=$|[/:])"), "-0000000"),  # what Pulumi appends to names
    (re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"), "00000000-0000-0000-0000-000000000000"),
    (re.compile(r"/[0-9a-f]{16}(?=$|/)"), "/0000000000000000"),  # ids of load balancing
    (re.compile(r"hostedzone//?(hostedzone/)?[A-Z0-9]{10,}"), "hostedzone/Z0000000000000"),
    (re.compile(r"(change|hostedzone)//?(change/)?C[A-Z0-9]{8,}"), "change/C0000000000000"),
)  # fmt: skip
"""What differs from one recording to the next, and what stands for it."""


@dataclass(frozen=True, slots=True, order=True)
class Need:
    """An action on a resource, and a call that needed it."""

    action: str
    resource: str
    call: str


def needs_of(lines: Iterable[Recorded]) -> set[Need]:
    """What the calls needed, without what chance has put into names."""
    return {Need(line.action, _settled(line.resource), line.call) for line in lines}


def read() -> dict[str, set[Need]]:
    """By role, what it needed when that was last recorded."""
    found = json.loads(RECORD.read_text())
    return {role: {Need(*need) for need in needs} for role, needs in found.items()}


def write(needs: Mapping[str, set[Need]]) -> None:
    """Puts the record in place, a need a line."""
    blocks = []
    for role, some in needs.items():
        lines = ",\n".join(f"  {json.dumps(astuple(need))}" for need in sorted(some))
        blocks.append(f'"{role}": [\n{lines}\n]')
    RECORD.write_text("{\n" + ",\n".join(blocks) + "\n}\n")


SCOPE = Scope(account_id="123456789012", region="eu-west-1", project="teal", environments=("dev", "prod", "qa"))
"""The account that was recorded in."""


def lacking(statements: Iterable[Statement], needs: Iterable[Need]) -> list[str]:
    """What was called and is not allowed, a line an action and resource."""
    known = list(statements)
    return sorted({f"{need.action} on {need.resource} ({need.call})" for need in needs if not _is_met(known, need)})


def idle(statements: Iterable[Statement], needs: Iterable[Need]) -> list[str]:
    """What is allowed as needed and was never called, and what is said to be uncalled and was, a line an action."""
    called = {need.action for need in needs}
    found = []
    for statement in statements:
        if statement.denies:
            continue
        found += [f"{statement.sid}: nothing calls {name}" for name in statement.actions if name not in called]
        found += [f"{statement.sid}: {name} is called, after all" for name in statement.unseen if name in called]
    return sorted(found)


def _is_met(statements: list[Statement], need: Need) -> bool:
    """A denial wins; where the request does not tell the resource, any that the action is allowed on will do."""
    about = [statement for statement in statements if need.action in (*statement.actions, *statement.unseen)]
    denied = [each for each in statements if each.denies and each.names(need.action)]
    if need.resource != UNTOLD and any(each.covers(need.resource, SCOPE) for each in denied):
        return False
    if need.resource == UNTOLD:
        return bool(about)
    if need.resource == EVERYTHING:
        return any(EVERYTHING in each.resources for each in about)
    return any(each.covers(need.resource, SCOPE) for each in about)


def _settled(resource: str) -> str:
    for pattern, constant in CHANCE:
        resource = pattern.sub(constant, resource)
    return resource
