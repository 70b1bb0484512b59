import json

import pytest

from pipeline.drift import Change, Finding, Look, document, issue_text, markdown, parsed
from pipeline.errors import UntrustedText
from pipeline.posting import LONGEST

CHANGE = Change("web-listener", "aws:lb/listener:Listener", "update", ("defaultActions",))
FOUND = (
    Finding("dev", Look.DRIFTED, (CHANGE,), pending=2),
    Finding("qa", Look.CLEAN),
    Finding("stage", Look.BUSY, told="release r-1 is in flight (SHIFTING)"),
    Finding("prod", Look.FAILED, told="AWS: no | credentials"),
)


def test_a_report_comes_back_as_it_was() -> None:
    assert parsed(document(FOUND)) == FOUND


def test_people_read_what_would_be_undone_and_what_is_only_pending() -> None:
    assert markdown(FOUND) == (
        "### dev\n\n1 change that the next run would undo.\n\n"
        "| resource | type | it would | differs in |\n|---|---|---|---|\n"
        "| `web-listener` | `aws:lb/listener:Listener` | update | `defaultActions` |\n"
        "\n2 changes of the program not out yet: no drift.\n\n"
        "### qa\n\nNo drift.\n\n"
        "### stage\n\nNot looked at: release r-1 is in flight (SHIFTING)\n\n"
        "### prod\n\nNot looked at: AWS: no / credentials\n"
    )


def test_a_name_is_no_markdown_and_calls_nobody() -> None:
    told = markdown([Finding("dev", Look.DRIFTED, (Change("a`|@ann<!--\n", "t", "update", ("k`",)),))])
    assert "| `a'/(at)ann(!--` | `t` | update | `k'` |" in told


def test_an_issue_is_short_enough_however_much_has_changed() -> None:
    many = tuple(Change("n" * 400, "t" * 400, "delete", ("k" * 100,) * 10) for _ in range(500))
    told = issue_text(Finding("dev", Look.DRIFTED, many))
    assert len(told) < LONGEST
    assert told.startswith("<!-- teal-drift dev -->\n500 changes that the next run would undo.")
    assert "This issue is kept up to date" in told


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"stacks": [1]}',
        '{"stacks": [{"stack": "dev", "look": "fine", "changes": [], "pending": 0, "told": ""}]}',
        '{"stacks": [{"stack": "dev", "look": "clean", "changes": {}, "pending": 0, "told": ""}]}',
        json.dumps({"stacks": [{"stack": "a -->", "look": "clean", "changes": [], "pending": 0, "told": ""}]}),
    ],
)
def test_what_is_no_report_is_refused_in_a_line(text: str) -> None:
    with pytest.raises(UntrustedText) as failed:
        parsed(text)
    assert str(failed.value).startswith("this is no report of `teal ci drift`: ")
    assert "\n" not in str(failed.value)
