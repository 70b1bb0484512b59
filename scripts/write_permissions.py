"""Writes the table of the pipeline's roles into docs/identity.md, from the statements themselves."""

import re
from pathlib import Path

from components.identity import ROLES
from components.pipeline_roles.permissions import table

PAGE = Path(__file__).resolve().parent.parent / "docs" / "identity.md"
BETWEEN = re.compile(r"(<!-- roles -->\n).*?(<!-- end of roles -->)", re.DOTALL)

if __name__ == "__main__":
    PAGE.write_text(BETWEEN.sub(lambda found: f"{found[1]}{table(ROLES)}{found[2]}", PAGE.read_text()))
