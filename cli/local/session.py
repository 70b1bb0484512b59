"""What most `teal local` commands start from: the project, the engine, the running cloud, one of its stacks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cli.engine import get_engine
from cli.project import Project, find_project
from cli.steps import Steps
from config.stack_files import region_of
from localcloud.environment import stack_names
from localcloud.errors import LocalCloudError
from localcloud.home import CloudRecord, DriverName
from localcloud.launch import start
from localcloud.stacks import LocalStack
from toolchain.located import Toolchain


@dataclass(frozen=True)
class Session:
    """One command's hold on a project."""

    project: Project
    steps: Steps

    def stack(self, name: str, record: CloudRecord, engine: Toolchain, *, is_judged: bool = False) -> LocalStack:
        """One of the project's stacks, in the cloud of the record; its runs are judged by the project's policy pack.

        Raises LocalCloudError for an unknown one.
        """
        self.require(name)
        region = region_of(self.project.root, name)
        packs = self.project.policy_packs if is_judged else ()
        command, variables = engine.pulumi_command(), engine.environment()
        return LocalStack(self.project.root, name, self.project.home, record, region, command, variables, packs)

    def require(self, name: str) -> None:
        """Raises LocalCloudError unless the project has a stack of that name: before anything is started for it."""
        known = stack_names(self.project.root)
        if name not in known:
            raise LocalCloudError(
                f"there is no stack {name!r}: Pulumi.<stack>.yaml exists for {', '.join(known) or 'none'}"
            )

    def running_stack(self, name: str, *, is_judged: bool = False) -> LocalStack:
        """A stack in the cloud that runs already. Raises CloudNotRunning."""
        self.require(name)
        record = self.project.home.running()
        return self.stack(name, record, get_engine(self.steps), is_judged=is_judged)

    @property
    def regions(self) -> list[str]:
        """Every region that a stack of the project is in."""
        return sorted({region_of(self.project.root, name) for name in stack_names(self.project.root)})

    def cloud(self, driver: DriverName | None = None) -> CloudRecord:
        """The project's cloud, started if need be. Raises LocalCloudError, also for one that has another driver."""
        with self.steps.step("Embedded cloud", usual_seconds=5) as step:

            def waiting(what: str) -> None:
                step.detail = f"waiting for {what}"

            started = start(self.project.home, self.project.root, self.regions, waiting, driver)
            step.detail = f"{started.record.api_url}{', runs already' if started.was_running else ''}"
            step.is_typical = not started.was_running
        if started.was_gone:
            anew = "anew, with the data volumes that it left" if self.project.home.has_data else "clean"
            self.steps.remark(f"The last cloud is gone (it was killed), and its stacks with it: starting {anew}.")
        return started.record


@contextmanager
def session() -> Iterator[Session]:
    """A session with progress on the screen. Raises LocalCloudError outside a project."""
    project = find_project(takes_any=True)
    with project.steps() as steps:
        yield Session(project, steps)
