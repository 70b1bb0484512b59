"""Draws the diagram of a release's phases into docs/release.md, from the machine's table."""

import re
from pathlib import Path

from release.machine import diagram

PAGE = Path(__file__).resolve().parent.parent / "docs" / "release.md"

if __name__ == "__main__":
    drawn = f"```mermaid\n{diagram()}\n```"
    PAGE.write_text(re.sub(r"```mermaid\n.*?```", lambda _: drawn, PAGE.read_text(), count=1, flags=re.DOTALL))
