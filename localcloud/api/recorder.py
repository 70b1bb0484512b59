"""Writes down who asked what of the API, as IAM names it: what a role needs is then known instead of guessed."""

import json
import threading
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from localcloud.api.actions import grants
from localcloud.api.calls import call_of
from localcloud.api.server import WsgiApp

SWITCH = "TEAL_RECORD_CALLS"
"""Environment variable that, set to 1 when a cloud starts, has it record its calls."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One action on one resource that a call needed; a call that needs several makes several lines."""

    who: str
    """Access key id."""
    agent: str
    call: str
    """The service that the request was signed for, and the operation: monitoring DescribeAlarms."""
    action: str
    """As IAM names it, such as s3:ListBucket."""
    resource: str
    """ARN, or * where the action knows no narrower one or the request does not tell."""

    @classmethod
    def parse(cls, line: str) -> "Recorded":
        """The line that the recorder wrote. Raises ValueError or TypeError for any other."""
        return cls(**json.loads(line))


def recording(file: Path) -> Callable[[WsgiApp], WsgiApp]:
    """Around an API: appends a line of JSON for every action that a request needs, before it is answered."""
    file.write_text("")
    file.chmod(0o600)
    writing = threading.Lock()

    def around(api: WsgiApp) -> WsgiApp:
        def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            call = call_of(environ)
            if call:
                name = f"{call.service} {call.operation}"
                lines = [Recorded(call.who, call.agent, name, *grant) for grant in grants(call)]
                with writing, file.open("a") as record:
                    record.writelines(json.dumps(asdict(line)) + "\n" for line in lines)
            return api(environ, start_response)

        return application

    return around


def recorded(file: Path) -> list[Recorded]:
    """Everything recorded so far, in order; nothing where nobody records."""
    return [Recorded.parse(line) for line in file.read_text().splitlines()] if file.exists() else []
