"""Becomes another program that cannot outlive its parent. Run by path: leash.py PARENT_PID PROGRAM [ARGUMENT...].

The kernel sends SIGTERM when the parent's thread that started this process ends (PR_SET_PDEATHSIG), in whatever way.
That survives exec. Imports as little as possible: this is on the way of every instance's start.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
ORPHANED, NOT_FOUND = 125, 127


def main(parent: int, command: list[str]) -> int:
    """Never returns when it succeeds; else the exit status, 125 without a parent and 127 without a program."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0) != 0:
        sys.stderr.write(f"leash: prctl: {os.strerror(ctypes.get_errno())}\n")
        return ORPHANED
    if os.getppid() != parent:  # it ended before the line above: no signal will come any more
        return ORPHANED
    try:
        os.execvp(command[0], command)  # noqa: S606  # no shell is wanted
    except OSError as error:
        sys.stderr.write(f"leash: {command[0]}: {error.strerror}\n")
        return NOT_FOUND


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
