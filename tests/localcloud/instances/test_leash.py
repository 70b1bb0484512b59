import os
import subprocess
import sys

from localcloud.instances import leash


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-S", leash.__file__, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=10,
    )


def test_the_program_takes_the_leashs_place() -> None:
    done = run(str(os.getpid()), "echo", "hello")
    assert (done.returncode, done.stdout) == (0, "hello\n")


def test_without_its_parent_nothing_is_started() -> None:
    """As when the parent ended before the leash could be put on."""
    done = run(str(os.getppid()), "echo", "hello")
    assert (done.returncode, done.stdout) == (leash.ORPHANED, "")
