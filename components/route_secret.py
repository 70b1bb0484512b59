"""The secret that opens the test route to the idle colour."""

import secrets
from collections.abc import Mapping
from typing import NotRequired, TypedDict

import pulumi
from pulumi_aws import ssm

from .children import Children
from .former_names import remembering
from .parameters import parameter_name

SECRET_BYTES = 32


class RouteSecretArgs(TypedDict):
    """What a RouteSecret is made from."""

    environment: str
    """Name of the environment; the secret is the SSM parameter /teal/<environment>/test-header."""
    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Put on the parameter, beside its own Name."""


class RouteSecret(pulumi.ComponentResource):
    """A random value, made once and kept encrypted in SSM.

    To change it, write another value to the parameter and run the program with a refresh. Raises ValueError for an
    environment that parameters can't be named after.
    """

    value: pulumi.Output[str]
    """The secret, 43 characters that are safe in a header."""
    parameter_name: pulumi.Output[str]
    """Name of the SSM parameter that holds it."""

    def __init__(self, name: str, args: RouteSecretArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        path = parameter_name(args["environment"], "test-header")
        super().__init__("teal:index:RouteSecret", name, {}, remembering("teal:index:RouteSecret", name, opts))
        children = Children(name, args.get("tags", {}), self)

        parameter = ssm.Parameter(
            children.name("value"),
            name=path,
            description="Value of the header X-Teal-Test, which leads to the idle colour",
            type="SecureString",
            value=pulumi.Output.secret(secrets.token_urlsafe(SECRET_BYTES)),  # a new one every run; the first one stays
            tags=children.tagged("value"),
            opts=children.options(ignoring=("value",)),
        )

        self.value = pulumi.Output.secret(parameter.value)
        self.parameter_name = parameter.name
        self.register_outputs({"value": self.value, "parameter_name": self.parameter_name})
