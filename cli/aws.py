"""AWS clients for a stack's environment: botocore's own, which boto3 would only wrap, and load for twice as long."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from botocore.session import Session


def client(service: str, environment: Mapping[str, str]) -> Any:
    """The client of a service, by the endpoint, region and credentials that the variables name."""
    return _session().create_client(
        service,
        endpoint_url=environment.get("AWS_ENDPOINT_URL"),
        region_name=environment.get("AWS_REGION"),
        aws_access_key_id=environment.get("AWS_ACCESS_KEY_ID"),
        aws_secret_access_key=environment.get("AWS_SECRET_ACCESS_KEY"),
    )


@cache
def _session() -> Session:
    """One for all clients: what it has read of endpoints and partitions is then read once."""
    return Session()
