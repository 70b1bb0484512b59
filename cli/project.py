"""The Teal project that a command is about."""

from dataclasses import dataclass
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from cli.steps import Steps
from config.stack_files import SettingsError, read_yaml
from localcloud.environment import stack_names
from localcloud.errors import LocalCloudError
from localcloud.home import Home


@dataclass(frozen=True)
class Project:
    """A folder with its Pulumi.yaml, and the home of its embedded cloud."""

    root: Path
    is_teal: bool = True
    """Whether it is this one, or somebody else's, which may use its components."""

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


def find_project(start: Path | None = None, *, takes_any: bool = False) -> Project:
    """The project of the folder where the command runs, or of one above. Raises LocalCloudError, SettingsError.

    It is Teal's, or with `takes_any` the nearest, whoever's it is.
    """
    here = (start or Path.cwd()).absolute()
    for folder in (here, *here.parents):
        if (folder / "Pulumi.yaml").is_file():
            is_teal = _is_teal(folder / "Pulumi.yaml")
            if is_teal or takes_any:
                return Project(folder, is_teal)
    which = ("project", "") if takes_any else ("Teal project", " of that name")
    raise LocalCloudError(f"{here} is in no {which[0]} (no Pulumi.yaml{which[1]} here or above): change into one")


def complete_stack(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of stacks for tab completion."""
    try:
        project = find_project(takes_any=True)
    except (LocalCloudError, SettingsError):
        return []
    return [CompletionItem(name) for name in stack_names(project.root) if name.startswith(incomplete)]


def _is_teal(file: Path) -> bool:
    found = read_yaml(file, str(file))
    return isinstance(found, dict) and found.get("name") == "teal"
