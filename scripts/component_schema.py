"""Writes what follows from the components: components/schema.json, and the tables of docs/components.md.

python -m scripts.component_schema            after each change of what components take or give
python -m scripts.component_schema release    keeps the schema as the one that this version was released with
"""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pulumi.provider.experimental.component import ComponentProvider

from components.catalogue import PACKAGE, described
from components.version import VERSION
from scripts.schema_changes import parse_version, type_text

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = ROOT / "components" / "schema.json"
RELEASED = ROOT / "components" / "schemas"
PAGE = ROOT / "docs" / "components.md"
BETWEEN = re.compile(r"(<!-- components -->\n).*?(<!-- end of components -->)", re.DOTALL)

Schema = Mapping[str, Any]


def schema() -> dict[str, Any]:
    """The schema of the components as they are, as the engine gets it."""
    found: dict[str, Any] = json.loads(ComponentProvider(described(), PACKAGE, None, VERSION).schema)
    return found


def as_text(of: Schema) -> str:
    """The schema as it is kept: every key in its place, so that a review shows what changed and nothing else."""
    return json.dumps(of, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def released() -> dict[str, Path]:
    """The schemas of released versions, by version, the last one last."""
    return {path.stem: path for path in sorted(RELEASED.glob("*.json"), key=lambda path: parse_version(path.stem))}


def tables(of: Schema) -> str:
    """Every component with its inputs and outputs, as Markdown."""
    parts = [_component(token.rpartition(":")[2], about, of) for token, about in sorted(of["resources"].items())]
    return "\n".join(parts)


def page(of: Schema) -> str:
    """The page with the schema's tables in it."""
    return BETWEEN.sub(lambda found: f"{found[1]}{tables(of)}{found[2]}", PAGE.read_text(encoding="utf-8"))


def _component(name: str, about: Schema, of: Schema) -> str:
    needed = set(about["requiredInputs"])
    inputs = sorted(
        about["inputProperties"].items(), key=lambda item: item[0] not in needed
    )  # stable: needed ones first
    return "\n".join(
        [
            f"### {name}",
            about["description"],
            "",
            *_table("input", "needed", ((each, "yes" if each in needed else "", of_) for each, of_ in inputs), of),
            "",
            *_table("output", "", ((each, "", of_) for each, of_ in about["properties"].items()), of),
            "",
        ]
    )


def _table(kind: str, column: str, rows: Iterator[tuple[str, str, Schema]], of: Schema) -> Iterator[str]:
    middle, rule = (f" {column} |", "---|") if column else ("", "")
    yield f"| {kind} | type |{middle} |"
    yield f"|---|---|{rule}---|"
    for name, word, about in rows:
        cell = f" {word} |" if column else ""
        yield f"| `{name}` | {_type(about, of)} |{cell} {_cell(about.get('description', ''))} |"


def _cell(text: str) -> str:
    """A text inside of a table, where a bar would end its cell and <name> be taken for a tag."""
    return text.replace("|", "\\|").replace("<", "&lt;")


def _type(about: Schema, of: Schema) -> str:
    """In words; a type of the package's own by what it holds."""
    inner = about.get("items") or about.get("additionalProperties") or about
    plain = (", plain" if inner.get("plain") else ", plain but for its values") if about.get("plain") else ""
    text = f"{type_text(about)}{plain}"
    for token, own in of["types"].items():
        name = token.rpartition(":")[2]
        if re.search(rf"\b{name}\b", text):
            holds = [f"`{each['value']}`" for each in own.get("enum") or ()] or [
                f"`{key}`" for key in own["properties"]
            ]
            text += f" ({', '.join(holds)})"
    return text


def main(arguments: list[str]) -> int:
    """Writes; with `release`, a released version's schema, which never changes again."""
    now = schema()
    if arguments == ["release"]:
        kept = RELEASED / f"{VERSION}.json"
        if kept.exists() and kept.read_text(encoding="utf-8") != as_text(now):
            sys.stderr.write(f"{VERSION} was released with another schema: raise components/version.py\n")
            return 1
        kept.write_text(as_text(now), encoding="utf-8")
    SCHEMA.write_text(as_text(now), encoding="utf-8")
    PAGE.write_text(page(now), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
