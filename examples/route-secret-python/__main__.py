"""The secret that opens a test route."""

import pulumi
from teal_components import RouteSecret

secret = RouteSecret(
    "route",
    {"environment": f"route-secret-{pulumi.get_stack()}", "tags": {"Environment": pulumi.get_stack()}},
)

pulumi.export("parameterName", secret.parameter_name)
