"""boto3 clients for a stack's environment."""

from collections.abc import Mapping
from typing import Any

import boto3


def client(service: str, environment: Mapping[str, str]) -> Any:
    """The client of a service, by the endpoint, region and credentials that the variables name."""
    return boto3.client(
        service,
        endpoint_url=environment.get("AWS_ENDPOINT_URL"),
        region_name=environment.get("AWS_REGION"),
        aws_access_key_id=environment.get("AWS_ACCESS_KEY_ID"),
        aws_secret_access_key=environment.get("AWS_SECRET_ACCESS_KEY"),
    )
