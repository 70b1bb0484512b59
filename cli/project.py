"""The Teal project that a command is about."""

from dataclasses import dataclass
from pathlib import Path

import click
import yaml
from click.shell_completion import CompletionItem

from localcloud.errors import LocalCloudError
from localcloud.home import Home
from localcloud.stacks import stack_names


@dataclass(frozen=True)
class Project:
    """A checkout with its Pulumi.yaml, and the home of its embedded cloud."""

    root: Path

    @property
    def home(self) -> Home:
        """Where its embedded cloud lives. Raises LocalCloudError if that cannot be written to."""
        return Home.of_project(self.root)


def find_project(start: Path | None = None) -> Project:
    """The project of the folder where the command runs, or of one above. Raises LocalCloudError."""
    here = (start or Path.cwd()).absolute()
    for folder in (here, *here.parents):
        if (folder / "Pulumi.yaml").is_file() and _is_teal(folder):
            return Project(folder)
    raise LocalCloudError(f"{here} is in no Teal project (no Pulumi.yaml of that name here or above): change into one")


def complete_stack(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of stacks for tab completion."""
    try:
        project = find_project()
    except LocalCloudError:
        return []
    return [CompletionItem(name) for name in stack_names(project.root) if name.startswith(incomplete)]


def _is_teal(folder: Path) -> bool:
    found = yaml.safe_load((folder / "Pulumi.yaml").read_text())
    return isinstance(found, dict) and found.get("name") == "teal"
