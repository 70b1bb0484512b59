"""The part of the registry protocol (OCI distribution, version 2) by which a container engine pulls by digest from ECR.

Repositories are named ACCOUNT/REGION/NAME at the API's own loopback address, which engines take without TLS. Nothing
is pushed this way, and nobody logs in: who can reach the API may read all of it.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

from moto.ecr.models import Repository

from ecr.transfer import MANIFEST_TYPE
from localcloud.images.moto_gap import WsgiApp, layer_in, repository_at
from localcloud.images.oci import DIGEST

PATH = re.compile(r"/v2/(?P<repository>.+)/(?P<kind>manifests|blobs)/(?P<digest>[^/]+)")
VERSION_HEADER = ("Docker-Distribution-API-Version", "registry/2.0")
BINARY = "application/octet-stream"
UNKNOWN = b'{"errors": [{"code": "NAME_UNKNOWN", "message": "ECR has no such image"}]}'


def pulls(app: WsgiApp) -> WsgiApp:
    """app, and beside it what a pull by digest asks for, at /v2/."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path, method = str(environ.get("PATH_INFO", "")), environ.get("REQUEST_METHOD")
        parts = PATH.fullmatch(path)
        if method not in ("GET", "HEAD") or not (path == "/v2/" or parts):
            return app(environ, start_response)
        found = _found(parts) if parts else (b"{}", "application/json")
        body, kind = found or (UNKNOWN, "application/json")
        headers = [VERSION_HEADER, ("Content-Type", kind), ("Content-Length", str(len(body)))]
        if found and parts:
            headers.append(("Docker-Content-Digest", parts["digest"]))
        start_response("200 OK" if found else "404 Not Found", headers)
        return [body] if method == "GET" else []

    return answer


def _found(parts: re.Match[str]) -> tuple[bytes, str] | None:
    """The content that a path names, and its media type."""
    repository = repository_at(parts["repository"])
    if repository is None or not DIGEST.fullmatch(parts["digest"]):
        return None
    if parts["kind"] == "manifests":
        return _manifest(repository, parts["digest"])
    layer = layer_in(repository, parts["digest"])
    return None if layer is None else (layer, BINARY)


def _manifest(repository: Repository, digest: str) -> tuple[bytes, str] | None:
    for image in repository.images:
        if image.image_digest == digest:
            return str(image.image_manifest).encode(), str(image.image_manifest_media_type or MANIFEST_TYPE)
    return None
