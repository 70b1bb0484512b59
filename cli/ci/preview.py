"""`teal ci preview`."""

from collections.abc import Sequence
from pathlib import Path

import click

from cli.access import Access, note
from cli.ci.output import output_option, put
from cli.failures import Failure, one_line
from cli.local.options import json_option
from cli.project import complete_stack, find_project
from cli.release.options import Seconds
from localcloud.environment import stack_names
from localcloud.errors import LocalCloudError
from pipeline.model import StackPreview


@click.command()
@click.argument("stacks", nargs=-1, metavar="[STACK]...", shell_complete=complete_stack)
@click.option("--base", metavar="REF|DIR", help="Branch, tag, commit or folder to compare with.")
@click.option("--aws", "is_on_aws", is_flag=True, help="Compare with what is on AWS, in your own backend.")
@click.option("--within", "seconds", type=Seconds(), default="15m", help="How long one run may take; default 15m.")
@output_option
@json_option
@click.pass_context
@one_line
def preview(
    context: click.Context,
    stacks: Sequence[str],
    base: str | None,
    is_on_aws: bool,
    seconds: float,
    output: Path | None,
    as_json: bool,
) -> None:
    """Show what this working tree would change in every STACK (all by default), as a pull request's comment.

    With --base each stack is brought up as the base has it, in an embedded cloud of its own that ends with the command;
    then the working tree's program is previewed on it, and judged by policy/. With --aws the preview is of what is on
    AWS, by your own credentials and Pulumi backend. Nothing is changed either way.

    \b
    Examples:
      teal ci preview --base origin/main --output comment.md
      teal ci preview dev prod --base ../teal-before
      teal ci preview --aws prod --json > aws.json    for `teal ci render`

    Exit codes: 0 whatever would change; 1 if a preview failed or a mandatory rule of policy/ is broken.
    """
    if is_on_aws == (base is not None):
        raise click.UsageError("say what to compare with: either --base or --aws", context)
    note(context, Access(is_on_aws=is_on_aws))
    project = find_project()
    names = stack_names(project.root)
    unknown = [name for name in stacks if name not in names]
    if unknown:
        raise LocalCloudError(f"there is no stack {unknown[0]!r}: Pulumi.<stack>.yaml exists for {', '.join(names)}")
    with project.steps() as steps:
        if base is None:
            from cli.ci.real import aws_previews

            found = aws_previews(project, steps, stacks or names, seconds)
        else:
            from cli.ci.embedded import embedded_previews

            found = embedded_previews(project, steps, base, stacks, seconds)
    put(found, output, as_json=as_json)
    _judge(found)


def _judge(found: Sequence[StackPreview]) -> None:
    """Raises Failure for what should stop a merge."""
    failed = [preview.stack for preview in found if preview.failure is not None]
    broken = [preview.stack for preview in found if preview.broken]
    told = [f"no whole preview of {', '.join(failed)}"] if failed else []
    told += [f"mandatory rules of policy/ are broken in {', '.join(broken)}"] if broken else []
    if told:
        raise Failure(f"{'; '.join(told)}: the comment says more")
