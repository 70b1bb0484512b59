"""An environment on AWS: the user's own credentials, project folder and Pulumi backend."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cli.aws import PATIENT, session
from cli.release.place_base import Place
from config.stack_files import stack_config
from release.errors import InfrastructureFailed

if TYPE_CHECKING:
    from botocore.config import Config

    from release.adapters.automation import StackProgram


@dataclass(frozen=True)
class AwsPlace(Place):
    """Everything as `pulumi` and `aws` would reach it from the project's folder."""

    address: str | None = None
    """Where the service answers, if not where the program's exports say: its domain may not lead there yet."""

    @cached_property
    def program(self) -> "StackProgram":
        """The program, by the Automation API. Raises InfrastructureFailed without an engine."""
        from release.adapters.automation import StackProgram
        from toolchain import ToolchainError, ensure

        try:
            engine = ensure()
        except ToolchainError as error:
            raise InfrastructureFailed(str(error)) from error
        command, variables = engine.pulumi_command(), engine.environment()
        return StackProgram(self.root, self.name, command, variables, remark=self.steps.remark)

    @property
    def way_up(self) -> str:
        """The command that brings it up."""
        return f"pulumi up -s {self.name}"

    @cached_property
    def url(self) -> str:
        """Where its service answers. Raises LedgerMissing."""
        return (self.address or str(self.exports["url"])).rstrip("/")

    @property
    def variables(self) -> Mapping[str, str]:
        """This process's own."""
        return os.environ

    def new_client(self, service: str, region: str | None = None, config: "Config" = PATIENT) -> Any:
        """By the credentials that AWS's own rules find, of the profile that the stack file names, if any."""
        profile = stack_config(self.root, self.name).get("aws:profile")
        return session(profile).create_client(service, region_name=region or self.region, config=config)
