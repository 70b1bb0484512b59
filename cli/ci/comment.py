"""`teal ci comment`."""

from pathlib import Path

import click

from cli.ci.hub import author_option, hub, plain_file, repository_option, tell
from cli.ci.way import dry_run_option
from cli.failures import one_line
from pipeline.github import GitHub, PullRequest
from pipeline.posting import checked, read_text
from pipeline.posting import comment as whole
from pipeline.upsert import pull_request_of, put_comment


@click.command()
@click.option(
    "--file", "file", type=plain_file, required=True, help="Its text, as `teal ci preview` or `render` wrote it."
)
@click.option("--pull-request", "number", type=click.IntRange(1), metavar="N", help="Which pull request.")
@click.option("--head", metavar="OWNER:BRANCH", help="Instead of its number: the branch that it is from.")
@click.option("--sha", metavar="COMMIT", help="Its newest commit; a comment on an older one is not put there any more.")
@repository_option
@author_option
@dry_run_option
@one_line
def comment(
    file: Path,
    number: int | None,
    head: str | None,
    sha: str | None,
    repository: str,
    author: str,
    is_dry: bool,
) -> None:
    """Put the comment of `teal ci preview` on its pull request: add it, or edit the one that is there.

    The file is taken for what a stranger has made: it must be a plain file of UTF-8 under 65,536 characters that begins
    with the marker line. On a pull request from a fork the comment says so, and calls nobody by name. The token
    comes from GITHUB_TOKEN; GITHUB_API_URL names another GitHub.

    \b
    Examples:
      teal ci comment --file preview.md --pull-request 7 --repository acme/teal --dry-run
      teal ci comment --file preview.md --head ann:topic --sha 1a2b3c…
    """
    if (number is None) == (head is None):
        raise click.UsageError("say which pull request: --pull-request N, or --head OWNER:BRANCH and --sha COMMIT")
    if head is not None and sha is None:
        raise click.UsageError("--head names no pull request without --sha")
    text = checked(read_text(file), file.name)
    with hub(repository) as github:
        found = _found(github, number, head, sha)
        if found is None:
            click.echo("no open pull request is at that commit (any more): nothing to do")
            return
        body = whole(text, is_foreign=found.is_from_fork)
        tell(put_comment(github, found.number, body, author, is_dry=is_dry), is_dry=is_dry)


def _found(github: GitHub, number: int | None, head: str | None, sha: str | None) -> PullRequest | None:
    if number is None:
        return pull_request_of(github, head or "", sha or "")
    found = github.pull_request(number)
    return found if sha in (None, found.head_sha) else None
