"""The real engine with our language host: programs, virtual environments, policy packs, components, secrets."""

import json
import subprocess
import sys
import sysconfig

import psutil
import pytest

from fake_machine import has_ended, wait_for
from pulumi_project import Project

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]  # the first may have to build the engine

PYTHON_PROJECT = "name: shop\nruntime: python\n"
POLICY = """
from pulumi_policy import EnforcementLevel, PolicyPack, StackValidationPolicy


def no_more_than_one(args, report):
    if len(args.resources) > 1 + ALLOWED:
        report(f"{len(args.resources)} resources are too many")


PolicyPack("frugal", [StackValidationPolicy("few", "Few resources.", no_more_than_one, EnforcementLevel.MANDATORY)])
"""
COMPONENT_HOST = """
from pulumi.provider.experimental import component_provider_host
from greeting import Greeting

if __name__ == "__main__":
    component_provider_host(name="greetings", components=[Greeting])
"""
COMPONENT = """
from typing import TypedDict

import pulumi


class GreetingArgs(TypedDict):
    name: pulumi.Input[str]


class Greeting(pulumi.ComponentResource):
    text: pulumi.Output[str]

    def __init__(self, name: str, args: GreetingArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("greetings:index:Greeting", name, {}, opts)
        self.text = pulumi.Output.concat("hello ", args["name"])
        self.register_outputs({"text": self.text})
"""
YAML_PROJECT = """
name: yaml-user
runtime: yaml
packages:
  greetings: ../greetings
resources:
  greeting:
    type: greetings:index:Greeting
    properties: {name: teal}
outputs:
  text: ${greeting.text}
"""


@pytest.fixture
def shop(project: Project) -> Project:
    """A Python project with a stack and an empty program."""
    project.write("Pulumi.yaml", PYTHON_PROJECT).write("__main__.py", "").succeed("stack", "init", "dev")
    return project


def outputs(project: Project, *flags: str) -> dict[str, object]:
    answer: dict[str, object] = json.loads(project.succeed("stack", "output", "--json", *flags))
    return answer


def test_an_empty_program_is_previewed_without_warnings(shop: Project) -> None:
    printed = shop.succeed("preview")
    assert "+ 1 to create" in printed
    assert "warning" not in printed.lower()


def test_the_program_knows_where_and_for_what_it_runs(shop: Project) -> None:
    shop.write(
        "__main__.py",
        "import os, sys, pulumi\n"
        "pulumi.export('names', [pulumi.get_organization(), pulumi.get_project(), pulumi.get_stack()])\n"
        "pulumi.export('cwd', os.getcwd())\npulumi.export('root', pulumi.get_root_directory())\n"
        "pulumi.export('python', sys.executable)\nprint('said by the program')\n",
    )
    assert "said by the program" in shop.succeed("up", "--yes", "--skip-preview")
    assert outputs(shop) == {
        "names": ["organization", "shop", "dev"],
        "cwd": str(shop.folder),
        "root": str(shop.folder),
        "python": sys.executable,
    }


def test_a_failing_program_shows_its_own_traceback_and_nothing_of_the_host(shop: Project) -> None:
    shop.write("__main__.py", "def helper():\n    raise ValueError('forty-two')\n\nhelper()\n")
    printed = shop.fail("preview")
    assert "ValueError: forty-two" in printed
    assert "language_host" not in printed


def test_a_program_that_ends_itself_is_reported_with_its_exit_code(shop: Project) -> None:
    shop.write("__main__.py", "import os\nos._exit(7)\n")
    assert "the Python program exited with code 7" in shop.fail("preview")


def test_a_secret_in_the_configuration_reaches_the_program_and_stays_secret(shop: Project) -> None:
    shop.write("__main__.py", "import pulumi\npulumi.export('token', pulumi.Config().require_secret('token'))\n")
    shop.succeed("config", "set", "--secret", "token", "hidden-word")
    assert "hidden-word" not in shop.succeed("up", "--yes", "--skip-preview")
    assert "hidden-word" not in shop.succeed("stack", "export")
    assert outputs(shop, "--show-secrets") == {"token": "hidden-word"}


def test_options_virtualenv_is_the_python_that_runs(shop: Project) -> None:
    environment = shop.folder / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True, timeout=60)
    [packages] = environment.glob("lib/python*/site-packages")
    (packages / "ours.pth").write_text(sysconfig.get_path("purelib"))
    shop.write("Pulumi.yaml", "name: shop\nruntime: {name: python, options: {virtualenv: venv}}\n")
    shop.write("__main__.py", "import os, sys, pulumi\npulumi.export('at', [sys.prefix, os.environ['VIRTUAL_ENV']])\n")
    shop.succeed("up", "--yes", "--skip-preview")
    assert outputs(shop) == {"at": [str(environment)] * 2}


def test_a_virtualenv_that_is_not_there_is_one_clear_error(shop: Project) -> None:
    shop.write("Pulumi.yaml", "name: shop\nruntime: {name: python, options: {virtualenv: nowhere}}\n")
    assert f"the virtual environment {shop.folder}/nowhere of options.virtualenv does not exist" in shop.fail("preview")


@pytest.mark.parametrize(("allowed", "passes"), [(0, False), (1, True)])
def test_a_policy_pack_decides_over_a_stack(shop: Project, allowed: int, passes: bool) -> None:
    shop.write("policy/PulumiPolicy.yaml", "description: Few.\nruntime: python\n")
    shop.write("policy/__main__.py", f"ALLOWED = {allowed}\n{POLICY}")
    shop.write("__main__.py", "import pulumi\npulumi.ComponentResource('shop:index:Thing', 'one')\n")
    printed = (shop.succeed if passes else shop.fail)("preview", "--policy-pack", "policy")
    assert ("2 resources are too many" in printed) is not passes


def test_a_component_written_in_python_serves_a_yaml_stack(project: Project) -> None:
    project.write("../greetings/PulumiPlugin.yaml", "runtime: python\n")
    project.write("../greetings/__main__.py", COMPONENT_HOST).write("../greetings/greeting.py", COMPONENT)
    project.write("Pulumi.yaml", YAML_PROJECT).succeed("stack", "init", "dev")
    project.succeed("up", "--yes", "--skip-preview")
    assert outputs(project) == {"text": "hello teal"}


def test_the_automation_api_runs_on_it(shop: Project) -> None:
    from pulumi import automation

    options = automation.LocalWorkspaceOptions(
        pulumi_command=shop.toolchain.pulumi_command(), env_vars=shop.environment
    )
    stack = automation.select_stack("dev", work_dir=str(shop.folder), opts=options)
    assert stack.preview().change_summary == {"create": 1}


def test_nothing_outlives_a_killed_engine(shop: Project) -> None:
    pid = shop.folder / "pid"
    shop.write("__main__.py", f"import os, time\nopen({str(pid)!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)\n")
    command = [str(shop.toolchain.pulumi), "preview", "--non-interactive"]
    with subprocess.Popen(command, cwd=shop.folder, env=shop.environment, stdout=subprocess.DEVNULL) as engine:
        wait_for(lambda: pid.exists() and pid.read_text() != "", seconds=30)
        started = [process.pid for process in psutil.Process(engine.pid).children(recursive=True)]
        engine.kill()
    assert int(pid.read_text()) in started
    wait_for(lambda: all(map(has_ended, started)))


def test_about_and_dependencies_are_answered(shop: Project) -> None:
    printed = shop.succeed("about")
    assert f"executable='{sys.executable}'" in printed
    assert "Version      3.259.0" in printed
