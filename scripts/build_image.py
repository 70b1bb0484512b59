"""Builds app/ into an image whose digest hangs on the source alone, and loads it: `python scripts/build_image.py -h`.

BuildKit before 0.11 writes the time of the build into an image's configuration. So the image is taken out of the
engine again, its times are set to 0, and it is loaded anew; its layers are reproducible as they are.
Prints a line of JSON: the image's id, the digest that its manifest has when each layer is compressed by gzip -9, and
how many bytes a pull then moves.
"""

import argparse
import gzip
import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
EPOCH = "1970-01-01T00:00:00Z"
CERTIFICATES = ("SSL_CERT_FILE", "PIP_CERT")
MEDIA = "application/vnd.oci.image"


class NoDocker(RuntimeError):
    """No Docker engine answers, or no client here can build with BuildKit; the text says which."""


def docker_client() -> str:
    """Path of a Docker client that can build with BuildKit, $DOCKER before those of PATH. Raises NoDocker."""
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    clients = [os.environ["DOCKER"]] if "DOCKER" in os.environ else [f"{folder}/docker" for folder in folders]
    found = [client for client in clients if Path(client).is_file()]
    if not found:
        raise NoDocker("no Docker client is installed")
    able = [client for client in found if "--secret" in run(client, "build", "--help")]
    if not able:
        raise NoDocker(f"{found[0]} cannot build with BuildKit: install buildx, or Debian's docker.io")
    if not run(able[0], "version", "--format", "{{.Server.Version}}").strip():
        raise NoDocker("no Docker engine answers")
    return able[0]


def run(*command: str) -> str:
    """What a command prints, empty where it fails."""
    environment = {**os.environ, "DOCKER_BUILDKIT": "1"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=False, env=environment, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def build(docker: str, tag: str, version: str, base: str = "", is_fresh: bool = False) -> Mapping[str, Any]:
    """Builds, normalises and loads the image; returns its id, digest and compressed bytes. Raises CalledProcessError.

    The build takes the machine's network, and its certificate authorities as a secret. is_fresh: without the cache.
    """
    command = [docker, "build", "--network", "host", "--tag", f"{tag}-as-built", "--build-arg", f"VERSION={version}"]
    command += ["--build-arg", f"BASE_IMAGE={base}"] if base else []
    command += ["--no-cache"] if is_fresh else []
    authority = next((os.environ[name] for name in CERTIFICATES if Path(os.environ.get(name, "")).is_file()), "")
    command += ["--secret", f"id=ca,src={authority}"] if authority else []
    environment = {**os.environ, "DOCKER_BUILDKIT": "1", "BUILDKIT_PROGRESS": "plain"}
    subprocess.run([*command, str(ROOT / "app")], check=True, env=environment, stdout=sys.stderr)
    saved = subprocess.run([docker, "save", f"{tag}-as-built"], check=True, capture_output=True).stdout
    archive, facts = normalised(saved, tag)
    subprocess.run([docker, "load", "--quiet"], check=True, input=archive, stdout=sys.stderr)
    subprocess.run([docker, "rmi", f"{tag}-as-built"], check=True, stdout=subprocess.DEVNULL)
    return facts


def normalised(saved: bytes, tag: str) -> tuple[bytes, Mapping[str, Any]]:
    """What `docker save` gave as an archive to load, without times, and the facts about it."""
    with tarfile.open(fileobj=io.BytesIO(saved)) as archive:
        [entry] = json.loads(read(archive, "manifest.json"))
        config = json.loads(read(archive, entry["Config"]))
        layers = [read(archive, name) for name in entry["Layers"]]
    config["created"] = EPOCH
    for step in config["history"]:
        step["created"] = EPOCH
    for key in ("container", "container_config", "docker_version", "moby.buildkit.cache.v0"):
        config.pop(key, None)
    described = as_json(config)
    packed = [gzip.compress(layer, 9, mtime=0) for layer in layers]
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{MEDIA}.manifest.v1+json",
        "config": blob(f"{MEDIA}.config.v1+json", described),
        "layers": [blob(f"{MEDIA}.layer.v1.tar+gzip", layer) for layer in packed],
    }
    names = [f"{number}.tar" for number in range(len(layers))]
    loaded = as_json([{"Config": "config.json", "RepoTags": [tag], "Layers": names}])
    files = {"manifest.json": loaded, "config.json": described, **dict(zip(names, layers, strict=True))}
    facts = {
        "id": manifest["config"]["digest"],  # type: ignore[index]
        "digest": digest(as_json(manifest)),
        "compressed_bytes": sum(map(len, packed)) + len(described),
        "layer_bytes": [len(layer) for layer in packed],
        "layers": config["rootfs"]["diff_ids"],
    }
    return archive_of(files), facts


def read(archive: tarfile.TarFile, name: str) -> bytes:
    """A file of an archive. Raises KeyError."""
    member = archive.extractfile(name)
    if member is None:
        raise KeyError(name)
    return member.read()


def archive_of(files: Mapping[str, bytes]) -> bytes:
    """A tar archive of files by name."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def as_json(value: object) -> bytes:
    """JSON without a choice: sorted, and no blanks."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def digest(content: bytes) -> str:
    """sha256: and 64 hex digits."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def blob(media: str, content: bytes) -> Mapping[str, Any]:
    """A blob as manifests name it."""
    return {"mediaType": media, "digest": digest(content), "size": len(content)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Builds app/ into an image whose digest hangs on the source alone.")
    parser.add_argument("--tag", default="teal:local")
    parser.add_argument("--version", default="0")
    parser.add_argument("--base", default="", help="BASE_IMAGE of the Dockerfile; default its own, from Docker Hub")
    parser.add_argument("--fresh", action="store_true", help="without the engine's cache")
    chosen = parser.parse_args()
    print(json.dumps(build(docker_client(), chosen.tag, chosen.version, chosen.base, chosen.fresh)))  # noqa: T201
