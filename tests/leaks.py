"""Looks for a planted secret, in every form that it may have taken, wherever somebody could come across it."""

import base64
import gzip
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, quote_plus

import psutil

GZIP_MAGIC = b"\x1f\x8b"
GLANCE_SECONDS = 0.03


@dataclass(frozen=True, slots=True)
class Planted:
    """A secret that is nowhere but where a test has put it."""

    word: str

    @property
    def forms(self) -> dict[str, bytes]:
        """What it may look like, by how it came to that: bytes that hold it and nothing else."""
        raw = self.word.encode()
        found = {
            "raw": raw,
            "hex": raw.hex().encode(),
            "HEX": raw.hex().upper().encode(),
            "url": quote(self.word, safe="").encode(),
            "form": quote_plus(self.word).encode(),
            "utf-16": self.word.encode("utf-16-le"),
        }
        for shift in range(3):  # base64 of a longer text has it at one of three offsets; its ends depend on neighbours
            padded = base64.b64encode(b"\0" * shift + raw)
            clean = padded[4 if shift else 0 : len(padded) - 4]
            found[f"base64+{shift}"] = clean
            found[f"urlsafe base64+{shift}"] = clean.translate(bytes.maketrans(b"+/", b"-_"))
        return found

    def seen_in(self, content: bytes) -> str | None:
        """The form in which it is in there, or None. Compressed content is unpacked, base64 of it as well."""
        for text in unpacked(content):
            for form, needle in self.forms.items():
                if needle in text:
                    return form
        return None

    def files(self, folder: Path) -> list[str]:
        """Every file below that holds it, and how; names of files count as well."""
        found = []
        for path in sorted(folder.rglob("*")):
            if self.seen_in(str(path).encode()):
                found.append(f"{path.relative_to(folder)} (its name)")
            with suppress(FileNotFoundError):
                form = self.seen_in(path.read_bytes()) if path.is_file() else None
                if form:
                    found.append(f"{path.relative_to(folder)} ({form})")
        return found


def unpacked(content: bytes, depth: int = 2) -> Iterator[bytes]:
    """The content, and what is in it if it is compressed, or base64 of something compressed."""
    yield content
    if not depth:
        return
    if content.startswith(GZIP_MAGIC):
        with suppress(OSError, EOFError, zlib.error):
            yield from unpacked(gzip.decompress(content), depth - 1)
    elif content[:3] == b"H4s":
        with suppress(ValueError):
            yield from unpacked(base64.b64decode(content), depth - 1)


@dataclass
class Glances:
    """What processes of this machine's user showed of themselves, told by the word alone."""

    planted: Planted
    spared: set[int] = field(default_factory=set)
    """First processes of instances, which are meant to have it; what they start is, too."""
    command_lines: set[str] = field(default_factory=set)
    environments: set[str] = field(default_factory=set)
    looked: set[int] = field(default_factory=set)

    def look(self) -> None:
        """At all processes, once."""
        word = self.planted.word.encode()
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError, psutil.Error):
                command = (folder / "cmdline").read_bytes()
                self.looked.add(int(folder.name))
                if self.planted.seen_in(command):
                    self.command_lines.add(_name(command))
                if word in (folder / "environ").read_bytes() and not self._is_spared(int(folder.name)):
                    self.environments.add(_name(command))

    def _is_spared(self, pid: int) -> bool:
        process = psutil.Process(pid)
        return bool(self.spared.intersection({pid, *(each.pid for each in process.parents())}))


def _name(command: bytes) -> str:
    return " ".join(part.decode(errors="replace") for part in command.split(b"\0")[:4])


@contextmanager
def glancing(planted: Planted) -> Iterator[Glances]:
    """Looks at processes again and again, until the block ends."""
    glances, stopping = Glances(planted), threading.Event()

    def keep() -> None:
        while not stopping.is_set():
            started = time.monotonic()
            glances.look()
            stopping.wait(max(GLANCE_SECONDS, 2 * (time.monotonic() - started)))  # a third of a core at most

    thread = threading.Thread(target=keep)
    thread.start()
    try:
        yield glances
    finally:
        stopping.set()
        thread.join(10)
