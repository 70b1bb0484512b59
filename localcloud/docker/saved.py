"""What `docker save` gives, without the times of the build: so the same source is the same image. No I/O here."""

import gzip
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.images.errors import ImageError
from localcloud.images.oci import EPOCH, Image, canonical, image_of

BY_THE_BUILD = ("container", "container_config", "docker_version", "moby.buildkit.cache.v0")
"""What builders write into a config that says nothing of the image."""
GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class SavedImage:
    """An image as it was saved."""

    config: bytes
    layers: tuple[bytes, ...]
    """Tar archives, the lowest first."""

    def packed(self) -> Image:
        """The image as a registry takes it, its layers compressed by gzip -9."""
        return image_of(self.config, tuple(gzip.compress(layer, 9, mtime=0) for layer in self.layers))

    def archive(self, tag: str) -> bytes:
        """What `docker load` takes."""
        names = [f"{number}.tar" for number in range(len(self.layers))]
        entry = {"Config": "config.json", "RepoTags": [tag], "Layers": names}
        loaded = json.dumps([entry], sort_keys=True, separators=(",", ":")).encode()
        files = {"manifest.json": loaded, "config.json": self.config, **dict(zip(names, self.layers, strict=True))}
        return _archive_of(files)


def opened(saved: bytes) -> SavedImage:
    """The one image in what `docker save` gave, its times set to 0. Raises ImageError for anything else."""
    try:
        with tarfile.open(fileobj=io.BytesIO(saved)) as archive:
            [entry] = json.loads(_read(archive, "manifest.json"))
            config = json.loads(_read(archive, entry["Config"]))
            layers = tuple(_plain(_read(archive, name)) for name in entry["Layers"])
    except (tarfile.TarError, KeyError, TypeError, ValueError) as error:
        raise ImageError(f"what Docker saved can't be read as an image: {error!r}") from error
    return SavedImage(canonical(_timeless(config)), layers)


def _timeless(config: dict[str, Any]) -> dict[str, Any]:
    steps = [{**step, "created": EPOCH} for step in config.get("history") or []]
    kept = {name: value for name, value in config.items() if name not in BY_THE_BUILD}
    return {**kept, "created": EPOCH, "history": steps}


def _plain(layer: bytes) -> bytes:
    """The tar archive: engines that store images with containerd save layers as they are stored."""
    return gzip.decompress(layer) if layer.startswith(GZIP) else layer


def _read(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.extractfile(name)
    if member is None:
        raise KeyError(name)
    return member.read()


def _archive_of(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
