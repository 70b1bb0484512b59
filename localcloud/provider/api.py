"""The one door to the AWS API: boto3 clients for a loopback endpoint, errors as one line."""

import ipaddress
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError
from botocore.model import OperationModel
from botocore.parsers import ResponseParserError

from localcloud.provider.errors import ApiRefused, NotLoopback


def require_loopback(endpoint: str) -> str:
    """The endpoint itself. Raises NotLoopback unless its host is an address of the loopback interface."""
    host = urlsplit(endpoint).hostname or ""
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name: only the one that is loopback by definition (RFC 6761)
        is_loopback = host == "localhost"
    if not is_loopback:
        raise NotLoopback(endpoint)
    return endpoint


class Api:
    """Calls AWS operations of one region at a loopback endpoint. Safe to share between threads."""

    def __init__(self, endpoint: str, region: str) -> None:
        self.endpoint, self.region = require_loopback(endpoint), region
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._session = boto3.session.Session(
            aws_access_key_id="embedded",
            aws_secret_access_key="embedded",
            region_name=region,  # no secret
        )

    def client(self, service: str) -> Any:
        """The boto3 client of a service, made once."""
        with self._lock:
            if service not in self._clients:
                # No proxy: an HTTP_PROXY in the user's environment must not see loopback traffic.
                config = Config(
                    proxies={}, retries={"total_max_attempts": 2}, connect_timeout=5, read_timeout=60,
                    max_pool_connections=32, s3={"addressing_style": "path"}, parameter_validation=True,
                )  # fmt: skip
                self._clients[service] = self._session.client(service, endpoint_url=self.endpoint, config=config)
            return self._clients[service]

    def call(self, service: str, method: str, **parameters: Any) -> dict[str, Any]:
        """One operation by its boto3 method name; None parameters are left out. Raises ApiRefused."""
        given = {key: value for key, value in parameters.items() if value is not None}
        with _in_one_line(f"{service} {method}"):
            answer: dict[str, Any] = getattr(self.client(service), method)(**given)
            return answer

    def pages(self, service: str, method: str, key: str, **parameters: Any) -> Iterator[Any]:
        """Every item under key in all pages of an operation. Raises ApiRefused."""
        client = self.client(service)
        if not client.can_paginate(method):
            yield from self.call(service, method, **parameters).get(key, [])
            return
        with _in_one_line(f"{service} {method}"):
            for page in client.get_paginator(method).paginate(**parameters):
                yield from page.get(key, [])

    def operation(self, service: str, method: str) -> OperationModel:
        """Botocore's model of an operation, given its boto3 method name."""
        client = self.client(service)
        return client.meta.service_model.operation_model(client.meta.method_to_api_mapping[method])  # type: ignore[no-any-return]


@contextmanager
def _in_one_line(operation: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        told = error.response.get("Error", {})
        raise ApiRefused(operation, told.get("Code", "?"), told.get("Message", str(error))) from error
    except ParamValidationError as error:
        raise ApiRefused(operation, "InvalidParameter", " ".join(str(error).split())) from error
    except (BotoCoreError, ResponseParserError) as error:  # the latter: an error page instead of an answer
        raise ApiRefused(operation, type(error).__name__, " ".join(str(error).split())) from error
