"""Gets the engine, with its progress on the screen."""

from cli.steps import Steps
from toolchain import ensure
from toolchain.located import Toolchain
from toolchain.progress import Progress


def get_engine(steps: Steps) -> Toolchain:
    """The engine, built or fetched if it has to be. Raises ToolchainError."""
    with steps.step("Pulumi engine") as step:

        def report(progress: Progress) -> None:
            if not progress.usual_seconds:
                steps.remark(progress.what)
                return
            step.detail, step.usual_seconds = progress.what, progress.usual_seconds

        found = ensure(report)
        step.detail = f"{found.version} ({found.source})"
        return found
