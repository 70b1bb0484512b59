"""A Pulumi project in a folder of its own, run by the real engine on a local file backend."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from toolchain import Toolchain

RUN_SECONDS = 100


@dataclass(frozen=True)
class Project:
    """Files, a state and a home below one folder; run() is the pulumi command there."""

    folder: Path
    toolchain: Toolchain

    def write(self, name: str, text: str) -> "Project":
        """Writes one file, in a folder below if name says so."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return self

    @property
    def environment(self) -> dict[str, str]:
        """All that a pulumi process gets."""
        state = self.folder.parent / "state"
        state.mkdir(exist_ok=True)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PULUMI_", "TEAL_"))}
        return {
            **inherited,
            **self.toolchain.environment(),
            "PULUMI_HOME": str(self.folder.parent / "home"),
            "PULUMI_BACKEND_URL": f"file://{state}",
            "PULUMI_CONFIG_PASSPHRASE": "test",
        }

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs pulumi to its end, without color or questions; output and error are one text."""
        return subprocess.run(
            [self.toolchain.pulumi, "--non-interactive", "--color=never", *arguments],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )

    def succeed(self, *arguments: str) -> str:
        """What a run printed that must not fail."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def fail(self, *arguments: str) -> str:
        """What a run printed that must fail."""
        done = self.run(*arguments)
        assert done.returncode != 0, done.stdout
        return done.stdout
