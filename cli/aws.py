"""AWS clients for a stack's environment: botocore's own, which boto3 would only wrap, and load for twice as long."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from botocore.loaders import Loader
from botocore.session import Session


def client(service: str, environment: Mapping[str, str]) -> Any:
    """The client of a service, by the endpoint, region and credentials that the variables name."""
    return session().create_client(
        service,
        endpoint_url=environment.get("AWS_ENDPOINT_URL"),
        region_name=environment.get("AWS_REGION"),
        aws_access_key_id=environment.get("AWS_ACCESS_KEY_ID"),
        aws_secret_access_key=environment.get("AWS_SECRET_ACCESS_KEY"),
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
