"""A Debian root that boots: systemd, cloud-init, Docker and the AWS command line, made from Debian's packages."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from boot.cloud import API_PORT, METADATA_ADDRESS

MAKE_SECONDS = 3600
# The number in a root's name rises with what it is made of, since roots are kept.
BASE = (
    *("systemd-sysv", "cloud-init", "python3", "awscli", "busybox-static", "iproute2", "ca-certificates", "apt"),
    "e2fsprogs",
)
RUNTIME = ("docker.io", "iptables")
SOURCES = Path("/etc/apt/sources.list.d/debian.sources")
AWS = f"""#!/bin/sh
# The real command line, at the API of this test; what it is called with is written down.
echo "$@" >> /var/log/aws-calls
exec /usr/bin/aws --endpoint-url http://127.0.0.1:{API_PORT} "$@"
"""
DOCKER = """#!/bin/sh
echo "$@" >> /var/log/docker-calls
exec /usr/bin/docker "$@"
"""
CLOUD_CONFIG = f"""datasource_list: [ Ec2 ]
datasource:
  Ec2:
    metadata_urls: [ 'http://{METADATA_ADDRESS}' ]
network: {{ config: disabled }}
# The root has no locales and no SSH server.
locale: false
ssh_genkeytypes: []
"""
DAEMON = json.dumps(
    {"log-driver": "awslogs", "log-opts": {"awslogs-endpoint": f"http://127.0.0.1:{API_PORT}", "awslogs-group": "none"}}
)
"""Where CloudWatch is; Docker insists on a group, which `docker run` overrides."""
CONTROL = """Package: docker
Version: 99
Architecture: all
Maintainer: Teal <teal@localhost>
Depends: docker.io
Description: Amazon Linux's name for Docker; Debian has another package of this name
"""


def debian_root(folder: Path) -> Path:
    """The root for a plain machine, in the folder; made once. Takes a minute or two."""
    return _made(folder / "plain-2", (*BASE, *RUNTIME))


def bare_root(folder: Path) -> Path:
    """The root that a machine image is baked from: no Docker yet."""
    return _made(folder / "bare-2", BASE)


def _made(root: Path, packages: tuple[str, ...]) -> Path:
    if root.exists():
        return root
    making = root.with_name(f"{root.name}-{os.getpid()}")
    root.parent.mkdir(parents=True, exist_ok=True)
    sources = [str(SOURCES)] if SOURCES.exists() else []
    any_age = '--aptopt=Acquire::Check-Valid-Until "false"'  # a snapshot of Debian is as good
    command = ["mmdebstrap", "--quiet", "--variant=minbase", any_age, f"--include={','.join(packages)}", "bookworm"]
    try:
        subprocess.run([*command, str(making), *sources], check=True, timeout=MAKE_SECONDS)
        _prepare(making)
        making.rename(root)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise
    return root


def _prepare(root: Path) -> None:
    """What stands for AWS's surroundings: where the API is, which metadata service, a package named docker."""
    for path, text, mode in (
        ("usr/local/bin/aws", AWS, 0o755),
        ("usr/local/bin/docker", DOCKER, 0o755),
        ("etc/cloud/cloud.cfg.d/99_test.cfg", CLOUD_CONFIG, 0o644),
        ("etc/docker/daemon.json", DAEMON, 0o644),
        ("usr/src/docker/DEBIAN/control", CONTROL, 0o644),
        ("etc/fstab", "", 0o644),
    ):
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)
    _stand_in_for_docker(root)


def _stand_in_for_docker(root: Path) -> None:
    """A folder of packages as the root's only source, since the machine reaches no network."""
    repository = root / "opt/packages"
    repository.mkdir()
    subprocess.run(
        ["dpkg-deb", "--build", root / "usr/src/docker", repository / "docker.deb"],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    size = (repository / "docker.deb").stat().st_size
    sums = subprocess.run(["sha256sum", repository / "docker.deb"], capture_output=True, text=True, check=True)
    listed = f"{CONTROL}Filename: ./docker.deb\nSize: {size}\nSHA256: {sums.stdout.split()[0]}\n"
    (repository / "Packages").write_text(listed)
    _swap_sources(root)
    (root / "etc/apt/sources.list").write_text("deb [trusted=yes] file:/opt/packages ./\n")


@contextmanager
def online(root: Path) -> Iterator[None]:
    """The root with Debian's own packages to install from, as long as the block lasts."""
    names = Path("/etc/resolv.conf")
    _swap_sources(root)
    if names.exists():
        (root / "etc/resolv.conf").unlink(missing_ok=True)
        shutil.copy(names, root / "etc/resolv.conf")
    try:
        yield
    finally:
        _swap_sources(root)
        (root / "etc/resolv.conf").unlink(missing_ok=True)


def _swap_sources(root: Path) -> None:
    """Exchanges where packages come from with what is set aside."""
    apt = root / "etc/apt"
    aside = apt / "aside"
    aside.mkdir(exist_ok=True)
    for name in ("sources.list", "sources.list.d"):
        here, there, between = apt / name, aside / name, aside / f"{name}.moving"
        for source, target in ((here, between), (there, here), (between, there)):
            if source.exists():
                source.rename(target)
