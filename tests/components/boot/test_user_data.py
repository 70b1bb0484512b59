import base64
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from boot_unpacked import unpacked
from components.boot import instance_boot
from components.boot.archive import ARCHIVE_FILE
from components.boot.user_data import CONTAINER_FILE, USER_DATA_MAX_BYTES, Container, encoded, user_data

IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop@sha256:" + "a" * 64


VOLUME = "arn:aws:ec2:eu-west-1:123456789012:volume/vol-0123456789abcdef0"


def container(**changes: Any) -> Container:
    return Container(**{"image": IMAGE, "port": 8080, "colour": "blue", "environment": {"B": "2", "A": "1"}, **changes})


def files(text: str) -> dict[str, str]:
    """Content by path, as cloud-init writes it and its first command unpacks it."""
    found: dict[str, str] = {}
    for file in yaml.safe_load(text)["write_files"]:
        found |= unpacked(file["content"]) if file["path"] == ARCHIVE_FILE else {file["path"]: file["content"]}
    return found


def test_it_is_cloud_config_with_modules_that_cloud_init_knows() -> None:
    text = user_data(container(), "logs")
    assert text.startswith("#cloud-config\n")
    assert set(yaml.safe_load(text)) == {"packages", "write_files", "runcmd"}
    keys = {"path", "owner", "permissions", "content"}
    assert all(set(f) - {"encoding"} == keys for f in yaml.safe_load(text)["write_files"])


def test_the_container_file_is_what_the_reconciler_reads() -> None:
    spec = json.loads(files(user_data(container(), "logs"))["/etc/teal/container.json"])
    environment = {"A": "1", "B": "2"}
    assert spec == {"image": IMAGE, "port": 8080, "colour": "blue", "log_group": "logs", "environment": environment}


def test_nothing_released_is_an_empty_image() -> None:
    assert json.loads(files(user_data(container(image=""), "logs"))["/etc/teal/container.json"])["image"] == ""


def test_the_unit_starts_the_script_that_the_same_user_data_writes() -> None:
    written = files(user_data(container(), "logs"))
    unit = written["/etc/systemd/system/teal.service"]
    for step, command in (("Pre", "pull"), ("Pre", "attach"), ("", "run"), ("Post", "ready")):
        assert f"ExecStart{step}=/usr/bin/python3 /usr/local/lib/teal/instance_boot.py {command}\n" in unit
    assert "ExecStopPost=/usr/bin/python3 /usr/local/lib/teal/instance_boot.py detach\n" in unit


@pytest.mark.parametrize("script", ["instance_boot.py", "volume_boot.py"])
def test_the_packed_scripts_are_those_that_machine_bakes_in(script: str) -> None:
    written = files(user_data(container(volume_arn=VOLUME), "logs"))
    source = Path(instance_boot.__file__).with_name(script).read_text()
    assert written[f"/usr/local/lib/teal/{script}"] == source


def test_a_data_volume_is_named_in_the_container_file_and_brings_its_script() -> None:
    without, having = (files(user_data(container(volume_arn=arn), "logs")) for arn in ("", VOLUME))
    assert json.loads(having[CONTAINER_FILE])["volume"] == {"id": "vol-0123456789abcdef0"}
    assert "volume" not in json.loads(without[CONTAINER_FILE])
    assert having.keys() - without.keys() == {"/usr/local/lib/teal/volume_boot.py"}


def test_a_volume_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match=r"data_volume_arn must be the ARN of an EBS volume, got 'arn:aws:s3:::b'"):
        container(volume_arn="arn:aws:s3:::b")


def test_there_is_room_for_the_rest() -> None:
    assert len(user_data(container(volume_arn=VOLUME), "logs")) < USER_DATA_MAX_BYTES - 4096


def test_the_same_container_gives_the_same_bytes() -> None:
    assert user_data(container(), "logs") == user_data(container(environment={"A": "1", "B": "2"}), "logs")


def test_another_digest_gives_other_bytes() -> None:
    assert user_data(container(), "logs") != user_data(container(image=IMAGE[:-1] + "b"), "logs")


def test_user_data_too_long_for_ec2_is_refused() -> None:
    with pytest.raises(ValueError, match=r"user data takes 16384 bytes, got [0-9]+: shorten environment"):
        user_data(container(environment={"LONG": "x" * 16_384}), "logs")


@pytest.mark.parametrize("image", ["shop:latest", "shop@sha256:abc", IMAGE.upper(), IMAGE + "\nrm -rf /"])
def test_an_image_that_is_not_named_by_digest_is_refused(image: str) -> None:
    with pytest.raises(ValueError, match="image must be empty or <registry>/<repository>@sha256:"):
        container(image=image)


@pytest.mark.parametrize("name", ["TEAL_DIGEST", "A-B", "1A", "", "A=B"])
def test_a_variable_that_is_no_name_or_teals_own_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"environment may not set '{name}'"):
        container(environment={name: "1"})


def test_it_is_encoded_in_base64() -> None:
    assert base64.b64decode(encoded("#cloud-config é")).decode() == "#cloud-config é"


@pytest.mark.parametrize(("image", "is_baked"), [(IMAGE, False), ("", True)])
def test_cloud_init_itself_finds_nothing_wrong(tmp_path: Path, image: str, is_baked: bool) -> None:
    if shutil.which("cloud-init") is None:
        pytest.skip("not run: cloud-init is not installed (Debian has it under that name)")
    written = tmp_path / "user-data"
    written.write_text(user_data(container(image=image), "logs", is_baked=is_baked))
    command = ["cloud-init", "schema", "--config-file", str(written)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_baked_image_is_told_the_container_alone() -> None:
    whole, baked = (files(user_data(container(), "logs", is_baked=is_baked)) for is_baked in (False, True))
    assert baked == {"/etc/teal/container.json": whole["/etc/teal/container.json"]}
    assert set(yaml.safe_load(user_data(container(), "logs", is_baked=True))) == {"write_files"}


def test_systemd_itself_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("not run: systemd-analyze is not installed (Debian has it in systemd)")
    unit = tmp_path / "teal.service"
    # Docker and the boot script are not installed here, and that is what systemd would complain of.
    text = files(user_data(container(), "logs"))["/etc/systemd/system/teal.service"]
    unit.write_text(text.replace("/usr/bin/docker", "/bin/true").replace("/usr/bin/python3", "/bin/true"))
    (tmp_path / "docker.service").write_text("[Service]\nExecStart=/bin/true\n")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
