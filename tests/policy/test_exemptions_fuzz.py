"""The file of exemptions as anybody might write it: read, or refused by one line."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from policy.exemptions import FILE_NAME, BadExemptions, read
from stack_files_made import ANYTHING, EXAMPLES, FRAGMENTS, LAUGHS, ODDITIES, is_clear, told_by

IDS = frozenset({"disk-encrypted", "bucket-kms"})
AT_EASE = settings(deadline=None, max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
LINE = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,20}[A-Za-z0-9]", fullmatch=True)
ENTRY = st.fixed_dictionaries(
    {
        "id": st.sampled_from(sorted(IDS)),
        "resource": LINE,
        "reason": st.from_regex(r"[a-z][a-z ,.]{40,60}[a-z]", fullmatch=True),
        "owner": LINE,
        "expires": st.dates() | st.dates().map(str),
    },
    optional={"stacks": st.lists(LINE, max_size=3)},
)
GOOD = {
    "id": "disk-encrypted", "resource": "db", "reason": "the appliance cannot start from such a disk", "owner": "shop",
    "expires": "2027-01-31",
}  # fmt: skip


def entries_in(folder: Path, content: bytes) -> int:
    (folder / FILE_NAME).write_bytes(content)
    return len(read(folder, IDS).entries)


@AT_EASE
@given(entries=st.lists(ENTRY, max_size=4))
def test_good_exemptions_are_read_as_they_were_written(tmp_path: Path, entries: list[dict[str, Any]]) -> None:
    (tmp_path / FILE_NAME).write_text(yaml.safe_dump(entries))
    found = read(tmp_path, IDS).entries
    assert [(each.id, each.resource, each.owner) for each in found] == [
        (each["id"], each["resource"], each["owner"]) for each in entries
    ]
    assert [str(each.expires) for each in found] == [str(each["expires"]) for each in entries]


@AT_EASE
@given(key=st.sampled_from(sorted(GOOD)) | st.text(max_size=8), value=ANYTHING)
@example(key="expires", value=20270131)
@example(key="expires", value=1e12)
@example(key="expires", value="20270131")
@example(key="expires", value="2026-13-45")
@example(key="expires", value=date(2027, 1, 31))
@example(key="reason", value=" " * 40)
@example(key="stacks", value=None)
@example(key="id", value="disk-encrypting")
@example(key="id", value="x" * 5000)
@example(key="a\nb", value=1)
def test_a_value_of_any_kind_is_taken_or_is_one_line_that_says_where(tmp_path: Path, key: str, value: Any) -> None:
    content = yaml.safe_dump([{**GOOD, key: value}], allow_unicode=True).encode("utf-8", "surrogatepass")
    told = told_by(lambda: entries_in(tmp_path, content), BadExemptions)
    assert is_clear(told, f"{FILE_NAME}: entry 1", f"{FILE_NAME} is not YAML"), told


@pytest.mark.parametrize("content", [*ODDITIES, LAUGHS.encode(), b"[" * 100_000], ids=range(len(ODDITIES) + 2))
def test_an_oddity_of_yaml_is_read_or_is_one_line(tmp_path: Path, content: bytes) -> None:
    check(tmp_path, content)


@AT_EASE
@given(
    content=st.binary(max_size=60) | st.lists(FRAGMENTS | st.just(b"- {id: disk-encrypted}"), max_size=6).map(b"".join)
)
def test_a_spoilt_file_is_read_or_is_one_line(tmp_path: Path, content: bytes) -> None:
    check(tmp_path, content)


def check(folder: Path, content: bytes) -> None:
    told = told_by(lambda: entries_in(folder, content), BadExemptions)
    assert is_clear(told, FILE_NAME), told


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ({**GOOD, "expires": 20270131}, "entry 1 expires: must be a date such as 2027-01-31"),
        ({**GOOD, "reason": " " * 40}, "entry 1 reason: String should have at least 30 characters"),
        ({**GOOD, "id": "disk-encryptd"}, "entry 1 id: there is no rule 'disk-encryptd'; did you mean disk-encrypted?"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, entry: dict[str, Any], told: str) -> None:
    with pytest.raises(BadExemptions) as caught:
        entries_in(tmp_path, yaml.safe_dump([entry]).encode())
    assert str(caught.value) == f"{FILE_NAME}: {told}"


def test_a_key_that_stands_there_twice_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadExemptions, match="'id' stands there twice"):
        entries_in(tmp_path, b"- {id: disk-encrypted, id: bucket-kms}\n")


def test_a_folder_in_the_files_place_is_one_line(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()
    with pytest.raises(BadExemptions, match=f"^{FILE_NAME} cannot be read: Is a directory$"):
        read(tmp_path, IDS)
