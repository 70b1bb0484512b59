"""Previews in an embedded cloud of their own, in which the base was brought up before."""

import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cli.ci.base import Base, base_of
from cli.ci.runs import attempt
from cli.engine import get_engine
from cli.local.running import Counting
from cli.project import Project
from cli.steps import Step, Steps
from config.stack_files import region_of, stack_config
from localcloud.environment import stack_names
from localcloud.home import CloudRecord, Home
from localcloud.launch import STOP_SECONDS, start, stop
from localcloud.provider.api import Api
from localcloud.registrar import own_zone
from localcloud.stacks import LocalStack
from pipeline.heard import Heard
from pipeline.model import Existence, StackPreview
from toolchain.located import Toolchain


@dataclass(frozen=True)
class Trial:
    """A cloud in which a project is first what it is compared with, and then what it is to be."""

    link: Path
    """Where the project seems to be all the time, so that nothing differs but what is in it."""
    home: Home
    record: CloudRecord
    engine: Toolchain
    steps: Steps
    seconds: float

    def stack(self, name: str, packs: Sequence[Path] = ()) -> LocalStack:
        """A stack of what the project is now."""
        region, command = region_of(self.link, name), self.engine.pulumi_command()
        return LocalStack(self.link, name, self.home, self.record, region, command, self.engine.environment(), packs)

    def bring_up(self, name: str) -> str | None:
        """Brings a stack up; why that failed, or None."""
        self._own_zone(name)
        stack = self.stack(name)
        return self._attempt(f"{name} as it is", 20, lambda step: stack.up(Counting(step)))

    def preview(self, name: str, packs: Sequence[Path], against: str, existence: Existence) -> StackPreview:
        """What a run would change now."""
        self._own_zone(name)
        stack, heard = self.stack(name, packs), Heard()
        failure = self._attempt(f"Preview of {name}", 8, lambda _: stack.preview(heard))
        return heard.preview(name, against=against, existence=existence, failure=failure)

    def _own_zone(self, name: str) -> None:
        """The account has the hosted zone of the stack's domain, as its owner made it."""
        zone = stack_config(self.link, name).get("teal:zoneName")
        if zone:
            own_zone(Api(self.record.api_url, region_of(self.link, name)), zone)

    def _attempt(self, what: str, usual_seconds: float, run: Callable[[Step], object]) -> str | None:
        return attempt(self.steps, what, usual_seconds, self.seconds, run)


def embedded_previews(
    project: Project, steps: Steps, wanted: str, names: Sequence[str], seconds: float
) -> list[StackPreview]:
    """What the project would change in stacks that were brought up from the base; of none given, in all.

    One run of the engine may take so many seconds. Raises LocalCloudError for a base that is none.
    """
    with tempfile.TemporaryDirectory(prefix="teal-ci-", ignore_cleanup_errors=True) as made:
        room = Path(made)
        with base_of(project.root, wanted, room) as base:
            before = stack_names(base.root)
            asked = list(names) or sorted({*before, *stack_names(project.root)})
            with _trial(project, steps, base, asked, room, seconds) as trial:
                return _compared(trial, project, base, asked)


def _compared(trial: Trial, project: Project, base: Base, names: Sequence[str]) -> list[StackPreview]:
    before, after = stack_names(base.root), stack_names(project.root)
    failures = {name: trial.bring_up(name) for name in names if name in before and name in after}
    lead(trial.link, project.root)
    found = []
    for name in names:
        failure = failures.get(name)
        if failure is not None:
            why = f"it does not come up as {base.name} has it: {failure}"
            found.append(StackPreview(stack=name, against=base.name, failure=why))
        elif name not in after:
            found.append(StackPreview(stack=name, against=base.name, existence=Existence.GONE))
        else:
            existence = Existence.BOTH if name in before else Existence.NEW
            found.append(trial.preview(name, project.policy_packs, base.name, existence))
    return found


@contextmanager
def _trial(
    project: Project, steps: Steps, base: Base, names: Sequence[str], room: Path, seconds: float
) -> Iterator[Trial]:
    engine = get_engine(steps)
    home, link = Home(room / "home"), room / "teal"
    lead(link, base.root)
    roots = (base.root, project.root)
    regions = sorted({region_of(root, name) for root in roots for name in names if name in stack_names(root)})
    try:
        with steps.step("Embedded cloud", usual_seconds=5) as step:

            def waiting(what: str) -> None:
                step.detail = f"waiting for {what}"

            record = start(home, link, regions, waiting, ends_with=os.getpid()).record
            step.detail = "one of its own"
        yield Trial(link, home, record, engine, steps, seconds)
    finally:
        with steps.step("Ending the embedded cloud", usual_seconds=2, leaves_line=False) as step:
            step.detail = f"it is killed after {STOP_SECONDS:.0f} s"
            stop(home)


def lead(link: Path, to: Path) -> None:
    """Makes a link lead somewhere, or somewhere else."""
    draft = link.with_suffix(".new")
    draft.symlink_to(to)
    draft.replace(link)
