"""Becomes another program that ends with its parent, and has the terminal at its standard input for its own.

Run by path: launcher.py PARENT_PID PROGRAM [ARGUMENT...], at the head of a new session.
"""

import ctypes
import fcntl
import os
import signal
import sys
import termios

PR_SET_PDEATHSIG = 1
ORPHANED, NO_EXEC, NOT_FOUND = 125, 126, 127


def main(parent: int, command: list[str]) -> int:
    """Never returns when it succeeds; else the exit status: 125 without a parent, 126 and 127 as a shell has them."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGHUP, 0, 0, 0)
    if os.getppid() != parent:  # it ended before the line above: no signal will come any more
        return ORPHANED
    if os.isatty(0):
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    try:
        os.execvp(command[0], command)  # noqa: S606  # no shell is wanted
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        return NOT_FOUND if isinstance(error, FileNotFoundError) else NO_EXEC


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
