"""A machine for tests of the toolchain: an empty cache and home, and on PATH only what the test puts there."""

import stat
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from toolchain import Progress

FAKE_GO = """#!/bin/sh
here="$(dirname "$0")"
echo "$*" >> "$here/calls"
case "$1 $2" in
    "env GOVERSION") echo "go${FAKE_GO_VERSION:-1.26.8}" ;;
    "env "*) echo "$here/none" ;;
    "list -deps") [ -z "$FAKE_GO_OFFLINE" ] || { echo "dial tcp: connection refused" >&2; exit 1; } ;;
    "list -m") echo "$here/sdk" ;;
    "build "*)
        echo $$ > "$here/building"
        mkdir -p "$GOMODCACHE/module@v1" && touch "$GOMODCACHE/module@v1/file.go"
        chmod -R a-w "$GOMODCACHE/module@v1"
        [ -z "$FAKE_GO_ERROR" ] || { echo "$FAKE_GO_ERROR" >&2; exit 1; }
        sleep "${FAKE_GO_SECONDS:-0}"
        printf '#!/bin/sh\\necho v%s\\n' "${FAKE_ENGINE_VERSION:-3.259.0}" > "$5pulumi"
        cp "$5pulumi" "$5pulumi-language-yaml"
        chmod 755 "$5"*
        ;;
    *) exit 9 ;;
esac
"""


@dataclass(frozen=True)
class Machine:
    """What the tests arrange and look at."""

    cache: Path
    home: Path
    binaries: Path

    @property
    def go_calls(self) -> list[str]:
        """The arguments of every call of the fake Go."""
        calls = self.binaries / "calls"
        return calls.read_text().splitlines() if calls.exists() else []

    @property
    def builds(self) -> int:
        return sum(call.startswith("build") for call in self.go_calls)

    @property
    def kept(self) -> list[str]:
        """What lies in the cache, but for the lock and the logs."""
        return sorted(
            path.name for path in self.cache.glob("toolchain/*") if path.name not in ("lock", "owner", "logs")
        )

    def script(self, name: str, text: str) -> Path:
        """Puts an executable on PATH."""
        path = self.binaries / name
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path


class Reported(list[Progress]):
    """Collects progress."""

    __call__ = list.append

    @property
    def steps(self) -> list[str]:
        """What was reported, each once."""
        return list(dict.fromkeys(progress.what for progress in self))


def wait_for(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Waits until condition holds; fails the test after so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def has_ended(pid: int) -> bool:
    """The process is gone, or only its exit code is left, which an orphan's new parent may be slow to take."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
