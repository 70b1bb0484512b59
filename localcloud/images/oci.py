"""The Open Container Initiative's image format, as far as we need it. Nothing here does I/O."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ecr.transfer import MANIFEST_TYPE
from localcloud.images.errors import ImageError

CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"
VERSION_LABEL = "org.opencontainers.image.version"
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
EPOCH = "1970-01-01T00:00:00Z"
PACKER = "teal image build"
"""Who made an image that was packed without Docker, as its history tells."""


def digest_of(content: bytes) -> str:
    """sha256:HEX of content."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def canonical(document: Mapping[str, Any]) -> bytes:
    """A JSON document in the one form that its digest is taken of."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageConfig:
    """How an image wants to be run."""

    command: tuple[str, ...]
    working_directory: str
    """Absolute path inside the image."""
    labels: Mapping[str, str]
    environment: Mapping[str, str]

    @property
    def version(self) -> str:
        """The version its label tells, or 0."""
        return self.labels.get(VERSION_LABEL) or "0"

    def document(self, uncompressed_layer_digest: str) -> dict[str, Any]:
        """The config blob. Its processor is a constant, so that the digest does not hang on who packs."""
        return {
            "architecture": "amd64",
            "os": "linux",
            "created": EPOCH,
            "config": {
                "Cmd": list(self.command),
                "WorkingDir": self.working_directory,
                "Labels": dict(self.labels),
                "Env": [f"{name}={value}" for name, value in self.environment.items()],
            },
            "rootfs": {"type": "layers", "diff_ids": [uncompressed_layer_digest]},
            "history": [{"created": EPOCH, "created_by": PACKER}],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """An image as a registry stores it: blobs, the manifest naming the others by digest."""

    manifest: bytes
    config: bytes
    layers: tuple[bytes, ...]
    """Gzipped, the lowest first."""

    @property
    def digest(self) -> str:
        """The manifest's digest, which is the image's."""
        return digest_of(self.manifest)

    @property
    def blobs(self) -> Mapping[str, bytes]:
        """What a registry stores beside the manifest, by digest."""
        return {digest_of(blob): blob for blob in (self.config, *self.layers)}


def assemble(config: ImageConfig, layer: bytes, uncompressed_layer_digest: str) -> Image:
    """The image of one gzipped layer."""
    return image_of(canonical(config.document(uncompressed_layer_digest)), (layer,))


def image_of(config: bytes, layers: tuple[bytes, ...]) -> Image:
    """The image of a config blob and gzipped layers, the lowest first."""
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST_TYPE,
        "config": _named(CONFIG_TYPE, config),
        "layers": [_named(LAYER_TYPE, layer) for layer in layers],
    }
    return Image(manifest=canonical(manifest), config=config, layers=layers)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a manifest names, by digest."""

    config_digest: str
    layer_digests: tuple[str, ...]

    @property
    def layer_digest(self) -> str:
        """The one layer's. Raises ImageError where there are more, or none."""
        if len(self.layer_digests) != 1:
            raise ImageError(
                f"the image has {len(self.layer_digests)} layers, and without Docker an image has just one: "
                "an image that Docker built runs in a cloud of `teal local up --driver docker`"
            )
        return self.layer_digests[0]


def read_manifest(content: bytes) -> Manifest:
    """The digests in a manifest. Raises ImageError for an index, and for what is no manifest."""
    document = _document(content, "manifest")
    if "manifests" in document:
        raise ImageError("this digest names an index of images for several platforms, not one image")
    match document:
        case {"config": {"digest": str(config)}, "layers": list(layers)}:
            pass
        case _:
            raise ImageError("the manifest does not name a config and layers")
    digests = tuple(str(layer.get("digest")) if isinstance(layer, dict) else "" for layer in layers)
    for digest in (config, *digests):
        if not DIGEST.fullmatch(digest):
            raise ImageError(f"the manifest names a digest that is none: {digest!r}")
    return Manifest(config, digests)


def is_packed(config: bytes) -> bool:
    """Whether the image of this config blob was packed without Docker: app alone, for the Python of this machine."""
    history = _document(config, "config").get("history")
    steps = history if isinstance(history, list) else []
    return any(isinstance(step, dict) and step.get("created_by") == PACKER for step in steps)


def read_config(content: bytes) -> ImageConfig:
    """How the image of this config blob wants to be run. Raises ImageError."""
    config = _document(content, "config").get("config")
    if not isinstance(config, dict):
        raise ImageError("the image's config does not say how to run it")
    command = [*(config.get("Entrypoint") or []), *(config.get("Cmd") or [])]
    if not command or not all(isinstance(word, str) for word in command):
        raise ImageError("the image's config has no command to run")
    return ImageConfig(
        command=tuple(command),
        working_directory=str(config.get("WorkingDir") or "/"),
        labels={str(name): str(value) for name, value in (config.get("Labels") or {}).items()},
        environment=dict(str(pair).split("=", 1) for pair in config.get("Env") or [] if "=" in str(pair)),
    )


def _named(media_type: str, blob: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest_of(blob), "size": len(blob)}


def _document(content: bytes, what: str) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except ValueError as error:
        raise ImageError(f"the image's {what} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise ImageError(f"the image's {what} is not a JSON object")
    return document
