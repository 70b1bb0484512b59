import pytest

from containers.docker_hands import Answer
from containers.shells import HereShell

pytestmark = pytest.mark.process


def test_each_script_has_its_answer_and_one_that_hangs_keeps_nobody() -> None:
    shell = HereShell({"PATH": "/usr/bin:/bin", "WORD": "here"})
    found = shell.run({"a": "echo $WORD", "b": "echo wrong >&2; exit 3", "c": "sleep 5"}, 1.0)
    assert found == {
        "a": Answer(out="here\n"),
        "b": Answer(code=3, err="wrong\n"),
        "c": Answer(problem="no answer within 1 s"),
    }
