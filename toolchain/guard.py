"""Runs a command, and kills it when whoever started this is gone: its end of our standard input closes then.

A build that outlived its killed builder would go on writing into a folder that the next builder removes.
"""

import os
import signal
import subprocess
import sys
import threading


def end_with_parent() -> None:
    """Waits for the end of standard input, then kills the whole process group, this process too."""
    sys.stdin.buffer.read()
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    threading.Thread(target=end_with_parent, daemon=True).start()
    code = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, check=False).returncode
    sys.stdout.flush()
    os._exit(code if code >= 0 else 128 - code)
