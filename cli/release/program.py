"""The Pulumi program of an environment in the embedded cloud, as a release runs it."""

from cli.local.session import Session
from localcloud.errors import LocalCloudError
from localcloud.home import CloudRecord
from localcloud.stacks import LocalStack
from release.errors import InfrastructureFailed
from release.ledger import RELEASE_VARIABLE
from toolchain import ensure
from toolchain.errors import ToolchainError


class EmbeddedProgram:
    """Runs the engine by LocalStack. Made when it is first needed: the way back must not wait for it."""

    def __init__(self, here: Session, stack_name: str, record: CloudRecord) -> None:
        self._here, self._stack_name, self._record = here, stack_name, record

    def apply(self, release_id: str) -> None:
        """Brings the stack up on behalf of a release. Raises InfrastructureFailed."""
        try:
            stack = self.stack()
            stack.environment[RELEASE_VARIABLE] = release_id
            stack.cancel_abandoned()
            stack.up()
        except (LocalCloudError, ToolchainError) as error:
            raise InfrastructureFailed(str(error)) from error

    def stack(self) -> LocalStack:
        """The stack. Raises LocalCloudError, ToolchainError."""
        return self._here.stack(self._stack_name, self._record, ensure(lambda _: None))
