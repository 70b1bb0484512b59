import json
import subprocess

import pytest

from cli_world import REGION, FakeCloud, Teal


@pytest.mark.usefixtures("binaries")
def test_it_prints_what_a_shell_can_eval(teal: Teal, cloud: FakeCloud) -> None:
    printed = teal("local", "env", "prod").out
    code = f'{printed}\necho "$AWS_ENDPOINT_URL $AWS_REGION $TEAL_WORK_DIR"'
    done = subprocess.run(["sh", "-c", code], env={}, capture_output=True, text=True, timeout=10, check=True)
    assert done.stdout.split() == [cloud.api.endpoint, REGION, str(cloud.home.projects / "project")]
    assert json.loads(teal("local", "env", "prod", "--json").out)["PULUMI_DEBUG_PROVIDERS"] == "aws:1,docker:2"


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("words", [("local", "env"), ("local", "preview"), ("local", "cancel"), ("image", "build")])
def test_without_a_cloud_it_exits_with_3(teal: Teal, words: tuple[str, ...]) -> None:
    ended = teal(*words)
    assert (ended.code, ended.out) == (3, "")
    assert ended.told == "teal: no embedded cloud runs here: start one with `teal local up`"


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("words", [("local", "env"), ("local", "preview"), ("local", "cancel"), ("image", "build")])
def test_an_unknown_stack_is_told_even_without_a_cloud(teal: Teal, words: tuple[str, ...]) -> None:
    ended = teal(*words, "nope")
    assert (ended.code, ended.out) == (1, "")
    assert ended.told.startswith("teal: there is no stack 'nope': ")
