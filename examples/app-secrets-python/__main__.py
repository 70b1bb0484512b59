"""A secret that the app's instances get at their start."""

import pulumi
from teal_components import AppSecrets

environment = f"app-secrets-{pulumi.get_stack()}"
secrets = AppSecrets(
    "secrets",
    {
        "environment": environment,
        "values": {"TOKEN": pulumi.Config().require_secret("token")},
        "tags": {"Environment": pulumi.get_stack()},
    },
)

pulumi.export("parameterArns", secrets.parameter_arns)
