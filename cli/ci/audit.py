"""`teal ci audit`."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

import click

LOCKED = ("app/requirements.txt", "components/requirements.txt", "machine/requirements.txt", "requirements.txt")
SECONDS = 300.0
ADVISORY_SECONDS = 15
VULNERABLE, NOT_AUDITED = 1, 9
"""Exit codes: a package has a known vulnerability; nobody could be asked, which is no pass."""
OSV_URL = "TEAL_OSV_URL"
FOUND = "known vulnerabilit"
"""In what pip-audit prints about a package: it has one exit code for that and for all that may go wrong."""
KINDS = (
    ("no module named", "pip-audit is not installed"),
    ("timed out", "no answer in time"),
    ("timeout", "no answer in time"),
    ("resolve", "its name is not known here"),
    ("refused", "connection refused"),
    ("connect", "no connection"),
    ("error", "it answered with an error"),
)
"""Words in pip-audit's last line, and what is told instead: the line itself names hosts."""


class Verdict(StrEnum):
    """What an audit came to."""

    CLEAN = "clean"
    VULNERABLE = "vulnerable"
    NOT_AUDITED = "not audited"


@dataclass(frozen=True, slots=True)
class Audit:
    """Of one locked list."""

    locked: str
    verdict: Verdict
    told: str
    """What is vulnerable, or why nobody knows."""


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def audit(as_json: bool) -> None:
    """Ask whether a package that is pinned here has a known vulnerability.

    Every locked list is looked up as it stands; nothing is installed or resolved. TEAL_OSV_URL names another server of
    OSV's protocol than OSV's own, such as a company's mirror.

    \b
    Exit codes: 0 none is known, 1 some has one, 9 the database could not be asked (a warning, but no pass).

    \b
    Examples:
      teal ci audit
      teal ci audit --json
      TEAL_OSV_URL=https://osv.example/v1/query teal ci audit
    """
    found = audits(os.environ.get(OSV_URL))
    if as_json:
        click.echo(json.dumps([asdict(each) for each in found], indent=1))
    else:
        for each in found:
            click.echo(f"{each.verdict}: {each.locked}: {each.told}", err=each.verdict is Verdict.NOT_AUDITED)
    sys.exit(exit_code(found))


def audits(osv_url: str | None) -> list[Audit]:
    """Of every list; once the database is out of reach it is not waited for again."""
    found: list[Audit] = []
    for locked in LOCKED:
        gone = next((each for each in found if each.verdict is Verdict.NOT_AUDITED), None)
        found.append(Audit(locked, gone.verdict, gone.told) if gone else audited(locked, osv_url))
    return found


def exit_code(found: Sequence[Audit]) -> int:
    """That of the worst verdict: a vulnerability, then not knowing."""
    verdicts = {each.verdict for each in found}
    if Verdict.VULNERABLE in verdicts:
        return VULNERABLE
    return NOT_AUDITED if Verdict.NOT_AUDITED in verdicts else 0


def audited(locked: str, osv_url: str | None = None) -> Audit:
    """What the database knows of one list; its path is relative to the project."""
    root = Path(__file__).parents[2]
    try:
        done = subprocess.run(
            command(locked, osv_url), cwd=root, capture_output=True, text=True, check=False, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        return Audit(locked, Verdict.NOT_AUDITED, f"the advisory database did not answer within {SECONDS:.0f} s")
    if done.returncode == 0:
        return Audit(locked, Verdict.CLEAN, "no known vulnerability")
    if FOUND in done.stdout + done.stderr:
        return Audit(locked, Verdict.VULNERABLE, done.stdout.strip())
    return Audit(locked, Verdict.NOT_AUDITED, f"the advisory database is out of reach ({reason(done.stderr)})")


def command(locked: str, osv_url: str | None) -> list[str]:
    """pip-audit on one locked list, by its hashes: neither pip nor a resolver has a say."""
    asked = ["--vulnerability-service", "osv", *(["--osv-url", osv_url] if osv_url else [])]
    quiet = ["--progress-spinner", "off", "--timeout", str(ADVISORY_SECONDS)]
    listed = ["--requirement", locked, "--require-hashes", "--disable-pip"]
    return [sys.executable, "-m", "pip_audit", *listed, *quiet, *asked]


def reason(said: str) -> str:
    """What went wrong, without the names of hosts that pip-audit's own words hold."""
    lines = [line for line in said.strip().splitlines() if line.strip()]
    last = lines[-1].lower() if lines else ""
    return next((kind for word, kind in KINDS if word in last), "pip-audit failed: run it by hand to see why")


if __name__ == "__main__":
    audit()
