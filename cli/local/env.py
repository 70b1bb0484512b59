"""`teal local env`."""

import json
import shlex

import click

from cli.failures import one_line
from cli.local.options import json_option, stack_argument
from cli.local.session import session


@click.command()
@stack_argument
@json_option
@one_line
def env(stack: str, as_json: bool) -> None:
    """Print the variables by which raw pulumi, aws and boto3 reach STACK (dev by default) in the embedded cloud.

    \b
    Examples:
      eval "$(teal local env)" && aws elbv2 describe-load-balancers
      eval "$(teal local env prod)" && pulumi -C "$TEAL_WORK_DIR" preview -s prod
    """
    with session() as here:
        found = here.running_stack(stack)
    variables = {**found.environment, "TEAL_WORK_DIR": str(found.work_dir)}
    if as_json:
        click.echo(json.dumps(variables, indent=1))
        return
    for name, value in sorted(variables.items()):
        click.echo(f"export {name}={shlex.quote(value)}")
