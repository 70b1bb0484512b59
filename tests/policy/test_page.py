"""The table in the docs is made from the rules."""

from pathlib import Path

from policy.checklist import table
from policy.rules import RULES

PAGE = Path(__file__).parents[2] / "docs" / "policy.md"


def test_the_page_lists_the_rules_as_they_are() -> None:
    text = PAGE.read_text()
    assert f"<!-- rules -->\n{table(RULES)}\n<!-- end of rules -->" in text, "run scripts/list_policies.py"
    assert f"{len(RULES)} rules" in text
    assert f"on {len({rule.row for rule in RULES})} of the 51 rows" in text
