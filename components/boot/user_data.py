"""What an instance of a Fleet is told at boot: cloud-config that runs one container by digest."""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from .archive import UNPACK, packed, written

USER_DATA_MAX_BYTES = 16_384  # EC2's limit, before base64
CONTAINER_FILE = "/etc/teal/container.json"

_IMAGE = re.compile(r"[a-z0-9][a-z0-9._:/-]*@sha256:[0-9a-f]{64}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED = "TEAL_"
_VOLUME = re.compile(r"arn:aws[a-z-]*:ec2:[a-z0-9-]+:\d{12}:volume/(vol-[0-9a-f]+)")
_PARAMETER = re.compile(r"arn:aws[a-z-]*:ssm:[a-z0-9-]+:\d{12}:parameter(/[A-Za-z0-9_./-]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """What an instance runs. Raises ValueError for an image not named by digest or a variable that it may not set."""

    image: str
    """<registry>/<repository>@sha256:<64 hex digits>; empty while nothing is released."""
    port: int
    """TCP port that the container listens on and that the instance publishes."""
    colour: str
    """blue or green."""
    environment: Mapping[str, str]
    """Variables for the container; names starting with TEAL_ are the boot script's own."""
    secret_arns: Mapping[str, str] = field(default_factory=dict)
    """ARN of the SSM parameter that a variable's value is in, by variable; the values are never here."""
    volume_arn: str = ""
    """ARN of the EBS volume that the container finds at /data; empty for none."""

    def __post_init__(self) -> None:
        if self.image and not _IMAGE.fullmatch(self.image):
            raise ValueError(
                f"image must be empty or <registry>/<repository>@sha256:<64 hex digits>, got {self.image!r}"
            )
        check_environment({**self.environment, **self.secret_arns})
        for variable, arn in self.secret_arns.items():
            if variable in self.environment:
                raise ValueError(f"{variable!r} is both in environment and a secret: name it once")
            if not _PARAMETER.fullmatch(arn):
                raise ValueError(f"the secret {variable!r} must be the ARN of an SSM parameter, got {arn!r}")
        if self.volume_arn:
            volume_id(self.volume_arn)


def volume_id(arn: str) -> str:
    """The id in a volume's ARN. Raises ValueError for another ARN."""
    found = _VOLUME.fullmatch(arn)
    if found is None:
        raise ValueError(f"data_volume_arn must be the ARN of an EBS volume, got {arn!r}")
    return found[1]


def check_environment(environment: Mapping[str, object]) -> None:
    """Raises ValueError, naming the variable, for a name that no process could have or that is Teal's own."""
    for name in environment:
        if not _VARIABLE.fullmatch(name) or name.startswith(_RESERVED):
            raise ValueError(f"environment may not set {name!r}: letters, digits, underscores, not starting with TEAL_")


class _Readable(yaml.SafeDumper):
    """YAML in which a text of several lines stays readable."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Readable.add_representer(str, _text)


def user_data(container: Container, log_group: str, *, is_baked: bool = False) -> str:
    """Cloud-config, as plain text; the same for the same arguments. log_group is the CloudWatch log group's name.

    A baked machine image has all but the container's file, so it is told no more. Raises ValueError when EC2 would
    refuse it for its length.
    """
    spec: dict[str, Any] = {
        "image": container.image,
        "port": container.port,
        "colour": container.colour,
        "log_group": log_group,
        "environment": dict(sorted(container.environment.items())),
    }
    if container.secret_arns:
        # Pairs: `"DB_PASSWORD": "/teal-app/..."` would look like a password to whoever searches user data for some.
        spec["secrets"] = [
            [name, arn.partition(":parameter")[2]] for name, arn in sorted(container.secret_arns.items())
        ]
    if container.volume_arn:
        spec["volume"] = {"id": volume_id(container.volume_arn)}
    document: dict[str, Any] = {"write_files": [written(CONTAINER_FILE, json.dumps(spec))]}
    if not is_baked:
        document = _whole(document["write_files"], has_volume=bool(container.volume_arn))
    return cloud_config(document)


def cloud_config(document: Mapping[str, Any]) -> str:
    """The document as cloud-init reads it. Raises ValueError when EC2 would refuse it for its length."""
    text = "#cloud-config\n" + yaml.dump(dict(document), Dumper=_Readable, sort_keys=False, width=10_000)
    if len(text.encode()) > USER_DATA_MAX_BYTES:
        raise ValueError(f"user data takes {USER_DATA_MAX_BYTES} bytes, got {len(text.encode())}: shorten environment")
    return text


def _whole(files: list[dict[str, str]], *, has_volume: bool) -> dict[str, Any]:
    """What makes an instance of a plain system image out of these files: machine/ bakes the same in."""
    names = ("instance_boot.py", *(["volume_boot.py"] if has_volume else []), "teal.service")
    return {
        "packages": ["docker", *(["e2fsprogs"] if has_volume else [])],
        "write_files": [*files, packed(names)],
        "runcmd": [
            list(UNPACK),
            ["systemctl", "daemon-reload"],
            ["systemctl", "enable", "--now", "docker.service"],
            ["systemctl", "enable", "--now", "--no-block", "teal.service"],
        ],
    }


def encoded(text: str) -> str:
    """In base64, as a launch template takes user data."""
    return base64.b64encode(text.encode()).decode()
