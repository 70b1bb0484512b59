"""Package `docker`: images, built and pushed to the embedded cloud's ECR, and services that run them in a swarm.

Services are in docker_services.py. How images are built, a Builder says. Without Docker an image has one layer: the
build context as it stands, run by the `web` line of its Procfile; `dockerfile` must exist, but is not followed, and of
`args` only VERSION is honoured: it becomes the image's label org.opencontainers.image.version. With Docker the
Dockerfile is followed. Either way `platform` and `builderVersion` must be ones that Docker takes, but the image is for
this machine, which is where it runs. All else, a registry that is no ECR among it, is an error that names it.
"""

import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localcloud.errors import LocalCloudError
from localcloud.images.reference import ECR_REGISTRY
from localcloud.images.registry import push
from localcloud.provider.api import Api, require_loopback
from localcloud.provider.docker_builds import Builder, Packer
from localcloud.provider.docker_services import NETWORK, SERVICE, NetworkType, ServiceType
from localcloud.provider.errors import ProviderError, UnknownProperty
from localcloud.provider.lifecycle import Checked, Difference, Found
from localcloud.provider.package import Package
from localcloud.provider.swarm import NoSwarm, Swarm
from localcloud.provider.translate import same
from localcloud.provider.values import DEFAULTS, UNKNOWN, Properties, has_unknown

VERSION = "5.2.0"
"""The pulumi-docker release whose tokens and property names this follows."""
TOKEN = "docker:index/image:Image"  # noqa: S105  # a type's name
INPUTS = frozenset({"imageName", "build", "registry", "skipPush", "buildOnPreview"})
OUTPUTS = frozenset({"baseImageName", "context", "dockerfile", "imageName", "platform", "registryServer", "repoDigest"})
BUILD_KEYS = frozenset({"context", "contextDigest", "dockerfile", "platform", "builderVersion", "args"})
LOGIN_KEYS = frozenset({"username", "password"})
PLATFORMS = ("linux/amd64", "linux/arm64")
BUILDERS = ("BuilderBuildKit", "BuilderV1")
IMAGE_NAME = re.compile(r"(?P<host>[^/@]+)/(?P<repository>[^:@]+)(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?")
UNSUPPORTED = {
    "skipPush": "instances get images from the registry only",
    "buildOnPreview": "a preview pushes nothing",
}
SETTINGS = frozenset({"version", "pluginDownloadURL", "disableDockerDaemonCheck", "host", "sshOpts", "registryAuth"})
"""Provider settings that change nothing here: which plugin, whether to look for a daemon that nobody needs, and whose
engine it is by what way: services run in the one that the cloud's instances run in, and nobody logs in to its ECR."""


@dataclass(frozen=True)
class Name:
    """An image's name, taken apart."""

    host: str
    region: str
    repository: str
    tag: str

    @property
    def without_tag(self) -> str:
        """The repository's address."""
        return f"{self.host}/{self.repository}"


def parse_name(text: str) -> Name:
    """The name of an image in ECR, tag `latest` where there is none. Raises ProviderError for any other."""
    parts = IMAGE_NAME.fullmatch(text)
    registry = ECR_REGISTRY.fullmatch(parts["host"]) if parts else None
    if parts is None or registry is None:
        raise ProviderError(
            f"imageName must be <account>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag>, got {text!r}"
        )
    return Name(parts["host"], registry["region"], parts["repository"], parts["tag"] or "latest")


@dataclass(frozen=True)
class ImageType:
    """docker:index/image:Image. Relative paths start at root."""

    root: Path
    builder: Builder
    _apis: dict[str, Api] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def input_names(self) -> frozenset[str]:
        """Properties that it honours."""
        return INPUTS

    @property
    def required_names(self) -> frozenset[str]:
        """Properties that it must be given."""
        return frozenset({"imageName", "build"})

    @property
    def output_names(self) -> frozenset[str]:
        """Everything that it tells."""
        return OUTPUTS

    def check(self, urn: str, news: Properties, olds: Properties, seed: bytes) -> Checked:
        """Says what is not honoured, and puts the fingerprint of the source into build.contextDigest."""
        inputs = {name: value for name, value in news.items() if name != DEFAULTS}
        failures = list(self._refusals(inputs))
        build = inputs.get("build")
        if isinstance(build, dict) and not failures:
            try:
                fingerprint = UNKNOWN if has_unknown(build) else self.builder.fingerprint(build)
                inputs["build"] = {**build, "contextDigest": fingerprint}
            except (LocalCloudError, OSError) as error:
                failures.append(("build.context", str(error)))
        return Checked(inputs, tuple(failures))

    def diff(self, olds: Properties, news: Properties, ignored: frozenset[str]) -> Difference:
        """Every change is made in place; who logs in to the registry is none."""
        before, after = _compared(olds), _compared(news)
        names = (before.keys() | after.keys()) - ignored - {DEFAULTS}
        changed = [
            name for name in names if has_unknown(after.get(name)) or not same(before.get(name), after.get(name))
        ]
        return Difference(tuple(sorted(changed)))

    def planned(self, inputs: Properties, state: Properties | None = None) -> Properties:
        """Outputs as a preview tells them: even the digest, where the name is known and the source decides it."""
        build = inputs["build"] if isinstance(inputs["build"], dict) else {}
        fingerprint = build.get("contextDigest", UNKNOWN)
        known = None if fingerprint == UNKNOWN else self.builder.known_digest(str(fingerprint))
        outputs = _outputs(inputs, known)
        return dict.fromkeys(OUTPUTS, UNKNOWN) | {name: outputs.get(name) for name in OUTPUTS if name in outputs}

    def create(self, api: Api, inputs: Properties) -> tuple[str, Properties]:
        """Builds and pushes. Raises ProviderError, also when the source changed since it was checked."""
        name, build = parse_name(inputs["imageName"]), inputs["build"]
        try:
            image = self.builder.make(build)
            if self.builder.fingerprint(build) != build["contextDigest"]:
                raise ProviderError(f"{build.get('context', '.')} changed while the program ran: run it again")
            push(self._api(api, name.region).client("ecr"), name.repository, image, name.tag)
        except (LocalCloudError, OSError) as error:
            raise ProviderError(str(error)) from error
        return str(inputs["imageName"]), _outputs(inputs, image.digest)

    def read(self, api: Api, resource_id: str, inputs: Properties, state: Properties) -> Found | None:
        """What was pushed, if the registry still has it. Raises ProviderError on an import: a source cannot be read."""
        told = state.get("repoDigest")
        if not told:
            raise ProviderError(f"{TOKEN} cannot be imported: an image does not tell its source")
        address, _, digest = told.partition("@")
        name = parse_name(address)
        wanted = [{"imageDigest": digest}]
        found = self._api(api, name.region).call(
            "ecr", "batch_get_image", repositoryName=name.repository, imageIds=wanted
        )
        return Found(inputs, state) if found["images"] else None

    def update(self, api: Api, resource_id: str, olds: Properties, news: Properties, state: Properties) -> Properties:
        """Builds and pushes anew; what was pushed before stays in the registry."""
        return self.create(api, news)[1]

    def delete(self, api: Api, resource_id: str, inputs: Properties, state: Properties) -> None:
        """Leaves the image in the registry, as pulumi-docker does."""

    def _refusals(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        for name in sorted(inputs.keys() - INPUTS):
            yield name, str(UnknownProperty(TOKEN, name))
        for name in sorted(self.required_names - inputs.keys()):
            yield name, f"{TOKEN} needs {name}"
        for name, reason in UNSUPPORTED.items():
            if inputs.get(name) is True:
                yield name, f"the embedded cloud does not apply property {name} of {TOKEN}: {reason}"
        image_name = inputs.get("imageName")
        if isinstance(image_name, str) and not has_unknown(image_name):
            yield from _name_refusals(image_name, inputs.get("registry"))
        if isinstance(inputs.get("build"), dict):
            yield from self._build_refusals(inputs["build"])

    def _build_refusals(self, build: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        for key in sorted(build.keys() - BUILD_KEYS):
            yield f"build.{key}", str(UnknownProperty(TOKEN, f"build.{key}"))
        for key, reason in self.builder.refusals(build):
            yield key, f"{UnknownProperty(TOKEN, key)}: {reason}"
        for key, allowed in (("platform", PLATFORMS), ("builderVersion", BUILDERS)):
            value = build.get(key)
            if value not in (None, UNKNOWN, *allowed):
                yield f"build.{key}", f"build.{key} must be one of {', '.join(allowed)}, got {value!r}"
        dockerfile = build.get("dockerfile")
        if dockerfile not in (None, UNKNOWN) and not (self.root / str(dockerfile)).is_file():
            yield "build.dockerfile", f"build.dockerfile must be a file, found none at {dockerfile!r}"

    def _api(self, api: Api, region: str) -> Api:
        """The API in the region of an image's registry: this provider is not told one."""
        with self._lock:
            return self._apis.setdefault(region, Api(api.endpoint, region))


def _name_refusals(name: str, registry: Any) -> Iterator[tuple[str, str]]:
    try:
        parsed = parse_name(name)
    except ProviderError as error:
        yield "imageName", str(error)
        return
    if not isinstance(registry, dict):
        return
    for key in sorted(registry.keys() - LOGIN_KEYS - {"server"}):
        yield f"registry.{key}", str(UnknownProperty(TOKEN, f"registry.{key}"))
    server = registry.get("server")
    if server not in (None, UNKNOWN) and parsed.host != str(server).removeprefix("https://").partition("/")[0]:
        yield "registry.server", f"registry.server must be the registry of imageName ({parsed.host}), got {server!r}"


def _compared(inputs: Properties) -> Properties:
    """The inputs but for who logs in: a registry's password is another every time that one asks for it."""
    registry = inputs.get("registry")
    if not isinstance(registry, dict):
        return inputs
    return {**inputs, "registry": {key: value for key, value in registry.items() if key not in LOGIN_KEYS}}


def _outputs(inputs: Properties, digest: str | None) -> Properties:
    """What inputs and digest tell; a name that is not known leaves out what hangs on it."""
    build, registry = inputs["build"], inputs.get("registry")
    build = build if isinstance(build, dict) else {}
    context = build.get("context", ".")
    outputs = {
        "context": context,
        "dockerfile": build.get("dockerfile", f"{context}/Dockerfile"),
        "platform": build.get("platform", ""),
    }
    name = inputs.get("imageName")
    if not isinstance(name, str) or has_unknown(name):
        return outputs
    parsed = parse_name(name)
    server = registry.get("server") if isinstance(registry, dict) else None
    outputs |= {"imageName": name, "baseImageName": name, "registryServer": server or parsed.host}
    return outputs if digest is None else outputs | {"repoDigest": f"{parsed.without_tag}@{digest}"}


def package(
    endpoint: str, root: Path | None = None, builder: Builder | None = None, swarm: Swarm | None = None
) -> Package:
    """The package for an API on this machine; contexts are found from root, by default the current folder.

    Images are packed without Docker unless a builder is given. Without a swarm services are refused, but in a preview.
    Raises NotLoopback for any other endpoint.
    """
    require_loopback(endpoint)
    api, folder, runs = Api(endpoint, "us-east-1"), root or Path.cwd(), swarm or NoSwarm()

    def configure(settings: Properties) -> Api:
        for name in sorted(settings.keys() - SETTINGS):
            raise UnknownProperty("provider docker", name)
        return api

    return Package(
        name="docker",
        version=VERSION,
        types={
            TOKEN: ImageType(folder, builder or Packer(folder)),
            SERVICE: ServiceType(runs),
            NETWORK: NetworkType(runs),
        },
        lookups={},
        configure=configure,
        settings=SETTINGS,
    )
