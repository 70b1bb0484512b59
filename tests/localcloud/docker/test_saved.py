"""What `docker save` gives, in the forms of older and newer engines."""

import gzip
import io
import json
import tarfile
from typing import Any

import pytest

from localcloud.docker.saved import opened
from localcloud.images.errors import ImageError
from localcloud.images.oci import digest_of

LAYER = b"a tar archive"
CONFIG: dict[str, Any] = {
    "created": "2026-11-23T12:00:00Z",
    "docker_version": "20.10",
    "container": "c",
    "config": {"Cmd": ["serve"]},
    "history": [{"created": "2026-11-23T12:00:00Z", "created_by": "COPY"}],
    "rootfs": {"type": "layers", "diff_ids": [digest_of(LAYER)]},
}


def saved(config: dict[str, Any], *layers: bytes) -> bytes:
    names = [f"{number}/layer.tar" for number in range(len(layers))]
    entry = {"Config": "c.json", "RepoTags": ["t:1"], "Layers": names}
    files = {"manifest.json": json.dumps([entry]).encode(), "c.json": json.dumps(config).encode()}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in {**files, **dict(zip(names, layers, strict=True))}.items():
            entry_of = tarfile.TarInfo(name)
            entry_of.size = len(content)
            archive.addfile(entry_of, io.BytesIO(content))
    return buffer.getvalue()


def test_when_and_by_whom_it_was_built_does_not_count() -> None:
    later = {**CONFIG, "created": "2027", "history": [{"created": "2027", "created_by": "COPY"}]}
    without = {key: value for key, value in later.items() if key not in ("docker_version", "container")}
    first, second = opened(saved(CONFIG, LAYER)), opened(saved(without, LAYER))
    assert first.packed().digest == second.packed().digest
    assert json.loads(first.config)["created"] == "1970-01-01T00:00:00Z"


def test_a_layer_that_is_compressed_already_counts_as_what_it_holds() -> None:
    assert opened(saved(CONFIG, gzip.compress(LAYER))) == opened(saved(CONFIG, LAYER))


def test_what_it_is_packed_into_holds_the_layers_as_they_were() -> None:
    packed = opened(saved(CONFIG, LAYER, b"more")).packed()
    assert [gzip.decompress(layer) for layer in packed.layers] == [LAYER, b"more"]


def test_what_it_loads_is_what_was_saved() -> None:
    image = opened(saved(CONFIG, LAYER))
    assert opened(image.archive("t:2")) == image


@pytest.mark.parametrize("content", [b"", b"no archive", saved({"history": []}, LAYER)[:1000]])
def test_anything_else_is_refused(content: bytes) -> None:
    with pytest.raises(ImageError, match="what Docker saved can't be read as an image"):
        opened(content)
