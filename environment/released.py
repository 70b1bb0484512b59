"""What the ledger has each colour run, in the form in which the program declares it."""

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pulumi

from components.ledger_lookup import ledger_item
from components.registry import Registry
from release import ledger, ledger_text
from release.ledger import Colour, State

if TYPE_CHECKING:
    from components.app_image import AppImage


@dataclass(frozen=True)
class Released:
    """The ledger's state; before the first run of an environment that builds images, its candidate as the first one."""

    state: State
    candidate: "AppImage | None"
    registry: Registry
    instances: int
    """Size of the live colour, for the first image alone: afterwards the ledger has it."""
    is_first_run: bool

    @property
    def is_released(self) -> bool:
        """Whether there is anything to serve."""
        return self.state.is_released or self._starts_with_candidate

    @property
    def weights(self) -> dict[str, int]:
        """Share of requests by colour, in percent."""
        return {colour.value: self.state.side(colour).weight for colour in Colour}

    def image(self, colour: Colour) -> pulumi.Input[str]:
        """The image that a colour runs, by digest; empty for none."""
        if self._starts_with_candidate and colour is self.state.live and self.candidate:
            return self.candidate.image
        digest = self.state.side(colour).digest
        return pulumi.Output.concat(self.registry.repository_url, "@", digest) if digest else ""

    def capacity(self, colour: Colour) -> int:
        """How many servers a colour has."""
        if self._starts_with_candidate and colour is self.state.live:
            return self.instances
        return self.state.side(colour).capacity

    @property
    def asset_colours(self) -> dict[str, str]:
        """Colour that answers for each colour's own files: itself while it has servers, else the other one."""
        return {each.value: (each if self.capacity(each) else each.other).value for each in Colour}

    @property
    def seed(self) -> pulumi.Input[str]:
        """The ledger's first item; written once."""
        if self.candidate is None:
            return ledger_text.item(State.initial())
        return self.candidate.digest.apply(lambda digest: ledger_text.item(State.first(digest, self.instances)))

    @property
    def _starts_with_candidate(self) -> bool:
        return self.is_first_run and self.candidate is not None


def read_ledger(environment: str) -> State | None:
    """The environment's state; None before its first run.

    Raises LedgerError for a state that cannot be, and ReleaseInFlight unless the release under way is the one that
    runs this program: two hands on the weights would undo each other.
    """
    found = ledger_item(environment, ledger_text.KEY)
    if found is None:
        return None
    state = ledger_text.state_of_item(found)
    ledger.admit(state, os.environ.get(ledger.RELEASE_VARIABLE))
    return state
