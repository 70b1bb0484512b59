"""`teal ci drift`."""

from collections.abc import Sequence
from pathlib import Path

import click

from cli.ci.hub import plain_file
from cli.ci.way import stages_of
from cli.failures import DRIFTED, FAILED, Failure, NotRunning, foreseen, one_line
from cli.project import complete_stack, find_project
from cli.release.options import aws_option, json_option
from cli.release.place import place_of
from pipeline.drift import Finding, Look, document, markdown
from pipeline.stages import Stage, chosen
from release.errors import LedgerMissing


@click.command()
@click.argument("stacks", nargs=-1, metavar="[STACK]...", shell_complete=complete_stack)
@click.option("--report", type=plain_file, help="Write what was found there as JSON, for `teal ci issues`.")
@click.option("--markdown", "summary", type=plain_file, help="Add what was found to this file, for people.")
@aws_option
@json_option
@one_line
def drift(stacks: tuple[str, ...], report: Path | None, summary: Path | None, as_json: bool) -> None:
    """Find what somebody has changed behind Pulumi's back, in every STACK (by default all that are up).

    Drift is what a refresh finds to be other than Pulumi left it, and the next run would undo. Changes of the program
    that are not out yet are counted beside it. A stack with a release in flight is not looked at. Nothing is changed,
    so there is no --dry-run.

    Exits with 0 where there is none, with 8 where there is, with 1 where a stack could not be looked at.

    \b
    Examples:
      teal ci drift dev
      teal ci drift --aws --report drift.json
    """
    ordered = stages_of(find_project().root)
    looked = [_finding(stage) for stage in (chosen(ordered, stacks) if stacks else ordered)]
    findings = [each for each in looked if stacks or each.look is not Look.ABSENT]
    if report:
        report.write_text(document(findings))
    if summary:
        with summary.open("a") as out:
            out.write(markdown(findings))
    click.echo(document(findings) if as_json else "\n".join(map(_line, findings)))
    click.get_current_context().exit(_code(findings))


def _finding(stage: Stage) -> Finding:
    """What was found of a stack, or why it could not be looked at: the others are looked at all the same."""
    from cli.ci.looking import looked_at

    try:
        with foreseen(), place_of(stage.name) as place:
            try:
                flight = place.ledger.read().release
            except LedgerMissing as problem:
                return Finding(stage.name, Look.ABSENT, told=str(problem))
            if flight:
                return Finding(stage.name, Look.BUSY, told=f"release {flight.release_id} is in flight ({flight.phase})")
            return looked_at(place)
    except NotRunning:
        raise
    except Failure as problem:
        return Finding(stage.name, Look.FAILED, told=problem.format_message())


def _line(finding: Finding) -> str:
    names = ", ".join(f"{change.name} ({change.operation})" for change in finding.changes)
    pending = f"; {finding.pending} changes of the program are not out yet" if finding.pending else ""
    return f"{finding.stack}: {finding.look}{f': {names or finding.told}' if names or finding.told else ''}{pending}"


def _code(findings: Sequence[Finding]) -> int:
    if any(finding.look in (Look.FAILED, Look.ABSENT) for finding in findings):
        return FAILED
    return DRIFTED if any(finding.has_drifted for finding in findings) else 0
