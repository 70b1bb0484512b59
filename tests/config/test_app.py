"""The app's own configuration: every key is a secret, and no error shows one."""

import runpy
from collections.abc import Iterator
from pathlib import Path

import pulumi
import pytest
from pulumi.runtime import set_all_config

from config.app import app_secrets
from config.stack_files import SettingsError, stack_config
from deployed import deploy

ROOT = Path(__file__).parents[2]
WORD = "hunter2"


@pytest.fixture(autouse=True)
def afterwards() -> Iterator[None]:
    yield
    set_all_config({})


def test_every_key_of_its_namespace_is_a_variable() -> None:
    set_all_config({"app:API_KEY": WORD, "teal:zones": "2", "apps:X": "1"}, ["app:API_KEY"])
    assert app_secrets() == {"API_KEY": WORD}


def test_a_stack_without_any_has_none() -> None:
    set_all_config({"teal:zones": "2"})
    assert app_secrets() == {}


@pytest.mark.parametrize(
    ("key", "is_secret", "told"),
    [
        ("app:API_KEY", False, "app:API_KEY is in clear: set it by `pulumi config set --secret app:API_KEY`"),
        ("app:TEAL_DIGEST", True, "app:TEAL_DIGEST must be named as a variable"),
        ("app:api-key", True, "app:api-key must be named as a variable"),
        ("app:", True, "app: must be named as a variable"),
    ],
)
def test_a_wrong_one_is_one_line_that_names_it_and_shows_nothing(key: str, is_secret: bool, told: str) -> None:
    set_all_config({key: WORD}, [key] if is_secret else [])
    with pytest.raises(SettingsError) as caught:
        app_secrets()
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert WORD not in str(caught.value)


def test_the_program_stops_with_that_line() -> None:
    config = {**stack_config(ROOT, "dev"), "app:API_KEY": WORD}
    with pytest.raises(pulumi.RunError, match="app:API_KEY is in clear"):
        deploy(lambda: runpy.run_path(str(ROOT / "__main__.py")), config, None, "dev")
