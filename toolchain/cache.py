"""The folder that keeps built toolchains, one by key, and lets one process at a time add to it."""

import errno
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from platformdirs import user_cache_path

from toolchain.errors import Busy, CacheUnusable, DiskFull
from toolchain.manifest import Manifest, sync
from toolchain.progress import Progress, Report

LIMIT_BYTES = 400_000_000
LOCK_DEADLINE_SECONDS = 45 * 60.0
LOCK_TICK_SECONDS = 1.0
UNFINISHED = "unfinished-"
LOGS = "logs"


@dataclass(frozen=True, slots=True)
class Cache:
    """A folder of built toolchains: <root>/<key>/bin/pulumi. TEAL_CACHE_HOME moves it."""

    root: Path

    @classmethod
    def here(cls) -> "Cache":
        """The user's cache."""
        home = os.environ.get("TEAL_CACHE_HOME")
        base = Path(home).expanduser().resolve() if home else user_cache_path("teal")
        return cls(base / "toolchain")

    def find(self, key: str) -> Path | None:
        """The folder of a whole toolchain, or None."""
        folder = self.root / key
        manifest = Manifest.read(folder)
        return folder if manifest and manifest.is_complete(folder) else None

    def log(self, key: str) -> Path:
        """Where the log of building key is kept."""
        return self.root / LOGS / f"{key}.log"

    @contextmanager
    def held(self, report: Report) -> Iterator[None]:
        """Lets one process in, and clears away what a killed one left. Raises Busy, CacheUnusable, DiskFull."""
        with self._errors_explained():
            (self.root / LOGS).mkdir(parents=True, exist_ok=True)
            lock, owner = FileLock(self.root / "lock"), self.root / "owner"
            self._acquire(lock, owner, report)
            try:
                owner.write_text(str(os.getpid()))
                for left in self.root.glob(f"{UNFINISHED}*"):
                    remove_tree(left)
                yield
            finally:
                owner.unlink(missing_ok=True)
                lock.release()

    def _acquire(self, lock: FileLock, owner: Path, report: Report) -> None:
        started = time.monotonic()
        while True:
            try:
                lock.acquire(timeout=LOCK_TICK_SECONDS)
            except Timeout:
                elapsed = time.monotonic() - started
                holder = _holder(owner)
                if elapsed > LOCK_DEADLINE_SECONDS:
                    raise Busy(
                        f"{holder} has held {lock.lock_file} for {elapsed:.0f} s: end it, or wait, then try again"
                    ) from None
                report(Progress(f"Waiting for {holder}, which builds the engine too", elapsed, 240))
            else:
                return

    @contextmanager
    def workspace(self, needed_bytes: int) -> Iterator[Path]:
        """A folder to make something in, gone afterwards. Only while the cache is held. Raises DiskFull."""
        free = shutil.disk_usage(self.root).free
        if free < needed_bytes:
            raise DiskFull(
                f"building the engine needs {needed_bytes / 1e9:.1f} GB for a while and {self.root} has"
                f" {free / 1e9:.1f} GB free: make room, or name a folder on another disk by TEAL_CACHE_HOME"
            )
        folder = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=self.root))
        try:
            yield folder
        finally:
            remove_tree(folder)

    def publish(self, made: Path, key: str) -> Path:
        """Moves a whole toolchain from its workspace to its key, in one step, and returns its folder."""
        target = self.root / key
        sync(made)
        if target.exists():  # damaged, else it would have been found
            target.rename(made.with_name("damaged"))
        made.rename(target)
        self._prune(target)
        return target

    def _prune(self, newest: Path) -> None:
        kept = _bytes_in(newest)
        others = [folder for folder in self.root.iterdir() if (folder / "bin").is_dir() and folder != newest]
        for folder in sorted(others, key=lambda folder: folder.stat().st_mtime, reverse=True):
            kept += _bytes_in(folder)
            if kept > LIMIT_BYTES:
                remove_tree(folder)

    @contextmanager
    def _errors_explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise DiskFull(
                    f"no space left for the engine in {self.root}: make room, or name a folder on another disk"
                    f" by TEAL_CACHE_HOME"
                ) from error
            raise CacheUnusable(
                f"the cache folder {self.root} cannot be used ({error.strerror or error}): make it writable,"
                f" or name another by TEAL_CACHE_HOME"
            ) from error


def remove_tree(folder: Path) -> None:
    """Removes folder with all that is in it; Go's module cache holds read-only folders."""
    shutil.rmtree(folder, onerror=_make_writable_and_retry)


def _make_writable_and_retry(function: Callable[..., Any], path: str, trouble: Any) -> None:
    if isinstance(trouble[1], FileNotFoundError):
        return
    for locked in (Path(path).parent, Path(path)):
        locked.chmod(locked.stat().st_mode | stat.S_IRWXU)
    if function in (os.open, os.scandir, os.lstat):  # could not even look into it: start it over
        shutil.rmtree(path)
    else:
        function(path)


def _holder(owner: Path) -> str:
    try:
        return f"process {owner.read_text()}"
    except FileNotFoundError:  # it has only just begun, or is done
        return "another process"


def _bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
