"""AWS clients for a stack's environment: botocore's own, which boto3 would only wrap, and load for twice as long."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from botocore.config import Config
from botocore.loaders import Loader
from botocore.session import Session

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
HASTY = Config(retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=3, read_timeout=8)
"""For what a release does beside its work, and can as well do the next time."""


def client(service: str, environment: Mapping[str, str], config: Config | None = None) -> Any:
    """The client of a service, by the endpoint, region and credentials that the variables name.

    `config` is PATIENT for a release: whoever waits for any other command wants to hear of an API that is down.
    """
    return session().create_client(
        service,
        endpoint_url=environment.get("AWS_ENDPOINT_URL"),
        region_name=environment.get("AWS_REGION"),
        aws_access_key_id=environment.get("AWS_ACCESS_KEY_ID"),
        aws_secret_access_key=environment.get("AWS_SECRET_ACCESS_KEY"),
        config=config,
    )


@cache
def session(profile: str | None = None) -> Session:
    """One for all clients of a profile: what it has read of endpoints and credentials is then read once."""
    made = Session(profile=profile)
    made.register_component("data_loader", _QuickLoader())
    return made


class _QuickLoader(Loader):
    """Botocore's, which before it reads a service's model looks into the folders of all 400 others."""

    def list_available_services(self, type_name: str) -> list[str]:
        """Every service that there is; one without a model of the type fails when that is read."""
        folders = [Path(path) for path in self.search_paths]
        return [service.name for folder in folders if folder.is_dir() for service in folder.iterdir()]
