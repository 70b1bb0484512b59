"""What roles needed when it was last recorded: a file beside the tests that compare with it."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path

from localcloud.api.recorder import Recorded

RECORD = Path(__file__).parent / "components" / "pipeline_calls.json"
CHANCE = (
    (re.compile(r"-[0-9a-f]{7}(?=$|[/:])"), "-0000000"),  # what Pulumi appends to names
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "00000000-0000-0000-0000-000000000000"),
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


def _settled(resource: str) -> str:
    for pattern, constant in CHANCE:
        resource = pattern.sub(constant, resource)
    return resource
