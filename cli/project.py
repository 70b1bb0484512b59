"""The Teal project that a command is about."""

from dataclasses import dataclass
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from cli.steps import Steps
from localcloud.environment import stack_names
from localcloud.errors import LocalCloudError
from localcloud.home import Home
from stack_files import SettingsError, read_yaml


@dataclass(frozen=True)
class Project:
    """A checkout with its Pulumi.yaml, and the home of its embedded cloud."""

    root: Path

    @property
    def home(self) -> Home:
        """Where its embedded cloud lives. Raises LocalCloudError if that cannot be written to."""
        return Home.of_project(self.root)

    @property
    def policy_packs(self) -> tuple[Path, ...]:
        """What judges its stacks: the pack in policy/, if there is one."""
        pack = self.root / "policy"
        return (pack,) if (pack / "PulumiPolicy.yaml").is_file() else ()

    def steps(self) -> Steps:
        """Progress on the screen, with what is known of how long each step takes. Raises LocalCloudError."""
        return Steps(self.home.root / "durations.json")


def find_project(start: Path | None = None) -> Project:
    """The project of the folder where the command runs, or of one above. Raises LocalCloudError, SettingsError."""
    here = (start or Path.cwd()).absolute()
    for folder in (here, *here.parents):
        if (folder / "Pulumi.yaml").is_file() and _is_teal(folder / "Pulumi.yaml"):
            return Project(folder)
    raise LocalCloudError(f"{here} is in no Teal project (no Pulumi.yaml of that name here or above): change into one")


def complete_stack(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of stacks for tab completion."""
    try:
        project = find_project()
    except (LocalCloudError, SettingsError):
        return []
    return [CompletionItem(name) for name in stack_names(project.root) if name.startswith(incomplete)]


def _is_teal(file: Path) -> bool:
    found = read_yaml(file, str(file))
    return isinstance(found, dict) and found.get("name") == "teal"
