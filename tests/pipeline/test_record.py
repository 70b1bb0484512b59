"""Previews as they go from one job to another."""

import json

import pytest

from pipeline.model import Change, Kind, StackPreview
from pipeline.record import BadRecord, read, write
from preview_world import preview_of
from preview_world import step as engine_step


def test_what_was_written_is_read_as_it_was() -> None:
    found = preview_of(
        engine_step("update", "a:b:C", "x", {"p": 1}, {"p": 2}, detailed={"p": "update"}), against="main", failure="no"
    )
    assert read(write([found, StackPreview(stack="qa")])) == (found, StackPreview(stack="qa"))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "Invalid JSON"),
        ("[]", "object"),
        ('{"version": 1, "stacks": [{"stack": 1}]}', "stacks.0.stack: Input should be a valid string"),
        ('{"version": 2, "stacks": []}', "version is 2: this teal reads 1"),
    ],
)
def test_anything_else_is_refused_by_one_line(text: str, told: str) -> None:
    with pytest.raises(BadRecord) as caught:
        read(text)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_kind_of_change_is_refused() -> None:
    told = json.loads(write([StackPreview(stack="dev", changes=(Change(kind=Kind.DELETE, name="x", type="t"),))]))
    told["stacks"][0]["changes"][0]["kind"] = "explode"
    with pytest.raises(BadRecord, match=r"stacks\.0\.changes\.0\.kind"):
        read(json.dumps(told))
