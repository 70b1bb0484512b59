"""Resources whose making the engine may never have heard of, since it was killed meanwhile.

The engine writes a resource into its state once it has got the answer to Create. Killed before that, it asks for it
again. AWS would then have it twice, or refuse the second for its fixed name or its addresses. Here the first goes
before the second is made: so a killed run, done again, converges.
"""

import threading
from dataclasses import dataclass, field

import structlog

from localcloud.provider.api import Api
from localcloud.provider.errors import ProviderError
from localcloud.provider.package import ResourceType
from localcloud.provider.values import Properties

LOG = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Made:
    """A resource as Create answered it."""

    kind: ResourceType
    resource_id: str
    inputs: Properties
    outputs: Properties


@dataclass
class Unheard:
    """What was made, by URN, until the engine shows that it knows."""

    _made: dict[str, Made] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def remember(self, urn: str, made: Made) -> None:
        """Keeps what has just been made."""
        with self._lock:
            self._made[urn] = made

    def heard_of(self, urn: str, *, resource_id: str | None = None, inputs: Properties | None = None) -> None:
        """The engine told, as its state, an id or inputs: of this resource, or of one that it is to replace."""
        with self._lock:
            made = self._made.get(urn)
            if made and (made.resource_id == resource_id or made.inputs == inputs):
                del self._made[urn]

    def take_back(self, api: Api, urn: str) -> None:
        """Removes what an earlier Create of the same URN made and nobody heard of; what can't be removed stays."""
        with self._lock:
            made = self._made.pop(urn, None)
        if made is None:
            return
        try:
            made.kind.delete(api, made.resource_id, made.inputs, made.outputs)
        except ProviderError as problem:
            LOG.warning("a resource of a killed run stays", urn=urn, id=made.resource_id, problem=str(problem))
