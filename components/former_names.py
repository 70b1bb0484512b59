"""What components and their children were called in earlier versions, so that an upgrade replaces nothing.

A stack's state names a resource by type and name. Who renames one puts the former word here, and the engine takes what
the stack has for what the program now calls otherwise. A word may go when the major version does.
"""

from collections.abc import Mapping, Sequence

import pulumi

TYPES: Mapping[str, Sequence[str]] = {}
"""By a component's type, the types that it had: {"teal:index:Network": ["teal:index:Vpc"]}."""
ROLES: Mapping[str, Mapping[str, Sequence[str]]] = {}
"""By a component's type and a child's role, the roles that it had: {"teal:index:Network": {"vpc": ["net"]}}."""


def remembering(token: str, name: str, opts: pulumi.ResourceOptions | None) -> pulumi.ResourceOptions | None:
    """The caller's options, with the former names of the component of this type and name, and of its children."""
    types, roles = TYPES.get(token, ()), ROLES.get(token, {})
    if not types and not roles:
        return opts
    former = {f"{name}-{role}": [f"{name}-{each}" for each in earlier] for role, earlier in roles.items()}

    def recall(child: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        aliases: list[pulumi.Input[str | pulumi.Alias]] = [
            pulumi.Alias(name=each) for each in former.get(child.name, ())
        ]
        if not aliases:
            return None
        known = pulumi.ResourceOptions.merge(child.opts, pulumi.ResourceOptions(aliases=aliases))
        return pulumi.ResourceTransformationResult(child.props, known)

    aliases: list[pulumi.Input[str | pulumi.Alias]] = [pulumi.Alias(type_=each) for each in types]
    return pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(aliases=aliases, transformations=[recall]))
