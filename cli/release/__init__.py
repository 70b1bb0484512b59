"""`teal release`."""

import click

from cli.lazy import LazyGroup

COMMANDS = {
    "plan": ("cli.release.plan:plan", "Show what a release would do, and every gate's answer."),
    "start": ("cli.release.start:start", "Release an image, step by step."),
    "status": ("cli.release.status:status", "Show what an environment runs, and its release in flight."),
    "pause": ("cli.release.pause:pause", "Hold a release where it is; it goes on being watched."),
    "resume": ("cli.release.resume:resume", "Go on with a release that was paused or killed."),
    "abort": ("cli.release.abort:abort", "End the release in flight."),
    "rollback": ("cli.release.rollback:rollback", "Take an environment back to the image before."),
    "history": ("cli.release.history:history", "Show everything that happened to an environment."),
    "unlock": ("cli.release.unlock:unlock", "Break the lock of an environment."),
}


@click.command(cls=LazyGroup, table=COMMANDS)
def group() -> None:
    """Release a new version of an environment with no downtime, and take it back.

    Where there is a data volume, which one server at a time has, there is a gap: `plan` says how long.

    Works on environments in the embedded cloud (`teal local up`), and with --aws on environments on AWS.

    \b
    Examples:
      teal release plan dev
      teal release start dev
      teal release rollback dev
      teal release plan --aws prod --image sha256:…

    \b
    Exit codes: 0 done, 1 failed, 2 called wrongly, 3 no embedded cloud, 4 refused by a gate,
    5 rolled back, 6 paused, 7 lock held or lost.
    """
