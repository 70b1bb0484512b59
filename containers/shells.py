"""A shell on this machine, for containers of a Docker engine here."""

import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from containers.docker_hands import Answer

AT_ONCE = 8


class HereShell:
    """Implements Shell: the scripts run on this machine."""

    def run(self, scripts: Mapping[str, str], seconds: float) -> Mapping[str, Answer]:
        """The answer of each."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = pool.map(lambda script: _answer(script, seconds), scripts.values())
            return dict(zip(scripts, answers, strict=True))


def _answer(script: str, seconds: float) -> Answer:
    try:
        done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return Answer(problem=f"no answer within {seconds:.0f} s")
    return Answer(code=done.returncode, out=done.stdout, err=done.stderr)
