"""The cloud's log: what went wrong, without the values that the code had in its hands."""

import json
import subprocess
import sys

import pytest

WORD = "hunter2"
PROGRAM = f"""
import structlog
from localcloud.daemon import configure_log

configure_log()
def write(value):
    raise RuntimeError("the API broke")
try:
    write({WORD!r}.upper().lower())
except RuntimeError:
    structlog.get_logger().exception("provider call failed", method="Create")
"""


@pytest.mark.process
def test_an_unforeseen_error_is_logged_with_its_lines_and_without_local_variables() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60)
    entry = json.loads(done.stdout)
    [told] = entry["exception"]
    assert (told["exc_type"], told["exc_value"]) == ("RuntimeError", "the API broke")
    assert [frame["name"] for frame in told["frames"]] == ["<module>", "write"]
    assert WORD not in done.stdout
