"""What the provider says when it cannot do as told.

ProviderError
├── UnknownType         a resource type or lookup that its table lacks
├── UnknownProperty     a property that it would have to ignore
├── NotLoopback         an endpoint that is not on this machine
├── ApiRefused          the API answered with an error
└── PartlyMade          a resource exists, but not all of it could be applied
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # whoever catches these need not load the provider's protocol
    from localcloud.provider.values import Properties


class ProviderError(Exception):
    """One line for the user."""


class UnknownType(ProviderError):
    """The table has no row for this token."""

    def __init__(self, token: str) -> None:
        super().__init__(f"the embedded cloud does not know {token}: add it to localcloud/provider/kinds")


class UnknownProperty(ProviderError):
    """The table's row does not apply this property."""

    def __init__(self, token: str, name: str) -> None:
        super().__init__(f"the embedded cloud does not apply property {name} of {token}")


class NotLoopback(ProviderError):
    """The provider talks to this machine only, so that a mistake never reaches a real account."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(f"the embedded provider refuses endpoint {endpoint}: it is not on the loopback interface")


class ApiRefused(ProviderError):
    """The API's own error, with the operation and the code that it gave."""

    def __init__(self, operation: str, code: str, message: str) -> None:
        super().__init__(f"{operation}: {code}: {message}")
        self.operation, self.code, self.message = operation, code, message

    def without(self, secrets: Iterable[str]) -> "ApiRefused":
        """The same error, with any of the secrets in its message covered."""
        message = self.message
        for secret in secrets:
            message = message.replace(secret, "[secret]")
        return ApiRefused(self.operation, self.code, message)


class PartlyMade(ProviderError):
    """A resource was made, and what failed came after: it is kept in the state with what is known of it."""

    def __init__(self, reason: str, resource_id: str, inputs: "Properties", outputs: "Properties") -> None:
        super().__init__(reason)
        self.resource_id, self.inputs, self.outputs = resource_id, inputs, outputs
