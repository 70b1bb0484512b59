"""The engine once it is there, and what a process needs in its environment to run it."""

import os
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from toolchain.pins import LANGUAGE_HOST

if TYPE_CHECKING:
    from pulumi.automation import PulumiCommand


class Source(StrEnum):
    """Where an engine came from."""

    PATH = "path"
    INSTALLED = "installed"
    CACHED = "cached"
    MIRROR = "mirror"
    BUILT = "built"


OFFICIAL = frozenset({Source.PATH, Source.INSTALLED})


@dataclass(frozen=True, slots=True)
class Toolchain:
    """A Pulumi engine that runs Python and YAML programs."""

    pulumi: Path
    version: str
    source: Source

    @property
    def is_official(self) -> bool:
        """The CLI as its makers ship it, which finds its own language hosts and plugins."""
        return self.source in OFFICIAL

    def environment(self) -> dict[str, str]:
        """Variables to add to a process that starts pulumi, raw or through the Automation API. PATH is whole."""
        path = os.pathsep.join([str(self.pulumi.parent), os.environ.get("PATH", os.defpath)])
        common = {"PATH": path, "PULUMI_SKIP_UPDATE_CHECK": "true"}
        if self.is_official:
            return common
        return {
            **common,
            "TEAL_PYTHON": sys.executable,
            "TEAL_LANGUAGE_HOST": str(LANGUAGE_HOST),
            # Plugins come from a site that is out of reach here; five tries each would cost seconds on every run.
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }

    def pulumi_command(self) -> "PulumiCommand":
        """The engine as the Automation API takes it."""
        from pulumi.automation import PulumiCommand  # costs 0.3 s, and only some commands need it

        if self.pulumi.parent.name == "bin":
            return PulumiCommand(root=str(self.pulumi.parent.parent))
        return PulumiCommand()  # it was found on PATH
