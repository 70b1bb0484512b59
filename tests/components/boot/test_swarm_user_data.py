import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

import boot_unpacked
from components.boot import archive
from components.boot.swarm_user_data import Node, node_user_data

SCRIPTS = Path(archive.__file__).parent
ROLES = ("manager", "worker")
HALF_OF_WHAT_EC2_TAKES = 8192 + 1024


def node(role: str) -> Node:
    return Node(
        cluster="dev", role=role, parameters="/teal/dev/swarm", identity="sg-1", key="", pool="100.64.0.0/16"
    )  # fmt: skip


def unpacked(role: str) -> dict[str, str]:
    document = yaml.safe_load(node_user_data(node(role)))
    [packed] = [f["content"] for f in document["write_files"] if f.get("encoding") == "b64"]
    return boot_unpacked.unpacked(packed)


@pytest.mark.parametrize("role", ROLES)
def test_it_is_cloud_config_with_the_very_files_and_leaves_room(role: str) -> None:
    text = node_user_data(node(role))
    assert text.startswith("#cloud-config\n")
    assert set(yaml.safe_load(text)) == {"preserve_hostname", "packages", "write_files", "runcmd"}
    assert len(text) < HALF_OF_WHAT_EC2_TAKES
    for path, content in unpacked(role).items():
        assert content == (SCRIPTS / Path(path).name).read_text()


def test_managers_tend_and_workers_have_a_door() -> None:
    own = {"manager": {"swarm_tend.py"}, "worker": {"swarm_door.py", "teal-door.service"}}
    for role, names in own.items():
        assert {Path(path).name for path in unpacked(role)} == names | {"swarm_boot.py", "teal-swarm.service"}
        runs = [" ".join(command) for command in yaml.safe_load(node_user_data(node(role)))["runcmd"]]
        assert any("teal-door.service" in command for command in runs) is (role == "worker")
        assert any(command.endswith("teal-swarm.service") for command in runs)


def test_the_same_files_give_the_same_bytes_whenever_they_were_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = archive.archive(("swarm_boot.py",))
    (tmp_path / "swarm_boot.py").write_bytes((SCRIPTS / "swarm_boot.py").read_bytes())
    monkeypatch.setattr(archive, "_HERE", tmp_path)
    assert archive.archive(("swarm_boot.py",)) == before


@pytest.mark.parametrize("role", ROLES)
def test_cloud_init_itself_finds_nothing_wrong(tmp_path: Path, role: str) -> None:
    if shutil.which("cloud-init") is None:
        pytest.skip("not run: cloud-init is not installed (Debian has it under that name)")
    (tmp_path / "user-data").write_text(node_user_data(node(role)))
    command = ["cloud-init", "schema", "--config-file", str(tmp_path / "user-data")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["teal-swarm.service", "teal-door.service"])
def test_systemd_itself_finds_nothing_wrong_with_the_units(tmp_path: Path, name: str) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("not run: systemd-analyze is not installed (Debian has it in systemd)")
    unit = tmp_path / name
    unit.write_text((SCRIPTS / name).read_text().replace("/usr/bin/python3", "/bin/true"))
    (tmp_path / "docker.service").write_text("[Service]\nExecStart=/bin/true\n")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_scripts_are_python_that_amazon_linux_has() -> None:
    import ast

    for name in ("swarm_boot.py", "swarm_tend.py", "swarm_door.py"):
        ast.parse((SCRIPTS / name).read_text(), feature_version=(3, 9))
