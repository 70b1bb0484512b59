import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version

import click
import pytest

from cli.main import main
from cli_world import Teal

DIGEST = "sha256:" + "0a" * 32


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command and group, as words after `teal`."""
    yield path
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


ALL = list(commands(main))


def test_the_commands_are_those_of_the_readme() -> None:
    assert {
        ("local", "up"), ("local", "down"), ("local", "status"), ("local", "env"), ("local", "logs"),
        ("local", "preview"), ("local", "cancel"), ("image", "build"), ("toolchain", "show"), ("toolchain", "export"),
    } <= set(ALL)  # fmt: skip


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_help_shows_an_example_of_the_command(teal: Teal, path: tuple[str, ...]) -> None:
    ended = teal(*path, "--help")
    assert ended.code == 0
    assert ended.err == ""
    _, example, after = ended.out.partition("Example")
    assert example, ended.out
    assert " ".join(("teal", *path)) in after


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_every_option_says_what_it_does(path: tuple[str, ...]) -> None:
    command: click.Command = main
    for name in path:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), name)
        assert found
        command = found
    assert [option.name for option in command.params if isinstance(option, click.Option) and not option.help] == []


def test_the_version_is_that_of_the_package(teal: Teal) -> None:
    assert teal("--version").out == f"teal, version {version('teal')}\n"


def test_the_command_itself_loads_neither_engine_nor_cloud() -> None:
    code = "import sys, cli.main; print(sorted({'pulumi', 'boto3', 'moto', 'localcloud', 'rich'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("words", [(), ("local",)])
def test_a_group_without_a_command_shows_its_help(teal: Teal, words: tuple[str, ...]) -> None:
    ended = teal(*words)
    assert ended.code == 2
    assert ended.err.startswith("Usage: teal")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("locale",), "teal: No such command 'locale'"),
        (("local", "upp"), "teal local: No such command 'upp'"),
        (("local", "up", "--colour"), "teal local up: No such option '--colour'"),
        (("local", "up", "dev", "prod"), "teal local up: Got unexpected extra argument (prod)"),
        (("local", "logs", "-n", "-1"), "teal local logs: Invalid value for '-n' / '--lines'"),
        (
            ("local", "up", "--build", "--image", DIGEST),
            "teal local up: --image and --build exclude each other: an environment has one first image",
        ),
        (
            ("local", "up", "--image", "sha256:xyz"),
            "teal local up: Invalid value for '--image': 'sha256:xyz' is not a digest, sha256: and 64 hexadecimal",
        ),
        (("local", "up", "--image", DIGEST.upper()), "teal local up: Invalid value for '--image'"),
        (
            ("image", "build", "--label", "version"),
            "teal image build: Invalid value for '--label': 'version' is not KEY=VALUE",
        ),
        (("image", "build", "--label", "=1"), "teal image build: Invalid value for '--label': '=1' is not KEY=VALUE"),
        (("toolchain", "export"), "teal toolchain export: Missing argument 'DIRECTORY'"),
    ],
)
def test_a_wrong_call_is_one_line_and_exit_code_2(teal: Teal, words: tuple[str, ...], told: str) -> None:
    ended = teal(*words)
    assert ended.code == 2
    assert ended.out == ""
    assert ended.told.startswith(told)
    path = told.partition(":")[0]
    assert ended.told.endswith(f"(see `{path} --help`)")
