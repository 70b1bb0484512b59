"""One comment a pull request and one issue a stack: found again by a marker, edited in place."""

from dataclasses import dataclass
from enum import StrEnum

from pipeline.comment import MARKER
from pipeline.drift import Finding, issue_marker, issue_text, issue_title
from pipeline.errors import GitHubError
from pipeline.github import GitHub, Post, PullRequest

BOT = "github-actions[bot]"
"""Who a workflow's own token writes as."""


class Deed(StrEnum):
    """What is done, or would be."""

    ADD = "add"
    EDIT = "edit"
    CLOSE = "close"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class Done:
    """What was done to a comment or an issue, or would be."""

    deed: Deed
    about: str
    url: str = ""


def pull_request_of(github: GitHub, head: str, sha: str) -> PullRequest | None:
    """The open pull request from a branch (OWNER:BRANCH) whose newest commit is this one.

    None where there is none: it was closed, or has a newer commit by now, and what was found of an older one is no
    longer news. Raises GitHubError where there are several: of which one it was found can't be said.
    """
    found = [each for each in github.open_pull_requests(head) if each.head_sha == sha]
    if len(found) > 1:
        raise GitHubError(
            f"{head} is the branch of the pull requests {', '.join(str(each.number) for each in found)}: "
            "say which one with --pull-request"
        )
    return found[0] if found else None


def put_comment(github: GitHub, number: int, body: str, author: str, *, is_dry: bool = False) -> Done:
    """Makes the author's comment with the marker say this: edits the first there is, else adds one."""
    about = f"the comment on pull request {number}"
    ours = [each for each in github.comments(number) if each.author == author and each.body.startswith(MARKER)]
    if not ours:
        return Done(Deed.ADD, about) if is_dry else _signed(Deed.ADD, about, github.add_comment(number, body), author)
    first = ours[0]
    if first.body.replace("\r\n", "\n").rstrip() == body.rstrip():
        return Done(Deed.LEAVE, about, first.url)
    return Done(Deed.EDIT, about, first.url if is_dry else github.edit_comment(first.number, body).url)


def put_issue(github: GitHub, issues: list[Post], finding: Finding, author: str, *, is_dry: bool = False) -> Done:
    """Opens or updates the author's issue on a stack that has drifted, and closes it once the drift is gone.

    `issues` are the open ones. A stack that could not be looked at leaves its issue as it is.
    """
    marker, about = issue_marker(finding.stack), f"the issue on drift in {finding.stack}"
    ours = [each for each in issues if each.author == author and each.body.startswith(marker)]
    if finding.has_drifted:
        body = issue_text(finding)
        if not ours:
            return (
                Done(Deed.ADD, about)
                if is_dry
                else _signed(Deed.ADD, about, github.add_issue(issue_title(finding.stack), body), author)
            )
        if ours[0].body.replace("\r\n", "\n").rstrip() == body.rstrip():
            return Done(Deed.LEAVE, about, ours[0].url)
        return Done(Deed.EDIT, about, ours[0].url if is_dry else github.edit_issue(ours[0].number, body).url)
    if not ours or not finding.is_clean:
        return Done(Deed.LEAVE, about, ours[0].url if ours else "")
    for each in ours:
        if not is_dry:
            github.close_issue(each.number)
    return Done(Deed.CLOSE, about, ours[0].url)


def _signed(deed: Deed, about: str, made: Post, author: str) -> Done:
    """Raises GitHubError where the token is another's: the next run would not find again what this one has made."""
    if made.author != author:
        raise GitHubError(f"{made.url} was made as {made.author}, not as {author}: give --author {made.author}")
    return Done(deed, about, made.url)
