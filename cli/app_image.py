"""Makes an image of the app and pushes it into an environment's registry."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from localcloud.home import DriverName, Home
from localcloud.images.oci import VERSION_LABEL, Image
from localcloud.images.packing import pack
from localcloud.images.registry import push

DEFAULT_VERSION = {VERSION_LABEL: "0"}


def push_app(
    project: Path,
    ecr: Any,
    repository_name: str,
    labels: Mapping[str, str],
    driver: DriverName = DriverName.PROCESS,
) -> str:
    """The digest of the app as it stands, which is then in the repository.

    The driver says who is to run it: processes take an image that was packed without Docker, containers one that Docker
    has built. Raises ImageError, DockerError.
    """
    told = {**DEFAULT_VERSION, **labels}
    image = _built(project, told) if driver is DriverName.DOCKER else pack(project / "app", told)
    # A tag for people: the digest is what everything goes by, and immutable tags need one that means it.
    return push(ecr, repository_name, image, tag=f"build-{image.digest.removeprefix('sha256:')[:16]}")


def _built(project: Path, labels: Mapping[str, str]) -> Image:
    from localcloud.docker.builder import EngineBuilder, with_base  # here, since most do without Docker
    from localcloud.docker.client import Recipe

    builder = EngineBuilder(project, Home.of_project(project).build_log)
    args = with_base({"VERSION": labels[VERSION_LABEL]})
    return builder.build(Recipe(context=project / "app", args=args, labels=labels))
