"""Builds app/ into an image whose digest hangs on the source alone, and loads it: `python scripts/build_image.py -h`.

BuildKit before 0.11 writes the time of the build into an image's configuration. So the image is taken out of the
engine again, its times are set to 0, and it is loaded anew; its layers are reproducible as they are.
Prints a line of JSON: the image's id, the digest that its manifest has when each layer is compressed by gzip -9, and
how many bytes a pull then moves.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from localcloud.docker.client import Client, Recipe, find_client
from localcloud.docker.errors import NoDocker as NoDocker  # its callers' way to say that nothing was run
from localcloud.images.oci import digest_of

ROOT = Path(__file__).resolve().parent.parent


def docker_client() -> str:
    """Path of a Docker client that can build with BuildKit, $DOCKER before those of PATH. Raises NoDocker."""
    return find_client().path


def build(docker: str, tag: str, version: str, base: str = "", is_fresh: bool = False) -> Mapping[str, Any]:
    """Builds, normalises and loads the image; returns its id, digest and compressed bytes. Raises CalledProcessError.

    The build takes the machine's network, and its certificate authorities as a secret. is_fresh: without the cache.
    """
    args = {"VERSION": version, **({"BASE_IMAGE": base} if base else {})}
    client, output = Client(docker), sys.stderr.buffer
    saved = client.build(Recipe(context=ROOT / "app", args=args, is_fresh=is_fresh), tag, output)
    client.load(saved, tag, output)
    image = saved.packed()
    return {
        "id": digest_of(image.config),
        "digest": image.digest,
        "compressed_bytes": sum(map(len, image.layers)) + len(image.config),
        "layer_bytes": [len(layer) for layer in image.layers],
        "layers": json.loads(image.config)["rootfs"]["diff_ids"],
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Builds app/ into an image whose digest hangs on the source alone.")
    parser.add_argument("--tag", default="teal:local")
    parser.add_argument("--version", default="0")
    parser.add_argument("--base", default="", help="BASE_IMAGE of the Dockerfile; default its own, from Docker Hub")
    parser.add_argument("--fresh", action="store_true", help="without the engine's cache")
    chosen = parser.parse_args()
    print(json.dumps(build(docker_client(), chosen.tag, chosen.version, chosen.base, chosen.fresh)))  # noqa: T201
