"""An environment in the embedded cloud."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cli.aws import PATIENT, client
from cli.parameters import Parameters
from cli.release.place_base import Place
from localcloud.environment import stack_environment
from localcloud.home import CloudRecord, Home
from release.errors import LedgerMissing

if TYPE_CHECKING:
    from botocore.config import Config

    from cli.release.program import EmbeddedProgram


@dataclass(frozen=True)
class EmbeddedPlace(Place):
    """Everything on loopback, as the cloud's record tells."""

    home: Home
    record: CloudRecord

    @cached_property
    def program(self) -> "EmbeddedProgram":
        """The program, by LocalStack."""
        from cli.release.program import EmbeddedProgram

        return EmbeddedProgram(self.root, self.name, self.region, self.home, self.record)

    @property
    def way_up(self) -> str:
        """The command that brings it up."""
        return f"teal local up {self.name}"

    @cached_property
    def url(self) -> str:
        """Where its listener really listens. Raises LedgerMissing."""
        from localcloud.status import stack_statuses

        found = stack_statuses(self.record, [self.region]).get(self.name)
        if found is None or found.url is None:
            raise LedgerMissing(f"{self.name} has no listener: `{self.way_up}`")
        return found.url

    @property
    def variables(self) -> Mapping[str, str]:
        """This process's own, and those that lead to the embedded cloud."""
        return {**os.environ, **self._access}

    @property
    def gap_guess(self) -> timedelta:
        """Its servers are processes or containers, which are up within seconds."""
        return timedelta(seconds=30)

    def new_client(self, service: str, region: str | None = None, config: "Config" = PATIENT) -> Any:
        """By the embedded cloud's endpoint and credentials."""
        access = {**self._access, "AWS_REGION": region or self.region}
        return Parameters(access) if service == "ssm" else client(service, access, config)

    @property
    def _access(self) -> dict[str, str]:
        return stack_environment(self.record, self.home, self.region)
