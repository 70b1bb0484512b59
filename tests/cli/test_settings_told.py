"""Commands that read settings, before stack files of all kinds: one line and exit code 1, never a traceback."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cli_world import FakeCloud, Teal
from config.settings import of_stack
from config.stack_files import SettingsError, region_of
from stack_files_made import ODDITIES, documents, is_clear

COMMANDS = (("local", "up"), ("local", "preview"), ("release", "plan", "dev"), ("release", "start", "dev"))


def is_good(project: Path) -> bool:
    try:
        of_stack(project, "dev")
        region_of(project, "dev")
    except SettingsError:
        return False
    return True


@pytest.mark.usefixtures("cloud")
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(command=st.sampled_from(COMMANDS), content=documents() | st.sampled_from(ODDITIES))
@example(command=("local", "preview"), content=b"config:\n  teal:version: 2026-13-45\n")
@example(command=("local", "up"), content=b"config:\n  5: 1\n")
@example(command=("release", "start", "dev"), content=b"config:\n  teal:maxInstances: 1\n")
@example(command=("release", "plan", "dev"), content=b"config:\n  teal:zones: " + b"9" * 5000)
def test_a_bad_stack_file_is_one_line(teal: Teal, project: Path, command: tuple[str, ...], content: bytes) -> None:
    (project / "Pulumi.dev.yaml").write_bytes(content)
    if is_good(project):
        return
    ended = teal(*command)
    assert (ended.code, ended.out) == (1, "")
    assert is_clear(ended.told.removeprefix("teal: "), "Pulumi.dev.yaml", "teal:", "aws:region")


def test_a_bad_setting_of_another_stack_does_not_stop_this_one_from_being_found(
    teal: Teal, project: Path, cloud: FakeCloud
) -> None:
    (project / "Pulumi.prod.yaml").write_text("config: {teal:zones: 9}\n")
    url = cloud.add_stack("dev", "ca-central-1a")
    assert json.loads(teal("local", "status", "--json").out)["stacks"]["dev"]["url"] == url


@pytest.mark.parametrize("name", ["a.b", "A_b-1", "x" * 100])
def test_the_name_of_a_stack_is_that_of_its_file(teal: Teal, project: Path, name: str) -> None:
    (project / f"Pulumi.{name}.yaml").write_text("config: {teal:zones: 9}\n")
    assert teal("local", "up", name).told == "teal: teal:zones is '9': input should be less than or equal to 6"
    assert name in teal("local", "up", "other").told


@pytest.mark.parametrize("name", ["", "a b", "ü", "x" * 101, "a\nb", "a$(id)"])
def test_a_file_that_no_stack_can_be_named_after_is_none_of_a_stack(teal: Teal, project: Path, name: str) -> None:
    (project / f"Pulumi.{name}.yaml").write_text("")
    ended = teal("local", "up", name)
    assert ended.told == f"teal: there is no stack {name!r}: Pulumi.<stack>.yaml exists for dev, prod, qa, stage"
    assert ended.code == 1


@pytest.mark.parametrize("length", ["9" * 400 + "h", "8d", "169h", "٣s"])
def test_a_length_of_time_beyond_all_use_is_refused(teal: Teal, length: str) -> None:
    ended = teal("release", "plan", "dev", "--bake", length)
    assert ended.code == 2
    assert "Traceback" not in ended.err
    assert "is longer than a week" in ended.err or "is no length of time" in ended.err
