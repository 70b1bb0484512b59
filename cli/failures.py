"""What ends a command: every foreseen problem is one line and an exit code of its own."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

import click

from cli.access import access
from config.stack_files import SettingsError
from containers.errors import ContainersError, InstanceEnded
from localcloud.errors import CloudNotRunning, LocalCloudError
from localcloud.provider.errors import ProviderError
from pipeline.errors import PipelineError
from release.errors import LockHeld, LockLost, Refused, ReleaseError

FAILED, NOT_RUNNING, REFUSED, ROLLED_BACK, PAUSED, NO_LOCK, DRIFTED, INTERRUPTED, GONE = 1, 3, 4, 5, 6, 7, 8, 130, 137
"""Exit codes: the command failed; there is no embedded cloud; a gate is closed; the release was rolled back; it is
paused; somebody else has the lock; an environment has drifted; Ctrl-C; the instance is gone. Click itself has 2, for a
wrong call."""

P = ParamSpec("P")
R = TypeVar("R")


class Failure(click.ClickException):
    """One line on standard error; exit code 1."""

    exit_code = FAILED

    def show(self, file: object = None) -> None:
        """Prints the line."""
        click.echo(f"teal: {self.format_message()}", err=True)


class NotRunning(Failure):
    """There is no embedded cloud; exit code 3."""

    exit_code = NOT_RUNNING


class GateClosed(Failure):
    """A gate is closed, and nothing was changed; exit code 4."""

    exit_code = REFUSED


class NoLock(Failure):
    """Somebody else has the environment's lock, or has taken it over; exit code 7."""

    exit_code = NO_LOCK


class Gone(Failure):
    """The instance ended while a command ran inside; exit code 137, as Docker has it."""

    exit_code = GONE


class Interrupted(Failure):
    """The user pressed Ctrl-C; exit code 130, as a shell would have it."""

    exit_code = INTERRUPTED


ROOMS = (ContainersError, LocalCloudError, PipelineError, ProviderError, ReleaseError, SettingsError)
"""What the rooms raise on purpose."""
OF_THEIR_OWN = (
    (CloudNotRunning, NotRunning),
    (Refused, GateClosed),
    (LockHeld, NoLock),
    (LockLost, NoLock),
    (InstanceEnded, Gone),
)
"""Of these, those with an exit code of their own."""


@contextmanager
def foreseen() -> Iterator[None]:
    """Turns what the rooms raise on purpose into a Failure; anything else is a bug and keeps its traceback."""
    try:
        yield
    except ROOMS as error:
        raise _failure_for(error) from error
    except _toolchain_errors() as error:
        raise Failure(str(error)) from error
    except _api_errors() as error:  # the API refused, is gone, or is broken
        raise Failure(f"{access().api}: {' '.join(str(error).split())}") from error
    except BrokenPipeError:  # whoever reads has seen enough: click ends quietly
        raise
    except OSError as error:  # a full disk, a folder that is not ours
        raise Failure(f"{error.filename or 'the system'}: {error.strerror or error}") from error
    except KeyboardInterrupt:
        raise Interrupted("interrupted") from None


def _failure_for(error: Exception) -> Failure:
    return next((failure for kind, failure in OF_THEIR_OWN if isinstance(error, kind)), Failure)(str(error))


# An `except` asks for its classes only once something was raised: what goes well need not have loaded their rooms.
def _toolchain_errors() -> type[Exception]:
    from toolchain.errors import ToolchainError

    return ToolchainError


def _api_errors() -> tuple[type[Exception], ...]:
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    return BotoCoreError, ClientError, ResponseParserError


def one_line(command: Callable[P, R]) -> Callable[P, R]:
    """A command whose foreseen failures are one line."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        with foreseen():
            return command(*args, **kwargs)

    return run
