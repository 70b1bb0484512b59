"""Makes an image of the app and pushes it into an environment's registry."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from localcloud.home import CloudRecord, DriverName, Home
from localcloud.images.oci import VERSION_LABEL, Image
from localcloud.images.packing import pack
from localcloud.images.registry import push

DEFAULT_VERSION = {VERSION_LABEL: "0"}


def push_app(
    project: Path,
    ecr: Any,
    repository_name: str,
    labels: Mapping[str, str],
    cloud: CloudRecord | None = None,
) -> str:
    """The digest of the app as it stands, which is then in the repository.

    The cloud says who is to run it: processes take an image that was packed without Docker, containers one that its
    Docker engine has built. Without a cloud it is packed. Raises ImageError, DockerError.
    """
    told = {**DEFAULT_VERSION, **labels}
    if cloud is not None and cloud.driver is DriverName.DOCKER:
        image = _built(project, told, cloud.docker_host)
    else:
        image = pack(project / "app", told)
    # A tag for people: the digest is what everything goes by, and immutable tags need one that means it.
    return push(ecr, repository_name, image, tag=f"build-{image.digest.removeprefix('sha256:')[:16]}")


def _built(project: Path, labels: Mapping[str, str], host: str) -> Image:
    from localcloud.docker.builder import EngineBuilder, with_base  # here, since most do without Docker
    from localcloud.docker.client import Recipe

    builder = EngineBuilder(project, Home.of_project(project).build_log, host)
    args = with_base({"VERSION": labels[VERSION_LABEL]})
    return builder.build(Recipe(context=project / "app", args=args, labels=labels))
