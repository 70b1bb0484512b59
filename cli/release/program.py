"""The Pulumi program of an environment in the embedded cloud, as a release runs it."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from localcloud.errors import LocalCloudError
from localcloud.home import CloudRecord, Home
from localcloud.stacks import LocalStack, OnEvent
from release.errors import InfrastructureFailed
from release.ledger import RELEASE_VARIABLE
from toolchain import ensure
from toolchain.errors import ToolchainError

OTHER_RUN_SECONDS = 120.0
"""How long a run of the program by an engine that has lost its release may still take."""
POLL_SECONDS = 0.5


class EmbeddedProgram:
    """Runs the engine by LocalStack."""

    def __init__(self, project: Path, stack_name: str, region: str, home: Home, record: CloudRecord) -> None:
        self._project, self._stack_name, self._region = project, stack_name, region
        self._home, self._record = home, record

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

    def up(self, policy_packs: Sequence[Path]) -> Mapping[str, Any]:
        """Runs it, judged by policy packs, and returns its exports. Raises LocalCloudError, ToolchainError."""
        return self.stack(policy_packs).up()

    def look(self, on_refresh: OnEvent, on_preview: OnEvent) -> None:
        """Compares state with cloud, then cloud with program, and tells each; changes nothing.

        Raises LocalCloudError, ToolchainError.
        """
        stack = self.stack()
        stack.preview_refresh(on_refresh)
        stack.preview(on_preview, refresh=True)

    def exports(self) -> Mapping[str, Any]:
        """What it exported when it last ran. Raises LocalCloudError, ToolchainError."""
        return self.stack().exports()

    def stack(self, policy_packs: Sequence[Path] = ()) -> LocalStack:
        """The stack. Raises LocalCloudError, ToolchainError."""
        engine = ensure(lambda _: None)
        return LocalStack(
            self._project,
            self._stack_name,
            self._home,
            self._record,
            self._region,
            engine.pulumi_command(),
            engine.environment(),
            policy_packs,
        )
