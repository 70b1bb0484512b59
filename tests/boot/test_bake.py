"""The playbook of machine/, run for real on a Debian root, and a boot of what it made, with the short user data."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from boot.conftest import told
from boot.image import Image, image
from boot.machine import UP_SECONDS, booted
from boot.root import bare_root, online

pytestmark = [pytest.mark.boot, pytest.mark.timeout(1800)]

PROJECT = Path(__file__).parents[2]
ANSIBLE = PROJECT / ".venv" / "machine" / "bin" / "ansible-playbook"
LINT = ANSIBLE.with_name("ansible-lint")
BAKE_SECONDS = 900
SSH = Path(__file__).with_name("ssh.sh")


def bake(root: Path) -> str:
    """What the playbook told, run on the root."""
    variables = {
        "ansible_become": False,  # root already, and there is no sudo
        "ansible_python_interpreter": "/usr/bin/python3",
        "ansible_ssh_executable": str(SSH),
        "ansible_ssh_transfer_method": "piped",
    }
    mounts = 'mount --make-rprivate / && mount -t proc proc "$0/proc" && mount --rbind /dev "$0/dev" && exec "$@"'
    playbook = [str(ANSIBLE), "--inventory", "root,", "--extra-vars", json.dumps(variables)]
    playbook.append(str(PROJECT / "machine" / "bake.yml"))
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", mounts, str(root), *playbook],
        capture_output=True, text=True, check=False, timeout=BAKE_SECONDS,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(root.parent), "TEAL_BOOT_ROOT": str(root),
             "LC_ALL": "C.UTF-8", "ANSIBLE_NOCOLOR": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def changes(told: str) -> int:
    """How many tasks changed something."""
    [count] = re.findall(r"changed=(\d+)", told)
    return int(count)


@pytest.fixture(scope="module")
def baked(roots: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    if not ANSIBLE.exists():
        pytest.skip("not run, so nothing is known of the machine image: make test-boot installs Ansible")
    root = tmp_path_factory.mktemp("baked") / "root"
    subprocess.run(["cp", "--archive", "--reflink=auto", bare_root(roots), root], check=True, timeout=300)
    with online(root):
        assert changes(bake(root)) >= 5
        assert changes(bake(root)) == 0, "the second run changes something"
    yield root
    shutil.rmtree(root)


def test_the_image_has_the_very_files_that_user_data_would_write(baked: Path) -> None:
    for source, place in (
        ("instance_boot.py", "usr/local/lib/teal/instance_boot.py"),
        ("volume_boot.py", "usr/local/lib/teal/volume_boot.py"),
        ("teal.service", "etc/systemd/system/teal.service"),
    ):
        assert (baked / place).read_bytes() == (PROJECT / "components" / "boot" / source).read_bytes()
    assert not (baked / "etc/teal").exists()
    for unit in ("docker.service", "teal.service"):
        assert (baked / "etc/systemd/system/multi-user.target.wants" / unit).is_symlink()


def test_a_baked_machine_needs_the_container_alone_to_serve(
    baked: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    built: Image = image(baked / "bin/busybox")
    with booted(tmp_path, baked, told(built, is_baked=True), built) as machine:
        machine.until("in service", lambda: machine.seen()["state"] == "InService", UP_SECONDS)
        machine.until("the unit", lambda: machine.unit("teal.service").get("SubState") == "running", 30)
        since, began = (
            int(machine.run("systemctl", "show", *words, "--value"))
            for words in (
                ("teal.service", "--property=ActiveEnterTimestampMonotonic"),
                ("--property=UserspaceTimestampMonotonic",),
            )
        )
        assert since > began
        record_property("a baked machine serves after", f"{(since - began) / 1e6:.0f} s")
        assert machine.container()["Config"]["Image"].endswith(built.digest)
        assert machine.installations() == 0


def test_ansible_lint_has_nothing_to_say() -> None:
    if not LINT.exists():
        pytest.skip("not run, so nothing is known of the playbook's style: make test-boot installs ansible-lint")
    done = subprocess.run(
        [LINT, "-q"], cwd=PROJECT / "machine", capture_output=True, text=True, check=False, timeout=300,
        env={**os.environ, "PATH": f"{LINT.parent}:{os.environ['PATH']}"},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
