"""Which container an instance is to run: the one entry of its cloud-config that the embedded cloud reads."""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from localcloud.images.errors import ImageError
from localcloud.images.reference import ImageReference, parse_reference
from localcloud.instances.errors import InstanceError

CONTAINER_FILE = "/etc/teal/container.json"
HEADER = "#cloud-config"
COLOURS = ("blue", "green")
VOLUME = re.compile(r"vol-[0-9a-f]+")
VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSpec:
    """What a Fleet's user data says to run."""

    image: ImageReference
    port: int
    colour: str
    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    """Name of the SSM parameter by the variable that its value goes into."""
    volume_id: str = ""
    """The data volume that it has to have before it starts; empty for none."""


def from_user_data(user_data: str) -> ContainerSpec | None:
    """The container in an instance's user data, plain or base64.

    None where the user data names no container, or the empty image that stands for nothing released yet.
    Raises InstanceError, saying what is wrong, for user data that names one in a way that cannot be followed.
    """
    content = written_file(user_data, CONTAINER_FILE)
    return None if content is None else _spec(content)


def written_file(user_data: str, file: str) -> str | None:
    """The content of a file that cloud-config, plain or base64, writes; None where it is no such, or writes it not.

    Raises InstanceError, saying what is wrong, for a file that is written in a way that cannot be followed.
    """
    text = _plain(user_data)
    return _content(text, file) if text.startswith(HEADER) else None


def _plain(user_data: str) -> str:
    text = user_data.strip()
    if not text or text.startswith("#"):
        return text
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise InstanceError("the user data is neither text that begins with # nor base64 of such text") from error


def _content(text: str, file: str) -> str | None:
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InstanceError(f"the user data is not YAML: {' '.join(str(error).split())}") from error
    files = document.get("write_files") if isinstance(document, dict) else None
    for entry in files if isinstance(files, list) else []:
        if not isinstance(entry, dict) or entry.get("path") != file:
            continue
        if entry.get("encoding", "text/plain") != "text/plain":
            raise InstanceError(f"{file} in the user data is encoded as {entry['encoding']}; write it plain")
        if not isinstance(entry.get("content"), str):
            raise InstanceError(f"{file} in the user data has no text as its content")
        return str(entry["content"])
    return None


def _spec(content: str) -> ContainerSpec | None:
    try:
        document = json.loads(content)
    except ValueError as error:
        raise InstanceError(f"{CONTAINER_FILE} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise InstanceError(f"{CONTAINER_FILE} is not a JSON object")
    image = document.get("image")
    if image == "":
        return None
    try:
        reference = parse_reference(str(image))
    except ImageError as error:
        raise InstanceError(f"image in {CONTAINER_FILE}: {error}") from error
    return ContainerSpec(
        image=reference,
        port=_port(document.get("port")),
        colour=_colour(document.get("colour")),
        environment=_environment(document.get("environment", {})),
        secrets=_secrets(document.get("secrets", [])),
        volume_id=_volume(document.get("volume")),
    )


def _volume(volume: Any) -> str:
    if volume is None:
        return ""
    found = volume.get("id") if isinstance(volume, dict) else None
    if not isinstance(found, str) or not VOLUME.fullmatch(found):
        raise InstanceError(f"volume in {CONTAINER_FILE} must be an object with the id of a volume, got {volume!r}")
    return found


def _port(port: Any) -> int:
    if not isinstance(port, int) or isinstance(port, bool) or not 1 <= port <= 65535:
        raise InstanceError(f"port in {CONTAINER_FILE} must be a number from 1 to 65535, got {port!r}")
    return port


def _colour(colour: Any) -> str:
    if colour not in COLOURS:
        raise InstanceError(f"colour in {CONTAINER_FILE} must be {' or '.join(COLOURS)}, got {colour!r}")
    return str(colour)


def _environment(environment: Any) -> Mapping[str, str]:
    if not isinstance(environment, dict):
        raise InstanceError(f"environment in {CONTAINER_FILE} must be an object, got {environment!r}")
    for name, value in environment.items():
        # The value stays out of the message: it may be a secret.
        if not VARIABLE.fullmatch(name) or not isinstance(value, str) or "\0" in value:
            raise InstanceError(f"environment in {CONTAINER_FILE}: {name!r} must be a variable's name with a text")
    return dict(environment)


def _secrets(pairs: Any) -> Mapping[str, str]:
    """Name of the parameter by variable."""
    wrong = f"secrets in {CONTAINER_FILE} must be pairs of a variable's name and an SSM parameter's, got {pairs!r}"
    if not isinstance(pairs, list):
        raise InstanceError(wrong)
    found: dict[str, str] = {}
    for pair in pairs:
        if not (isinstance(pair, list) and len(pair) == 2 and all(isinstance(each, str) for each in pair)):
            raise InstanceError(wrong)
        if not VARIABLE.fullmatch(pair[0]) or not pair[1].startswith("/"):
            raise InstanceError(wrong)
        found[pair[0]] = pair[1]
    return found
