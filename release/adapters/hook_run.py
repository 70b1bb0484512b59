"""One run of a hook: a process group of its own, with a bounded time and a bounded memory of what it prints."""

import json
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from release.adapters import hook_guard

OUTPUT_CHARACTERS = 4000
"""How much of the end of its output is kept."""
MASK = "***"
_KEPT_BYTES, _CHUNK_BYTES = 4 * OUTPUT_CHARACTERS, 65536
_POLL_SECONDS = 0.02
_LAST_WORDS_SECONDS = 0.5
"""How long the output of a hook that has ended may stay open: something that left its group may hold it."""
_GUARD_SECONDS = 2.0
"""How long its guard may take to end it, beyond the grace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """An executable of the user's, and its bounds."""

    command: tuple[str, ...]
    timeout_seconds: float = 600.0
    """How long one run may take; who takes longer has said stop."""
    wait_seconds: float = 3600.0
    """How long it may go on saying wait, from its first run on; then that is a stop."""

    @property
    def name(self) -> str:
        """Its command as a shell would have it."""
        return shlex.join(self.command)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a run gets to know."""

    folder: Path
    variables: Mapping[str, str]
    document: str
    """One JSON document, for its standard input."""
    header: str
    """Content of the file that the test route's header is read from. Never on a command line."""
    secrets: frozenset[str]
    """Texts that its output is kept without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a run ended."""

    code: int
    """Exit code; above 128 for a signal."""
    is_timed_out: bool
    is_ended_by_us: bool
    seconds: float
    output: str


class Run:
    """A hook under way. Two threads attend to it; the caller never waits, but in `wait`."""

    def __init__(self, hook: Hook, told: Told, grace_seconds: float) -> None:
        """Starts it. Raises OSError where the system has no process left for it."""
        self._hook, self._told, self._grace = hook, told, grace_seconds
        self._started, self._kept, self._is_cut = time.monotonic(), b"", False
        self._ending, self._done = threading.Event(), threading.Event()
        self._result: Ended | None = None
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", hook_guard.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            start_new_session=True,  # Ctrl-C is the engine's to hear, not the hook's
        )
        threading.Thread(target=self._attend, name="hook", daemon=True).start()

    @property
    def result(self) -> Ended | None:
        """How it ended; None while it runs."""
        return self._result

    def end(self) -> None:
        """Has its group ended, and returns at once."""
        if self._result is None:
            self._ending.set()

    def wait(self) -> Ended:
        """How it ended, once it has: within its time and the grace."""
        self._done.wait()
        assert self._result is not None  # noqa: S101  # narrows: set before the event
        return self._result

    def _attend(self) -> None:
        reader = threading.Thread(target=self._read, name="hook output", daemon=True)
        reader.start()
        self._brief()
        self._stay()
        is_timed_out = self._process.poll() is None and not self._ending.is_set()
        self._let_go()
        if not self._has_ended(self._grace + _GUARD_SECONDS):
            self._process.kill()
        code = self._process.wait()
        reader.join(_LAST_WORDS_SECONDS)
        self._result = Ended(
            code=code if code >= 0 else 128 - code,
            is_timed_out=is_timed_out,
            is_ended_by_us=self._ending.is_set(),
            seconds=time.monotonic() - self._started,
            output=last_words(self._kept, self._told.secrets, is_cut=self._is_cut),
        )
        self._done.set()

    def _brief(self) -> None:
        told = {
            "command": self._hook.command,
            "folder": str(self._told.folder),
            "document": self._told.document,
            "variables": dict(self._told.variables),
            "header": self._told.header,
            "grace": self._grace,
        }
        line = memoryview(json.dumps(told).encode() + b"\n")
        with suppress(BrokenPipeError):  # it may be ended before it has begun
            while line and self._process.stdin:
                line = line[self._process.stdin.write(line) or 0 :]

    def _stay(self) -> None:
        """Until it has ended, its time is over, or somebody wants its end."""
        until = self._started + self._hook.timeout_seconds
        while self._process.poll() is None and time.monotonic() < until:
            if self._ending.wait(_POLL_SECONDS):
                return

    def _has_ended(self, seconds: float) -> bool:
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _let_go(self) -> None:
        """Closes the guard's standard input, by which it hears that the hook is to end."""
        if self._process.stdin:
            self._process.stdin.close()

    def _read(self) -> None:
        assert self._process.stdout is not None  # noqa: S101  # it is a pipe
        with self._process.stdout as output:
            while chunk := output.read(_CHUNK_BYTES):
                whole = self._kept + chunk
                self._is_cut = self._is_cut or len(whole) > _KEPT_BYTES
                self._kept = whole[-_KEPT_BYTES:]


def last_words(raw: bytes, secrets: Iterable[str], *, is_cut: bool) -> str:
    """The end of an output, without secrets; `is_cut` says that it began before `raw`."""
    text = raw.decode(errors="replace")
    ordered = sorted(secrets, key=len, reverse=True)
    for secret in ordered:
        text = text.replace(secret, MASK)
    if is_cut and ordered:
        text = text[len(ordered[0]) :]  # what raw begins with may be the rest of one
    return text[-OUTPUT_CHARACTERS:].strip()
