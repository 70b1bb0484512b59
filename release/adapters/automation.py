"""The Pulumi program in the user's own project and backend, by the Automation API."""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
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
_UNFINISHED = re.compile(r"\* \S+::(\S+), interrupted while creating")


class Workspace(automation.LocalWorkspace):
    """A workspace that leaves alone which stack the user has selected: every command of ours names its own."""

    def select_stack(self, stack_name: str) -> None:
        """Nothing to do."""


@dataclass
class Heard:
    """What the engine says is wrong, and what an earlier run left unfinished, of all its events, which it hands on."""

    on_event: OnEvent | None = None
    problems: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    """Resources that an earlier run was killed at while it made them: they may be there, and in no state."""

    @property
    def told(self) -> str:
        """It in one line, each problem once; that the program ended with a code is none beside its own words."""
        words = [text for text in dict.fromkeys(self.problems) if "an unhandled error occurred" not in text]
        return "; ".join(words or self.problems)

    def __call__(self, event: EngineEvent) -> None:
        """Takes one event, in the thread that reads the engine's log."""
        told = event.diagnostic_event
        if told and told.severity == "warning":
            self.unfinished += _UNFINISHED.findall(_COLOURS.sub("", told.message))
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
        remark: Callable[[str], None] = lambda _: None,
        other_run_seconds: float = OTHER_RUN_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`variables` are what the engine needs beside the environment of this process, PATH among them.

        `remark` hears what somebody should look at although the run went well.
        """
        self._project, self._stack_name, self._command, self._variables = project, stack_name, command, variables
        self._remark, self._other_run_seconds, self._sleep = remark, other_run_seconds, sleep

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
        with self._asked(Heard(on_preview)) as (stack, heard):
            stack.preview_refresh(color="never", on_event=on_refresh, suppress_outputs=True)
            stack.preview(color="never", refresh=True, on_event=heard, suppress_outputs=True)

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
                told, advice = heard.told or told_in(str(error)), self._advice(heard.unfinished)
                raise InfrastructureFailed(
                    "; ".join(filter(None, (f"stack {self._stack_name}: {told}", advice)))
                ) from error
            else:
                if advice := self._advice(heard.unfinished):
                    self._remark(f"Stack {self._stack_name}: {advice}")
                return

    def preview(self, on_event: OnEvent, policy_packs: Sequence[Path] = ()) -> None:
        """Has the engine say by its events what a run would do; nothing is changed.

        Raises InfrastructureFailed, also where a policy pack would stop it, and LedgerMissing without such a stack.
        """
        packs = [*map(str, policy_packs)]
        with self._asked(Heard(on_event)) as (stack, heard):
            stack.preview(color="never", on_event=heard, suppress_outputs=True, policy_packs=packs)

    def exports(self) -> Mapping[str, Any]:
        """The stack's outputs as of its last run. Raises LedgerMissing without such a stack, InfrastructureFailed."""
        with self._asked(Heard()) as (stack, _):
            found = stack.outputs()
        return {name: output.value for name, output in found.items()}

    @contextmanager
    def _asked(self, heard: Heard) -> Iterator[tuple[automation.Stack, Heard]]:
        """The stack, for a question; what went wrong is told by what was heard, else by the engine's output."""
        try:
            yield self._stack({}), heard
        except errors.StackNotFoundError as error:
            raise self._missing() from error
        except errors.CommandError as error:
            raise InfrastructureFailed(f"stack {self._stack_name}: {heard.told or told_in(str(error))}") from error

    def _advice(self, unfinished: Sequence[str]) -> str:
        """What to do about resources that only a person can know the fate of: the engine goes on without them."""
        if not unfinished:
            return ""
        clear = f"pulumi refresh -s {self._stack_name} --clear-pending-creates"
        names = ", ".join(dict.fromkeys(unfinished))
        return (
            f"an earlier run was killed while it made {names}, which may be there without being in the state: "
            f"look for it at AWS, delete it or take it in by `pulumi import`, then `{clear}`"
        )

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
