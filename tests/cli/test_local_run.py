"""The commands as a user calls them: a daemon of its own, the real engine, and small programs that fail."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from fake_machine import has_ended, wait_for

pytestmark = pytest.mark.engine
ROOT = Path(__file__).parents[2]
TEAL = Path(sys.executable).with_name("teal")
BROKEN_DAEMON = """
import sys
from moto.ec2.models.vpcs import VPCBackend
def create_vpc(*arguments, **named): raise RuntimeError("moto stumbles")
VPCBackend.create_vpc = create_vpc
from localcloud.daemon import main
sys.exit(main())
"""


@dataclass(frozen=True)
class Checkout:
    """A project with a program of the test's own, and a home of its own."""

    folder: Path
    home: Path

    def program(self, text: str) -> "Checkout":
        (self.folder / "__main__.py").write_text(f"import pulumi\nimport pulumi_aws as aws\n{text}\n")
        return self

    def teal(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end."""
        left = {name: value for name, value in os.environ.items() if not name.startswith(("TEAL_", "AWS_"))}
        environment = {**left, "TEAL_HOME": str(self.home)}
        return subprocess.run(
            [TEAL, *words], cwd=self.folder, env=environment, capture_output=True, text=True, timeout=100, check=False
        )

    def told(self, *words: str) -> str:
        """The line by which a command says why it failed."""
        done = self.teal(*words)
        assert (done.returncode, done.stdout) == (1, ""), done
        assert "Traceback" not in done.stderr
        last = done.stderr.splitlines()[-1]
        assert last.startswith("teal: ")
        return last.removeprefix("teal: ")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    base = tmp_path_factory.mktemp("run")
    made = Checkout(base / "project", base / "home")
    made.folder.mkdir()
    for file in ROOT.glob("Pulumi*.yaml"):
        shutil.copy(file, made.folder)
    (made.folder / ".venv").symlink_to(Path(sys.prefix))
    yield made
    assert made.teal("local", "down").returncode == 0


def test_a_type_that_the_cloud_does_not_know_is_named(checkout: Checkout) -> None:
    told = checkout.program('aws.sqs.Queue("jobs")').told("local", "up")
    assert told.startswith("stack dev: jobs: ")
    assert "the embedded cloud does not know aws:sqs/queue:Queue" in told


def test_a_property_that_the_cloud_does_not_apply_is_named(checkout: Checkout) -> None:
    program = 'aws.ec2.Vpc("main", cidr_block="10.0.0.0/16", ipv4_ipam_pool_id="ipam-1")'
    told = checkout.program(program).told("local", "up")
    assert told.startswith("stack dev: main: ")
    assert "ipv4IpamPoolId of aws:ec2/vpc:Vpc" in told


def test_what_the_api_refuses_is_told_with_the_resources_name(checkout: Checkout) -> None:
    program = (
        'vpc = aws.ec2.Vpc("main", cidr_block="10.0.0.0/16")\n'
        'for name in ("a", "b"):\n'
        '    aws.ec2.Subnet(f"subnet-{name}", vpc_id=vpc.id, cidr_block="10.0.0.0/24")'
    )
    told = checkout.program(program).told("local", "up")
    assert told.startswith("stack dev: subnet-")
    assert "InvalidSubnet.Conflict" in told


def test_a_program_that_fails_is_told_in_one_line(checkout: Checkout) -> None:
    told = checkout.program('raise pulumi.RunError("no such colour")').told("local", "up")
    assert told.startswith("stack dev: no such colour")


def test_the_cloud_stays_usable_through_all_that(checkout: Checkout) -> None:
    done = checkout.program("").teal("local", "status", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["running"] is True
    record = json.loads((checkout.home / "cloud.json").read_text())
    left = subprocess.run(
        ["sh", "-c", f'eval "$({TEAL} local env)" && env'],
        cwd=checkout.folder,
        env={**os.environ, "TEAL_HOME": str(checkout.home)},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert f"AWS_ENDPOINT_URL={record['api_url']}" in left.stdout.splitlines()


def test_a_killed_cloud_is_told_and_leaves_no_process(checkout: Checkout) -> None:
    checkout.program("")
    checkout.teal("local", "up")
    record = json.loads((checkout.home / "cloud.json").read_text())
    daemon = psutil.Process(record["pid"])
    children = daemon.children(recursive=True)
    assert [child.name() for child in children] == ["envoy"]
    daemon.kill()
    wait_for(lambda: has_ended(daemon.pid))
    done = checkout.teal("local", "status")
    assert done.returncode == 3
    assert done.stderr == "teal: the embedded cloud is gone (it was killed): start a new one with `teal local up`\n"
    assert checkout.teal("local", "down").stderr == "No embedded cloud was running.\n"
    wait_for(lambda: all(has_ended(child.pid) for child in children))


def test_an_api_that_stumbles_is_told_with_the_resources_name(checkout: Checkout) -> None:
    checkout.program('aws.ec2.Vpc("main", cidr_block="10.0.0.0/16")')
    code = f"import sys\nfrom localcloud import launch\nlaunch.DAEMON = (sys.executable, '-c', {BROKEN_DAEMON!r})\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}from cli.main import main\nmain()", "local", "up"],
        cwd=checkout.folder,
        env={**os.environ, "TEAL_HOME": str(checkout.home), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, ""), done
    last = done.stderr.splitlines()[-1]
    assert last.startswith("teal: stack dev: main: ")
    assert "500" in last or "moto stumbles" in last
    assert "Traceback" not in done.stderr
