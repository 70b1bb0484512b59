"""A shell on this machine, for containers of a Docker engine here."""

import os
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from containers.docker_hands import Answer

AT_ONCE = 8


class HereShell:
    """Implements Shell: the scripts run on this machine."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        """`environment` is the scripts' own, such as one that says where Docker's engine is."""
        self._environment = environment

    def run(self, scripts: Mapping[str, str], seconds: float) -> Mapping[str, Answer]:
        """The answer of each."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = pool.map(lambda script: _answer(script, self._environment, seconds), scripts.values())
            return dict(zip(scripts, answers, strict=True))


def _answer(script: str, environment: Mapping[str, str], seconds: float) -> Answer:
    try:
        done = subprocess.run(
            ["/bin/sh", "-c", script], env=environment, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        return Answer(problem=f"no answer within {seconds:.0f} s")
    return Answer(code=done.returncode, out=done.stdout, err=done.stderr)
