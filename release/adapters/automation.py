"""The Pulumi program in the user's own project and backend, by the Automation API."""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pulumi import automation
from pulumi.automation import errors
from pulumi.automation.events import EngineEvent

from release.errors import InfrastructureFailed, LedgerMissing
from release.ledger import RELEASE_VARIABLE

OTHER_RUN_SECONDS = 600.0
"""How long another run of the stack, by a person or by an engine that was killed, may still have its lock."""
POLL_SECONDS = 5.0
MANDATORY = "mandatory"
"""How the engine calls a policy that stops a run."""
OnEvent = Callable[[EngineEvent], None]
_COLOURS = re.compile(r"<\{%[^%]*%\}>")


class Workspace(automation.LocalWorkspace):
    """A workspace that leaves alone which stack the user has selected: every command of ours names its own."""

    def select_stack(self, stack_name: str) -> None:
        """Nothing to do."""


@dataclass
class Heard:
    """What the engine says is wrong, of all its events, which it hands on."""

    on_event: OnEvent | None = None
    problems: list[str] = field(default_factory=list)

    @property
    def told(self) -> str:
        """It in one line, each problem once; that the program ended with a code is none beside its own words."""
        words = [text for text in dict.fromkeys(self.problems) if "an unhandled error occurred" not in text]
        return "; ".join(words or self.problems)

    def __call__(self, event: EngineEvent) -> None:
        """Takes one event, in the thread that reads the engine's log."""
        told = event.diagnostic_event
        if told and told.severity == "error":
            text = _plain(told.message).removeprefix("error: ")
            name = told.urn.rsplit("::", 1)[-1] if told.urn else ""
            self.problems.append(f"{name}: {text}" if name else text)
        broken = event.policy_event
        if broken and broken.enforcement_level == MANDATORY:
            self.problems.append(f"{broken.policy_name}: {_plain(broken.message)}")
        if self.on_event:
            self.on_event(event)


class StackProgram:
    """One stack of a project, in the backend that the user is logged in to."""

    def __init__(
        self,
        project: Path,
        stack_name: str,
        command: automation.PulumiCommand,
        variables: Mapping[str, str],
        *,
        other_run_seconds: float = OTHER_RUN_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`variables` are what the engine needs beside the environment of this process, PATH among them."""
        self._project, self._stack_name, self._command, self._variables = project, stack_name, command, variables
        self._other_run_seconds, self._sleep = other_run_seconds, sleep

    def apply(self, release_id: str) -> None:
        """Runs the program on behalf of a release, once no other run is at it. Raises InfrastructureFailed."""
        self._run({RELEASE_VARIABLE: release_id}, ())

    def up(self, policy_packs: Sequence[Path]) -> Mapping[str, Any]:
        """Runs the program, judged by policy packs, and returns its exports.

        Raises InfrastructureFailed, also where a policy stops it, and LedgerMissing without such a stack.
        """
        self._run({}, policy_packs)
        return self.exports()

    def look(self, on_refresh: OnEvent, on_preview: OnEvent) -> None:
        """Compares state with cloud, then cloud with program, and tells each; changes nothing.

        Raises InfrastructureFailed, LedgerMissing.
        """
        heard = Heard(on_preview)
        try:
            stack = self._stack({})
            stack.preview_refresh(color="never", on_event=on_refresh, suppress_outputs=True)
            stack.preview(color="never", refresh=True, on_event=heard, suppress_outputs=True)
        except errors.StackNotFoundError as error:
            raise self._missing() from error
        except errors.CommandError as error:
            raise InfrastructureFailed(f"stack {self._stack_name}: {heard.told or told_in(str(error))}") from error

    def _run(self, variables: Mapping[str, str], policy_packs: Sequence[Path]) -> None:
        try:
            stack = self._stack(variables)
        except errors.StackNotFoundError as error:
            raise self._missing() from error
        deadline = time.monotonic() + self._other_run_seconds
        while True:
            heard = Heard()
            try:
                stack.up(color="never", on_event=heard, suppress_outputs=True, policy_packs=[*map(str, policy_packs)])
            except errors.ConcurrentUpdateError as error:
                if time.monotonic() >= deadline:
                    raise InfrastructureFailed(
                        f"stack {self._stack_name} is locked by another run, for {self._other_run_seconds:g} s now: "
                        f"wait for it, or, if it is dead, free the lock with `pulumi cancel -s {self._stack_name}`; "
                        "then `teal release resume`"
                    ) from error
                self._sleep(POLL_SECONDS)
            except errors.CommandError as error:
                raise InfrastructureFailed(f"stack {self._stack_name}: {heard.told or told_in(str(error))}") from error
            else:
                return

    def preview(self, on_event: Callable[[EngineEvent], None], policy_packs: Sequence[Path] = ()) -> None:
        """Has the engine say by its events what a run would do; nothing is changed.

        Raises InfrastructureFailed, also where a policy pack would stop it, and LedgerMissing without such a stack.
        """
        heard = Heard()

        def hear(event: EngineEvent) -> None:
            heard(event)
            on_event(event)

        try:
            packs = [*map(str, policy_packs)]
            self._stack({}).preview(color="never", on_event=hear, suppress_outputs=True, policy_packs=packs)
        except errors.StackNotFoundError as error:
            raise self._missing() from error
        except errors.CommandError as error:
            raise InfrastructureFailed(f"stack {self._stack_name}: {heard.told or told_in(str(error))}") from error

    def exports(self) -> Mapping[str, Any]:
        """The stack's outputs as of its last run. Raises LedgerMissing without such a stack, InfrastructureFailed."""
        try:
            found = self._stack({}).outputs()
        except errors.StackNotFoundError as error:
            raise self._missing() from error
        except errors.CommandError as error:
            raise InfrastructureFailed(f"stack {self._stack_name}: {told_in(str(error))}") from error
        return {name: output.value for name, output in found.items()}

    def _missing(self) -> LedgerMissing:
        return LedgerMissing(
            f"there is no stack {self._stack_name} in the Pulumi backend that you are logged in to: "
            f"`pulumi up -s {self._stack_name}` makes it"
        )

    def _stack(self, more: Mapping[str, str]) -> automation.Stack:
        workspace = Workspace(
            work_dir=str(self._project), pulumi_command=self._command, env_vars={**self._variables, **more}
        )
        return automation.Stack.select(self._stack_name, workspace)


def _plain(text: str) -> str:
    """A message of the engine's in one line, without its marks for colours."""
    return " ".join(_COLOURS.sub("", text).split())


def told_in(output: str) -> str:
    """What a command that failed says is wrong, in one line: its `error:` lines, or else the end of all it printed."""
    lines = re.findall(r"\berror: (.+)", output)
    return "; ".join(dict.fromkeys(line.strip() for line in lines)) or " ".join(output.split())[-500:]
