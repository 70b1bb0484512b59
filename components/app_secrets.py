"""The secrets of the app that instances run: SSM parameters, which the instances read at their start by their role."""

from collections.abc import Mapping
from typing import NotRequired, TypedDict

import pulumi
from pulumi_aws import ssm

from .boot.user_data import check_environment
from .children import Children
from .former_names import remembering
from .parameters import secret_name


class AppSecretsArgs(TypedDict):
    """What AppSecrets are made from."""

    environment: str
    """Name of the environment; a secret is the SSM parameter /teal-app/<environment>/<variable>."""
    values: Mapping[str, pulumi.Input[str]]
    """Secret of 1 to 4,096 bytes by the variable that the container gets it in, no names on TEAL_."""
    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Put on every parameter, beside its own Name."""


class AppSecrets(pulumi.ComponentResource):
    """Values that only the app's instances get, encrypted in Pulumi's state and in SSM.

    Raises ValueError for an environment that parameters can't be named after, or a variable that may not be set.
    """

    parameter_arns: pulumi.Output[dict[str, str]]
    """ARN of the SSM parameter by variable."""

    def __init__(self, name: str, args: AppSecretsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        check_environment(args["values"])
        paths = {variable: secret_name(args["environment"], variable) for variable in sorted(args["values"])}
        super().__init__("teal:index:AppSecrets", name, {}, remembering("teal:index:AppSecrets", name, opts))
        children = Children(name, args.get("tags", {}), self)
        made = {
            variable: ssm.Parameter(
                children.name(variable),
                name=path,
                description=f"Variable {variable} of the app's instances",
                type="SecureString",
                value=pulumi.Output.secret(args["values"][variable]),
                tags=children.tagged(variable),
                opts=children.options(),
            )
            for variable, path in paths.items()
        }
        self.parameter_arns = pulumi.Output.all(**{variable: each.arn for variable, each in made.items()})
        self.register_outputs({"parameter_arns": self.parameter_arns})
