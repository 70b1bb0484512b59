"""Gets the engine, with its progress on the screen."""

from cli.steps import Steps
from toolchain import ensure
from toolchain.located import Toolchain
from toolchain.progress import Progress

LONG_SECONDS = 10.0
"""What takes longer than that is done once for a machine, and is announced."""


def get_engine(steps: Steps) -> Toolchain:
    """The engine, built or fetched if it has to be. Raises ToolchainError."""
    with steps.step("Pulumi engine") as step:

        def report(progress: Progress) -> None:
            if not progress.usual_seconds:
                steps.remark(progress.what)
                return
            if progress.usual_seconds > LONG_SECONDS and step.is_typical:
                step.is_typical = False  # the next time it is there already
                steps.remark("The Pulumi engine is not on this machine yet. Getting it takes up to five minutes, once.")
            step.turn_to(progress.what, progress.elapsed_seconds, progress.usual_seconds)

        found = ensure(report)
        step.detail = f"{found.version} ({found.source})"
        return found
