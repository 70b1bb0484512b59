"""`teal local preview`."""

import json

import click

from cli.failures import one_line
from cli.local.interrupt import ending_engine
from cli.local.options import json_option, stack_argument
from cli.local.policy import Advice, policy_option
from cli.local.session import session
from config.settings import of_stack


@click.command()
@stack_argument
@click.option("--refresh", is_flag=True, help="Look at the cloud first, so that drift shows.")
@click.option("--expect-no-changes", is_flag=True, help="Fail if there is anything to do.")
@policy_option
@json_option
@one_line
def preview(stack: str, refresh: bool, expect_no_changes: bool, is_judged: bool, as_json: bool) -> None:
    """Show what bringing STACK (dev by default) up would change; nothing is changed.

    \b
    Examples:
      teal local preview prod
      teal local preview prod --refresh --expect-no-changes
    """
    with session() as here:
        here.require(stack)
        if here.project.is_teal:
            of_stack(here.project.root, stack)  # before the engine, which would tell it in its own words
        found = here.running_stack(stack, is_judged=is_judged)
        remark, advice = here.steps.remark, Advice()
        with here.steps.step(f"Preview of {stack}", usual_seconds=5), ending_engine("nothing was changed", remark):
            changes = found.preview(advice, refresh=refresh, expect_no_changes=expect_no_changes)
        advice.show(here.steps)
    if as_json:
        click.echo(json.dumps(changes))
        return
    for operation, count in changes.items():
        click.echo(f"{operation:>10} {count}")
