"""Runs one hook, and ends it when whoever asked for it is gone: the other end of our standard input closes then.

That happens however the engine ends, so no hook outlives it, nor does the file with the secret. Run by path, with one
line of JSON on standard input: command, folder, document (for the hook's standard input), variables, header (the
content of the file), grace (seconds between SIGTERM and SIGKILL). Exits as the hook does; 127 where it cannot be
started. Imports little: this is on the way of every hook's start.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time

HEADER_VARIABLE = "TEAL_TEST_HEADER_FILE"
NOT_STARTED = 127


def main() -> int:
    """Runs the hook that standard input tells; its exit code, or 128 and the signal's number."""
    told = json.loads(sys.stdin.buffer.readline())
    handle, path = tempfile.mkstemp(prefix="teal-hook-")  # readable for us alone
    try:
        with os.fdopen(handle, "w") as file:
            file.write(told["header"])
        return _run(told, path)
    finally:
        os.unlink(path)  # noqa: PTH108  # pathlib takes its time to import


def _run(told: dict, path: str) -> int:  # type: ignore[type-arg]  # plain JSON
    try:
        hook = subprocess.Popen(
            told["command"],
            cwd=told["folder"],
            env={**told["variables"], HEADER_VARIABLE: path},
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        reason = "not found" if isinstance(error, FileNotFoundError) else (error.strerror or str(error))
        sys.stderr.write(f"cannot be started: {reason}\n")
        return NOT_STARTED
    threading.Thread(target=_end_with_engine, args=[hook.pid, told["grace"]], daemon=True).start()
    with contextlib.suppress(BrokenPipeError), hook.stdin as pipe:  # type: ignore[union-attr]  # it is a pipe
        pipe.write(told["document"].encode())  # which a hook need not read
    code = hook.wait()
    _signal(hook.pid, signal.SIGKILL)  # whatever it left behind in its group
    return code if code >= 0 else 128 - code


def _end_with_engine(group: int, grace: float) -> None:
    sys.stdin.buffer.read()
    _signal(group, signal.SIGTERM)
    time.sleep(grace)
    _signal(group, signal.SIGKILL)


def _signal(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


if __name__ == "__main__":
    exit_code = main()
    sys.stderr.flush()
    os._exit(exit_code)  # the thread that reads may still hold standard input
