"""A stack in the embedded cloud: the real engine, the project's own program and stack file, state in our home."""

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import yaml
from pulumi import automation
from pulumi.automation import errors as automation_errors
from pulumi.automation.events import DiagnosticEvent, EngineEvent

from localcloud.environment import stack_environment, stack_names
from localcloud.errors import LocalCloudError, StackFailed
from localcloud.home import CloudRecord, Home
from localcloud.sealing import seal_secrets

OnEvent = Callable[[EngineEvent], None]
MANDATORY = "mandatory"
"""How the engine calls a rule that stops a run."""
FOREIGN = re.compile(r"^(AWS_|PULUMI_|(HTTPS?|ALL)_PROXY$)", re.IGNORECASE)


@dataclass
class Diagnostics:
    """Hears the engine's events: keeps what it says is wrong, and hands every event on."""

    on_event: OnEvent | None = None
    errors: list[str] = field(default_factory=list)

    def told(self) -> str:
        """The errors in one line, each once; that the program ended with a code is none beside its own words."""
        words = [text for text in dict.fromkeys(self.errors) if "an unhandled error occurred" not in text]
        return "; ".join(words or self.errors)

    def __call__(self, event: EngineEvent) -> None:
        """Takes one event, in the thread that reads the engine's log."""
        told = event.diagnostic_event
        if told and told.severity == "error":
            self.errors.append(_one_line(told))
        broken = event.policy_event
        if broken and broken.enforcement_level == MANDATORY:
            self.errors.append(f"{broken.policy_name}: {plain(broken.message)}")
        if self.on_event:
            self.on_event(event)


class LocalStack:
    """One of the project's stacks in a running embedded cloud. Raises LocalCloudError for an unknown one."""

    def __init__(
        self,
        project: Path,
        name: str,
        home: Home,
        record: CloudRecord,
        region: str,
        command: automation.PulumiCommand,
        toolchain: Mapping[str, str],
        policy_packs: Sequence[Path] = (),
    ) -> None:
        """`toolchain` holds the variables that the engine itself needs, PATH among them.

        Policy packs, folders each, have a say in every run and preview; what they only advise is an event.
        """
        self.project, self.name, self.home, self.record, self.region = project, name, home, record, region
        self.source = project / f"Pulumi.{name}.yaml"
        if not self.source.is_file():
            known = ", ".join(stack_names(project)) or "none"
            raise LocalCloudError(f"there is no stack {name!r}: {project} has stack files for {known}")
        self.work_dir = home.projects / project.name
        self._command = command
        self.policy_packs = tuple(policy_packs)
        self.environment = {**stack_environment(record, home, region), **toolchain}

    def up(self, on_event: OnEvent | None = None) -> Mapping[str, Any]:
        """Brings the stack up and returns its exports. Raises StackFailed, also where a policy pack stops it."""
        with self._running(on_event) as (stack, heard):
            result = stack.up(color="never", on_event=heard, policy_packs=[*map(str, self.policy_packs)])
        return {name: output.value for name, output in result.outputs.items()}

    def preview(
        self, on_event: OnEvent | None = None, *, refresh: bool = False, expect_no_changes: bool = False
    ) -> Mapping[str, int]:
        """What a run would do: count by operation (create, update, replace, delete, same). Raises StackFailed."""
        with self._running(on_event) as (stack, heard):
            result = stack.preview(
                color="never",
                refresh=refresh,
                expect_no_changes=expect_no_changes,
                on_event=heard,
                policy_packs=[*map(str, self.policy_packs)],
            )
        return {str(operation): count for operation, count in result.change_summary.items()}

    def refresh(self) -> Mapping[str, int]:
        """Takes over what the cloud looks like now; count by operation. Raises StackFailed."""
        with self._running() as (stack, heard):
            result = stack.refresh(color="never", on_event=heard)
        return {str(operation): count for operation, count in (result.summary.resource_changes or {}).items()}

    def preview_refresh(self, on_event: OnEvent | None = None) -> None:
        """Tells what a refresh would take over; changes nothing. Raises StackFailed."""
        with self._running(on_event) as (stack, heard):
            stack.preview_refresh(color="never", on_event=heard)

    def destroy(self, on_event: OnEvent | None = None) -> None:
        """Removes every resource of the stack; the stack's history stays. Raises StackFailed."""
        with self._running(on_event) as (stack, heard):
            stack.destroy(color="never", on_event=heard)

    def prepare(self) -> None:
        """Lays the stack out in the backend, for whoever runs the engine by hand. Raises StackFailed."""
        with self._running():
            return

    def exports(self) -> Mapping[str, Any]:
        """The stack's exports as of its last run; empty before the first. Raises StackFailed."""
        with self._running() as (stack, _):
            return {name: output.value for name, output in stack.outputs().items()}

    def shown_exports(self, secret: str) -> Mapping[str, Any]:
        """The stack's exports as of its last run, with `secret` in place of each one that is. Raises StackFailed."""
        with self._running() as (stack, _):
            return {name: secret if output.secret else output.value for name, output in stack.outputs().items()}

    def cancel(self) -> None:
        """Frees the lock that a killed run left behind. Raises StackFailed."""
        with self._running() as (stack, _):
            stack.cancel()

    def free_if_abandoned(self) -> bool:
        """Frees the lock if the run that left it was killed; False while a living one has it. Raises StackFailed."""
        locks = list((self.home.backend / ".pulumi" / "locks").glob(f"**/{self.name}/*.json"))
        pids = [pid for pid in map(_pid_of, locks) if pid is not None]
        if any(psutil.pid_exists(pid) for pid in pids):
            return False
        if pids:
            self.cancel()
        return True

    @contextmanager
    def _running(self, on_event: OnEvent | None = None) -> Iterator[tuple[automation.Stack, Diagnostics]]:
        heard = Diagnostics(on_event)
        with _only_ours():
            try:
                yield self._stack(), heard
            except automation_errors.ConcurrentUpdateError as error:
                raise StackFailed(
                    f"stack {self.name} is locked by another run, or by one that was killed: "
                    f"wait for it, or free the lock with `teal local cancel {self.name}`"
                ) from error
            except automation_errors.CommandError as error:
                told = heard.told() or _error_of(str(error))
                raise StackFailed(f"stack {self.name}: {told}") from error

    def _stack(self) -> automation.Stack:
        """The stack as the engine knows it, made if need be, in a project folder of ours.

        Engine and SDK write into the folder that they work in (a new stack's salt, normalised values). So they get one
        in the cloud's home: its Pulumi.yaml is the project's own and leads to the project's own program.
        """
        self._lay_out()
        seal_secrets(self.source, self.work_dir / self.source.name, self.home.passphrase_file)
        options = automation.LocalWorkspaceOptions(pulumi_command=self._command, env_vars=self.environment)
        return automation.create_or_select_stack(self.name, work_dir=str(self.work_dir), opts=options)

    def _lay_out(self) -> None:
        self.work_dir.mkdir(parents=True, exist_ok=True)
        about = _read_yaml(self.project / "Pulumi.yaml")
        _lead_home(about, self.project)
        _write_yaml(self.work_dir / "Pulumi.yaml", {**about, "main": str(self.project)})
        settings = _read_yaml(self.source)
        settings.pop("secretsprovider", None)  # the cloud's passphrase takes the place of a key at AWS
        copy = self.work_dir / self.source.name
        salt = _read_yaml(copy).get("encryptionsalt") if copy.exists() else None
        _write_yaml(copy, {**settings, "encryptionsalt": salt} if salt else settings)


@contextmanager
def _only_ours() -> Iterator[None]:
    """Hides variables of the user's that would lead a run away from the embedded cloud: the SDK passes all on."""
    hidden = {name: os.environ.pop(name) for name in list(os.environ) if FOREIGN.match(name)}
    try:
        yield
    finally:
        os.environ.update(hidden)


def _pid_of(lock: Path) -> int | None:
    """Process that made a lock file of the engine's; None for a file that has just gone."""
    try:
        return int(json.loads(lock.read_text())["pid"])
    except (FileNotFoundError, ValueError, KeyError):
        return None


def plain(text: str) -> str:
    """A message of the engine's in one line, without its marks for colours."""
    return " ".join(re.sub(r"<\{%[^%]*%\}>", "", text).split())


def _one_line(told: DiagnosticEvent) -> str:
    name = told.urn.rsplit("::", 1)[-1] if told.urn else ""
    text = plain(told.message).removeprefix("error: ")
    return f"{name}: {text}" if name else text


def _error_of(output: str) -> str:
    told = re.findall(r"error: (.+)", output)
    return "; ".join(dict.fromkeys(line.strip() for line in told)) or " ".join(output.split())[-500:]


def _lead_home(about: dict[str, Any], project: Path) -> None:
    """Makes paths absolute that are relative to where Pulumi.yaml was: virtual environment, packages of components."""
    runtime = about.get("runtime")
    options = runtime.get("options", {}) if isinstance(runtime, dict) else {}
    if "virtualenv" in options:
        options["virtualenv"] = str(project / options["virtualenv"])
    packages = about.get("packages")
    if not isinstance(packages, dict):
        return
    for name, source in packages.items():
        if isinstance(source, str) and source.startswith("."):
            packages[name] = str((project / source).resolve())


def _write_yaml(path: Path, content: dict[str, Any]) -> None:
    draft = path.with_suffix(".new")
    draft.write_text(yaml.safe_dump(content, sort_keys=False))
    draft.replace(path)


def _read_yaml(path: Path) -> dict[str, Any]:
    found = yaml.safe_load(path.read_text())
    return found if isinstance(found, dict) else {}
