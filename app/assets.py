"""Static files under names that carry a hash of their content, so that a browser may keep them for ever.

During a release a page of one colour can ask the other colour for a file. Who does not have it sends the browser to the
other colour's own path, /assets/blue/ or /assets/green/, which the load balancer takes there whatever the weights are.
Long afterwards, when no server has it any more, a hash is answered with this version's file of that name, uncached:
styled a little differently beats not at all.
"""

import hashlib
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

STATIC = Path(__file__).parent / "static"
OTHER = {"blue": "green", "green": "blue"}
"""Who may have what a colour does not have."""
HASHED = re.compile(r"(?P<stem>.+)\.(?P<digest>[0-9a-f]{12})(?P<suffix>\.[a-z0-9]+)")


@dataclass(frozen=True, slots=True)
class Found:
    """A file to send; is_current says whether the asked-for hash is its own."""

    name: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Manifest:
    """Plain file name to hashed file name, of everything in one folder."""

    hashed: Mapping[str, str]

    def url(self, name: str) -> str:
        """The path that the file is served at. Raises KeyError for a file that is not there."""
        return f"/assets/{self.hashed[name]}"

    def find(self, hashed_name: str) -> Found | None:
        """The file behind a hashed name, or None where no file ever had that name."""
        parts = HASHED.fullmatch(hashed_name)
        name = f"{parts['stem']}{parts['suffix']}" if parts else ""
        return Found(name, self.hashed[name] == hashed_name) if name in self.hashed else None

    def elsewhere(self, hashed_name: str, colour: str) -> str | None:
        """Where a file that a server of this colour does not have is to be asked for; None where nobody else may."""
        other = OTHER.get(colour)
        is_ours = hashed_name in self.hashed.values()
        return f"/assets/{other}/{hashed_name}" if other and HASHED.fullmatch(hashed_name) and not is_ours else None


def read_manifest(folder: Path = STATIC) -> Manifest:
    """The manifest of the files in folder as they are now."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return Manifest(MappingProxyType({path.name: _hashed_name(path) for path in files}))


def publish(target: Path, folder: Path = STATIC) -> None:
    """Copies every file of folder into target under its hashed name, for NGINX to serve."""
    target.mkdir(parents=True, exist_ok=True)
    for name, hashed in read_manifest(folder).hashed.items():
        shutil.copyfile(folder / name, target / hashed)


def _hashed_name(path: Path) -> str:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    return f"{path.stem}.{digest}{path.suffix}"


if __name__ == "__main__":
    publish(Path(sys.argv[1]))
