"""`teal ci`."""

import click

from cli.lazy import LazyGroup

COMMANDS = {
    "preview": ("cli.ci.preview:preview", "Show what a change would do to every stack, as a comment."),
    "render": ("cli.ci.render:render", "Make one comment of several previews."),
    "stages": ("cli.ci.stages:stages", "Show the way of an image from stack to stack."),
    "provision": ("cli.ci.provision:provision", "Bring a stack up and the image into its registry."),
    "deliver": ("cli.ci.deliver:deliver", "Do what a merge does: build once, release, and onwards."),
    "drift": ("cli.ci.drift:drift", "Find what somebody has changed behind Pulumi's back."),
    "comment": ("cli.ci.comment:comment", "Put a preview's comment on its pull request."),
    "issues": ("cli.ci.issues:issues", "Open, update and close the issues on drift."),
}


@click.command(cls=LazyGroup, table=COMMANDS)
def group() -> None:
    """What CI runs; every command runs on any machine.

    The workflows in .github/workflows only call these. What talks to GitHub takes its token from GITHUB_TOKEN, and
    everything takes --dry-run where it would change something.

    \b
    Examples:
      teal ci preview --base origin/main
      teal ci stages
      teal ci deliver --dry-run
      teal ci drift dev
      teal ci comment --file preview.md --pull-request 7 --dry-run
    """
