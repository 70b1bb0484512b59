"""An image repository with immutable tags."""

import pulumi
from teal_components import Registry

registry = Registry("images", {"keep_builds": 7, "force_delete": True, "tags": {"Environment": pulumi.get_stack()}})

pulumi.export("repositoryUrl", registry.repository_url)
