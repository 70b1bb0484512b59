"""Runs a Python script whose garbage is hardly ever looked at. Run by path: brisk.py SCRIPT [ARGUMENT...].

A Pulumi program imports some ten thousand classes, makes its resources and ends a second later. The collector would go
through all of that a dozen times, and once more at the end: more than half of the program's time (docs/decisions/0009).
"""

import atexit
import gc
import os
import runpy
import sys
from contextlib import suppress
from pathlib import Path

ALLOCATIONS = 1_000_000
"""Objects between two looks; Python's own figure is 700. A large program stays bounded."""


SWITCH_SECONDS = 0.0005
"""Longest that the thread which declares may keep an answer waiting; Python's own figure is ten times that."""


QUIET = "TEAL_WITHOUT_DEBUG_MESSAGES"
"""Set by the language host where the engine shows no debug messages: the SDK sends it several for each resource."""


def nothing(*_: object, **__: object) -> None:
    """Takes a debug message and drops it."""


def main() -> None:
    """Becomes the script: its arguments, its place on the import path, its name."""
    gc.set_threshold(ALLOCATIONS)
    sys.setswitchinterval(SWITCH_SECONDS)
    atexit.register(gc.freeze)  # registered first, so it runs last: what is left goes with the process
    if os.environ.pop(QUIET, ""):
        with suppress(ImportError):  # a missing SDK is for the script to tell
            from pulumi import log

            log.debug = nothing  # each would be a round trip to the engine, which throws it away
    runpy.run_path(str(Path(__file__).with_name("sparing.py")))["install"]()
    del sys.argv[0]
    sys.path[0] = str(Path(sys.argv[0]).parent)
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
