"""What can go wrong with a release.

ReleaseError
├── LedgerError       the ledger holds, or would hold, what can't be
├── LedgerMissing     the environment has no ledger yet
├── LedgerConflict    somebody else wrote first
└── ReleaseInFlight   another release is under way
"""


class ReleaseError(Exception):
    """Base of all that a release reports in one line."""


class LedgerError(ReleaseError):
    """The ledger holds, or would hold, a state that can't be; the message names the field, the value and the rule."""


class LedgerMissing(ReleaseError):
    """The environment has no ledger yet: its program has not run to the end."""


class LedgerConflict(ReleaseError):
    """Somebody else wrote the ledger since it was read; nothing was written."""


class ReleaseInFlight(ReleaseError):
    """A release is under way: nobody else may change the environment until it is over."""
