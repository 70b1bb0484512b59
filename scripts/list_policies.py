"""Writes the table of policy rules into docs/policy.md, from the rules themselves."""

import re
from pathlib import Path

from policy.checklist import table
from policy.rules import RULES

PAGE = Path(__file__).resolve().parent.parent / "docs" / "policy.md"
MARKED = re.compile(r"(?<=<!-- rules -->\n).*?(?=\n<!-- end of rules -->)", re.DOTALL)

if __name__ == "__main__":
    PAGE.write_text(MARKED.sub(lambda _: table(RULES), PAGE.read_text(), count=1))
