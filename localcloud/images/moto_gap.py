"""What moto's ECR lacks for images to come back out of it.

moto counts a layer's bytes and forgets them, has no GetDownloadUrlForLayer, does not compare a layer with the digest
that its uploader claims, makes up an image's digest where the caller gives none, and takes the config's size for the
image's. install() mends the five.
"""

import functools
import json
import threading
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote, unquote
from weakref import WeakKeyDictionary

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.ecr.models import ECRBackend, Repository, ecr_backends
from moto.ecr.models import Image as StoredImage
from moto.ecr.responses import ECRResponse

from localcloud.images.oci import digest_of

PREFIX = "/_teal/blobs/"

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_layers: "WeakKeyDictionary[Repository, dict[str, bytes]]" = WeakKeyDictionary()
_installing = threading.Lock()


class InvalidLayerException(ServiceException):  # type: ignore[misc]  # moto is untyped
    """ECR's answer when a layer is not what its digest says."""

    code = "InvalidLayerException"


class LayersNotFoundException(ServiceException):  # type: ignore[misc]
    """ECR's answer when a repository lacks a layer."""

    code = "LayersNotFoundException"


def install() -> None:
    """Mends moto's ECR in this process; a second call changes nothing. For moto_server-like use, not for mock_aws."""
    with _installing:
        if ECRResponse.get_download_url_for_layer is _get_download_url_for_layer:
            return
        ECRResponse.get_download_url_for_layer = _get_download_url_for_layer
        ECRBackend.complete_layer_upload = _keeping(ECRBackend.complete_layer_upload)
        StoredImage._create_digest = _create_digest
        StoredImage.get_image_size_in_bytes = _size_in_bytes


def blobs(app: WsgiApp) -> WsgiApp:
    """app, and beside it the layers at /_teal/blobs/ACCOUNT/REGION/REPOSITORY/DIGEST, straight from moto's storage."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = str(environ.get("PATH_INFO", ""))
        if not path.startswith(PREFIX):
            return app(environ, start_response)
        layer = _find(path.removeprefix(PREFIX)) if environ.get("REQUEST_METHOD") == "GET" else None
        body = b"no such layer" if layer is None else layer
        kind = "text/plain" if layer is None else "application/octet-stream"
        headers = [("Content-Type", kind), ("Content-Length", str(len(body)))]
        start_response("404 Not Found" if layer is None else "200 OK", headers)
        return [body]

    return answer


def _find(path: str) -> bytes | None:
    account, _, rest = path.partition("/")
    region, _, rest = rest.partition("/")
    repository_name, _, digest = rest.rpartition("/")
    if account not in ecr_backends or region not in ecr_backends[account]:
        return None
    repository = ecr_backends[account][region].repositories.get(unquote(repository_name))
    return None if repository is None else _layers.get(repository, {}).get(digest)


def _keeping(complete: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """complete_layer_upload, checking the digest first and keeping the bytes after."""

    @functools.wraps(complete)
    def complete_layer_upload(
        self: Any, repository_name: str, upload_id: str, layer_digests: list[str], registry_id: str | None = None
    ) -> dict[str, Any]:
        repository = self._get_repository(repository_name, registry_id)
        upload = repository.uploads.get(upload_id)
        content = bytes(upload.layer_parts) if upload else b""
        digest = digest_of(content)
        if upload and digest not in layer_digests:
            raise InvalidLayerException(f"the layer's digest is {digest}, not {', '.join(layer_digests)}")
        answer = complete(self, repository_name, upload_id, layer_digests, registry_id=registry_id)
        _layers.setdefault(repository, {})[digest] = content
        return answer

    return complete_layer_upload


def _get_download_url_for_layer(self: Any) -> ActionResult:
    repository_name, digest = self._get_param("repositoryName"), self._get_param("layerDigest")
    backend = self.ecr_backend
    repository = backend._get_repository(repository_name, self._get_param("registryId"))
    if digest not in _layers.get(repository, {}):
        raise LayersNotFoundException(f"the layer {digest} is not in the repository {repository_name!r}")
    where = "/".join([backend.account_id, backend.region_name, quote(repository_name), digest])
    # The host is the one that this request was sent to: nobody here knows which port the server got.
    return ActionResult({"downloadUrl": f"http://{self.headers['host']}{PREFIX}{where}", "layerDigest": digest})


def _create_digest(self: Any) -> None:
    self._image_digest = digest_of(self.image_manifest.encode())


def _size_in_bytes(self: Any) -> int:
    document = json.loads(self.image_manifest)
    return sum(int(part.get("size", 0)) for part in (document.get("config", {}), *document.get("layers", ())))
