"""`teal ci issues`."""

from pathlib import Path

import click

from cli.ci.hub import author_option, hub, plain_file, repository_option, tell
from cli.ci.way import dry_run_option
from cli.failures import one_line
from pipeline.drift import parsed
from pipeline.posting import read_text
from pipeline.upsert import put_issue


@click.command()
@click.option("--report", type=plain_file, required=True, help="What `teal ci drift --report` wrote.")
@repository_option
@author_option
@dry_run_option
@one_line
def issues(report: Path, repository: str, author: str, is_dry: bool) -> None:
    """Keep one issue for each stack that has drifted: open it, update it, and close it when the drift is gone.

    A stack that could not be looked at leaves its issue as it is. The token comes from GITHUB_TOKEN.

    \b
    Example:
      teal ci issues --report drift.json --repository acme/teal --dry-run
    """
    findings = parsed(read_text(report))
    with hub(repository) as github:
        there = github.open_issues()
        for finding in findings:
            tell(put_issue(github, there, finding, author, is_dry=is_dry), is_dry=is_dry)
