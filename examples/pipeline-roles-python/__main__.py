"""Three roles that a pipeline at GitHub takes without stored keys."""

import pulumi
from teal_components import PipelineRoles

roles = PipelineRoles("pipeline", {"repository": "stranger/shop", "environments": ["dev"], "project": "shop"})

pulumi.export("roleArns", roles.role_arns)
