"""The Pulumi program of an environment in the embedded cloud, as a release runs it."""

import time

from cli.project import Project
from localcloud.errors import LocalCloudError
from localcloud.home import CloudRecord
from localcloud.stacks import LocalStack
from release.errors import InfrastructureFailed
from release.ledger import RELEASE_VARIABLE
from settings import Settings, of_stack
from stack_files import region_of
from toolchain import ensure
from toolchain.errors import ToolchainError

OTHER_RUN_SECONDS = 120.0
"""How long a run of the program by an engine that has lost its release may still take."""
POLL_SECONDS = 0.5


class EmbeddedProgram:
    """Runs the engine by LocalStack."""

    def __init__(self, project: Project, stack_name: str, record: CloudRecord) -> None:
        self._project, self._stack_name, self._record = project, stack_name, record

    def apply(self, release_id: str) -> None:
        """Brings the stack up on behalf of a release, once no other run is at it. Raises InfrastructureFailed."""
        try:
            stack = self.stack()
            stack.environment[RELEASE_VARIABLE] = release_id
            deadline = time.monotonic() + OTHER_RUN_SECONDS
            while not stack.free_if_abandoned() and time.monotonic() < deadline:
                time.sleep(POLL_SECONDS)
            stack.up()
        except (LocalCloudError, ToolchainError) as error:
            raise InfrastructureFailed(str(error)) from error

    @property
    def settings(self) -> Settings:
        """What its stack file sets. Raises SettingsError."""
        return of_stack(self._project.root, self._stack_name)

    def stack(self) -> LocalStack:
        """The stack. Raises LocalCloudError, ToolchainError."""
        engine, root = ensure(lambda _: None), self._project.root
        region = region_of(root, self._stack_name)
        return LocalStack(
            root,
            self._stack_name,
            self._project.home,
            self._record,
            region,
            engine.pulumi_command(),
            engine.environment(),
        )
