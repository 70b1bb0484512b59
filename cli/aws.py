"""boto3 clients for a stack's environment."""

from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config

PATIENT = Config(
    # An API that throttles for a minute may not end a release. Between two attempts botocore waits up to 1, 2, 4, 8, 16
    # and from then on 20 s, half of that on average: 20 attempts are two and a half minutes, and hardly ever less than
    # one and a half. What is refused for good is not tried again. "adaptive" would go on slowing calls down once all is
    # well again, and the way back must be quick.
    retries={"mode": "standard", "total_max_attempts": 20},
    # botocore's own 60 s, twenty times over, are no deadline for calls that take a tenth of a second.
    connect_timeout=5,
    read_timeout=20,
)


def client(service: str, environment: Mapping[str, str], config: Config | None = None) -> Any:
    """The client of a service, by the endpoint, region and credentials that the variables name.

    `config` is PATIENT for a release: whoever waits for any other command wants to hear of an API that is down.
    """
    return boto3.client(
        service,
        endpoint_url=environment.get("AWS_ENDPOINT_URL"),
        region_name=environment.get("AWS_REGION"),
        aws_access_key_id=environment.get("AWS_ACCESS_KEY_ID"),
        aws_secret_access_key=environment.get("AWS_SECRET_ACCESS_KEY"),
        config=config,
    )
