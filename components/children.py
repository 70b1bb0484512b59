"""What the children of one component share: the start of their names, their tags and their options."""

from dataclasses import dataclass, replace

import pulumi

from .tagging import Tags, named


@dataclass(frozen=True, slots=True)
class Children:
    """Hands out names, tags and options to the children of one component."""

    component_name: str
    tags: Tags
    parent: pulumi.Resource
    after: tuple[pulumi.Resource, ...] = ()
    """Resources that must exist before the children are made, and go after them."""

    def name(self, role: str) -> str:
        """The child's logical name."""
        return f"{self.component_name}-{role}"

    def tagged(self, role: str) -> dict[str, pulumi.Input[str]]:
        """The child's tags: the component's and its own Name."""
        return named(self.tags, self.name(role))

    def options(self, *, ignoring: tuple[str, ...] = ()) -> pulumi.ResourceOptions:
        """The child's options; a change of the ignored properties is left for a replacement to pick up."""
        return pulumi.ResourceOptions(parent=self.parent, depends_on=[*self.after], ignore_changes=[*ignoring])

    def invoke_options(self) -> pulumi.InvokeOutputOptions:
        """Options for a lookup with the component's own provider."""
        return pulumi.InvokeOutputOptions(parent=self.parent)

    def following(self, *resources: pulumi.Resource) -> "Children":
        """The same, for children that need these resources as well to exist first."""
        return replace(self, after=(*self.after, *resources))
