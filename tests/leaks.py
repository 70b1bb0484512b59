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

GZIP_MAGIC = b"\x1f\x8b"
GLANCE_SECONDS, ALL_SECONDS, NEW_SECONDS = 0.03, 3.0, 1.0


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
    spared: bytes = b""
    """A variable by which processes are known that are meant to have it, instances and what they start."""
    command_lines: set[str] = field(default_factory=set)
    environments: set[str] = field(default_factory=set)
    looked: dict[int, float] = field(default_factory=dict)
    """When a process was first seen, by pid."""

    def look(self, *, at_all: bool = True) -> None:
        """At all processes once, or at those only that are new, which may yet become another program."""
        now = time.monotonic()
        for pid in [int(folder.name) for folder in Path("/proc").glob("[0-9]*")]:
            if at_all or now - self.looked.setdefault(pid, now) < NEW_SECONDS:
                self.looked.setdefault(pid, now)
                with suppress(OSError):
                    self._look_at(pid)

    def _look_at(self, pid: int) -> None:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        if self.planted.seen_in(command):
            self.command_lines.add(_name(command))
        held = Path(f"/proc/{pid}/environ").read_bytes()
        is_meant_to = bool(self.spared) and any(each.startswith(self.spared) for each in held.split(b"\0"))
        if self.planted.word.encode() in held and not is_meant_to:
            self.environments.add(_name(command))


def _name(command: bytes) -> str:
    return " ".join(part.decode(errors="replace") for part in command.split(b"\0")[:4])


@contextmanager
def glancing(planted: Planted, spared: bytes = b"") -> Iterator[Glances]:
    """Looks at processes again and again, until the block ends."""
    glances, stopping = Glances(planted, spared), threading.Event()

    def keep() -> None:
        due = 0.0
        while not stopping.is_set():
            started = time.monotonic()
            glances.look(at_all=started > due)
            due = started + ALL_SECONDS if started > due else due
            stopping.wait(max(GLANCE_SECONDS, 4 * (time.monotonic() - started)))  # a fifth of a core at most

    thread = threading.Thread(target=keep)
    thread.start()
    try:
        yield glances
    finally:
        stopping.set()
        thread.join(10)
