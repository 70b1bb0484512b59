"""The file of exemptions: what may stand in it."""

from datetime import date
from pathlib import Path

import pytest

from policy.exemptions import FILE_NAME, BadExemptions, read

IDS = frozenset({"disk-encrypted"})
GOOD = {
    "id": "disk-encrypted",
    "resource": "db-volume",
    "reason": "the vendor's appliance cannot start from an encrypted disk",
    "owner": "shop",
    "expires": "2027-01-31",
}


def written(folder: Path, text: str) -> Path:
    (folder / FILE_NAME).write_text(text)
    return folder


def line(**changes: str) -> str:
    return "- {" + ", ".join(f"{key}: {value}" for key, value in {**GOOD, **changes}.items() if value) + "}\n"


def test_a_project_without_the_file_has_no_exemptions(tmp_path: Path) -> None:
    assert read(tmp_path, IDS).entries == ()
    assert read(written(tmp_path, "# none yet\n"), IDS).entries == ()


def test_an_entry_is_read_as_it_stands(tmp_path: Path) -> None:
    [entry] = read(written(tmp_path, line(stacks="[dev]")), IDS).entries
    assert (entry.resource, entry.owner, entry.expires, entry.stacks) == (
        "db-volume",
        "shop",
        date(2027, 1, 31),
        ("dev",),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- [", "is not YAML"),
        ("a: 1", "should be a valid tuple"),
        (line(reason="because"), "entry 1 reason: String should have at least 30 characters"),
        (line(owner=""), "entry 1 owner: Field required"),
        (line(expires=""), "entry 1 expires: Field required"),
        (line(expires="never"), "entry 1 expires: must be a date such as 2027-01-31"),
        (line() + line(ticket="ABC-1"), "entry 2 ticket: Extra inputs are not permitted"),
        (line(id="disk-encrypting"), "there is no rule 'disk-encrypting'"),
    ],
)
def test_a_bad_file_is_one_line_that_says_where(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadExemptions) as caught:
        read(written(tmp_path, text), IDS)
    assert FILE_NAME in str(caught.value)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
