"""Policy documents and user data, as rules read them."""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from policy.model import Block


def parsed(value: Any) -> Any:
    """What a JSON text holds, or the value itself where it is none; None for a text that is not JSON."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return None


def many(value: Any) -> list[Any]:
    """A list, whether one was written or a single value."""
    return [] if value is None else value if isinstance(value, list) else [value]


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a policy document."""

    body: Mapping[str, Any]

    @property
    def allows(self) -> bool:
        """Whether it lets somebody do something."""
        return self.body.get("Effect") == "Allow"

    @property
    def actions(self) -> list[str]:
        """Its actions, in lower case: IAM does not tell them apart by case."""
        return [str(each).lower() for each in many(self.body.get("Action"))]

    @property
    def resources(self) -> list[str]:
        """What it is about."""
        return [str(each) for each in many(self.body.get("Resource"))]

    @property
    def is_for_everyone(self) -> bool:
        """Whether it lets anyone in, from any account, under no condition."""
        principal = self.body.get("Principal")
        named = many(principal.get("AWS")) if isinstance(principal, Mapping) else many(principal)
        return self.allows and "*" in named and not self.body.get("Condition")

    def covers(self, action: str) -> bool:
        """Whether it is about an action, wildcards considered."""
        return any(fnmatchcase(action.lower(), pattern) for pattern in self.actions)

    def demands_tls(self) -> bool:
        """Whether it denies everyone everything that does not come by TLS."""
        conditions = self.body.get("Condition") or {}
        secure = [
            value for key, value in (conditions.get("Bool") or {}).items() if key.lower() == "aws:securetransport"
        ]
        is_plain = [str(each).lower() for value in secure for each in many(value)] == ["false"]
        return self.body.get("Effect") == "Deny" and self.covers("s3:GetObject") and is_plain


def statements(block: Block, name: str) -> Iterator[Statement]:
    """The statements of the policy document in a property. Raises Undecided while it is not known."""
    document = parsed(block.get(name))
    if isinstance(document, Mapping):
        yield from (Statement(each) for each in many(document.get("Statement")) if isinstance(each, Mapping))


def boot_script(server: Block) -> str:
    """What a server is told at boot, as text, however the type spells it. Raises Undecided while it is not known."""
    for name in ("userData", "userDataBase64"):
        if server.given(name):
            return _decoded(server.text(name))
    return ""


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return text
