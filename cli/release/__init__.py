"""`teal release`."""

import click

from cli.release.abort import abort
from cli.release.history import history
from cli.release.pause import pause
from cli.release.plan import plan
from cli.release.resume import resume
from cli.release.rollback import rollback
from cli.release.start import start
from cli.release.status import status
from cli.release.unlock import unlock


@click.group()
def group() -> None:
    """Release a new version of an environment with no downtime, and take it back.

    Works on environments in the embedded cloud (`teal local up`). Environments on AWS are not covered yet.

    \b
    Examples:
      teal release plan dev
      teal release start dev
      teal release rollback dev

    \b
    Exit codes: 0 done, 1 failed, 2 called wrongly, 3 no embedded cloud, 4 refused by a gate,
    5 rolled back, 6 paused, 7 lock held or lost.
    """


for command in (plan, start, status, pause, resume, abort, rollback, history, unlock):
    group.add_command(command)
