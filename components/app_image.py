"""The service's image: built from source, pushed to a registry, and known by its digest from then on."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NotRequired, TypedDict

import pulumi
import pulumi_docker as docker
from pulumi_aws import ecr

from .former_names import remembering
from .registry_policies import BUILD_PREFIX

PLATFORMS = ("linux/amd64", "linux/arm64")

_VERSION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}")  # a tag has 128 characters at most: prefix, version, digits
_DERIVED = ("__pycache__", ".git")  # made from the source or from its history, so no part of it


class AppImageArgs(TypedDict):
    """What an AppImage is built from and where it goes."""

    repository_url: pulumi.Input[str]
    """ECR repository to push to: registry host and name, without a tag."""
    context: str
    """Path of the folder that holds the source, relative to the program's."""
    dockerfile: NotRequired[str]
    """Path of the Dockerfile; default the one in the context."""
    version: NotRequired[str]
    """Version for people, at most 80 letters, digits, dots, dashes; default 0. The build gets it as ARG VERSION."""
    platform: NotRequired[str]
    """linux/arm64, the default, or linux/amd64: what the instances' processors are."""
    build_args: NotRequired[Mapping[str, str]]
    """Values of the Dockerfile's ARG lines. No secrets: they stay in the image's history."""


class AppImage(pulumi.ComponentResource):
    """Builds an image and pushes it under an immutable tag, `build-<version>-<fingerprint of what goes in>`.

    Raises ValueError for a platform or a version that can't be, and where there is no source or no Dockerfile.
    """

    digest: pulumi.Output[str]
    """Digest of the pushed image: sha256: and 64 hex digits."""
    image: pulumi.Output[str]
    """The image by digest: <registry>/<repository>@sha256:<64 hex digits>."""
    tag: pulumi.Output[str]
    """Tag that the image was pushed under."""

    def __init__(self, name: str, args: AppImageArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        platform = args.get("platform", "linux/arm64")
        if platform not in PLATFORMS:
            raise ValueError(f"platform must be one of {', '.join(PLATFORMS)}, got {platform!r}")
        version = args.get("version", "0")
        if not _VERSION.fullmatch(version):
            raise ValueError(f"version must be 1 to 80 letters, digits, dots, dashes or underscores, got {version!r}")
        context = args["context"]
        dockerfile = args.get("dockerfile", f"{context}/Dockerfile")
        build_args = {"VERSION": version, **args.get("build_args", {})}
        tag = f"{BUILD_PREFIX}{version}-{fingerprint(context, dockerfile, platform, build_args)}"
        super().__init__("teal:index:AppImage", name, {}, remembering("teal:index:AppImage", name, opts))

        login = ecr.get_authorization_token_output(opts=pulumi.InvokeOutputOptions(parent=self))
        built = docker.Image(
            f"{name}-build",
            image_name=pulumi.Output.concat(args["repository_url"], ":", tag),
            build={
                "context": context,
                "dockerfile": dockerfile,
                "platform": platform,
                "args": dict(build_args),
                "builder_version": docker.BuilderVersion.BUILDER_BUILD_KIT,
            },
            registry={
                "server": args["repository_url"],
                "username": login.user_name,
                "password": pulumi.Output.secret(login.password),
            },
            opts=pulumi.ResourceOptions(parent=self),
        )

        self.digest = built.repo_digest.apply(digest_of)
        self.image = pulumi.Output.concat(args["repository_url"], "@", self.digest)
        self.tag = pulumi.Output.from_input(tag)
        self.register_outputs({"digest": self.digest, "image": self.image, "tag": self.tag})


def fingerprint(context: str, dockerfile: str, platform: str, build_args: Mapping[str, str]) -> str:
    """Sixteen hex digits that stand for all that the program puts into a build.

    Tags are immutable, so another source must mean another tag. What .dockerignore leaves out counts, too: a tag too
    many costs nothing. Raises ValueError where the context holds no files or the Dockerfile is missing.
    """
    root, recipe = Path(context), Path(dockerfile)
    paths = sorted(path for path in root.rglob("*") if _is_source(path.relative_to(root)) and not path.is_dir())
    if not paths:
        raise ValueError(f"context must be a folder with the source, found no file in {context!r}")
    if not recipe.is_file():
        raise ValueError(f"dockerfile must be a file, found none at {dockerfile!r}")
    known = hashlib.sha256()
    for part in (platform, *(f"{key}={value}" for key, value in sorted(build_args.items()))):
        known.update(f"{part}\0".encode())
    known.update(recipe.read_bytes())
    for path in paths:
        content = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
        is_executable = bool(path.lstat().st_mode & 0o100)
        known.update(f"\0{path.relative_to(root).as_posix()}\0{is_executable}\0{len(content)}\0".encode())
        known.update(content)
    return known.hexdigest()[:16]


def digest_of(repo_digest: str) -> str:
    """The part after the @ of <registry>/<repository>@sha256:<digits>. Raises ValueError where nothing was pushed."""
    _, at, digest = repo_digest.partition("@")
    if not at:
        raise ValueError(f"the image has no digest in its registry, only {repo_digest!r}: was it pushed?")
    return digest


def _is_source(path: Path) -> bool:
    return path.suffix != ".pyc" and not any(part in _DERIVED for part in path.parts)
