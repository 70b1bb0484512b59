"""What can go wrong with a release.

ReleaseError
├── LedgerError            the ledger holds, or would hold, what can't be
├── LedgerMissing          the environment has no ledger yet
├── LedgerConflict         somebody else wrote first
├── Refused                a gate is closed; nothing was changed
│   └── ReleaseInFlight    another release is under way
├── LockHeld               somebody else has the environment's lock
├── LockLost               somebody else has taken the lock over
├── IllegalEvent           the phase takes no such event
├── UnsafeWeights          a colour would get requests that it has too few healthy servers for
├── ForeignWeights         the listener's weights are not the ledger's
├── TrafficNotConfirmed    the listener does not have the weights that it was given
├── InfrastructureFailed   the run of the program failed
├── VolumeHeld             the data volume is still somebody's
├── VolumeUnread           EC2 does not tell who has the data volume, or there is none
├── SnapshotFailed         the data volume got no snapshot
├── SnapshotsUnread        EC2 does not tell the snapshots of the data volume
├── SnapshotStays          EC2 does not delete a snapshot
├── ImageNotCopied         an image did not get from one registry to the other
└── MetricsUnread          CloudWatch can't be read
"""


class ReleaseError(Exception):
    """Base of all that a release reports in one line."""


class LedgerError(ReleaseError):
    """The ledger holds, or would hold, a state that can't be; the message names the field, the value and the rule."""


class LedgerMissing(ReleaseError):
    """The environment has no ledger yet: its program has not run to the end."""


class LedgerConflict(ReleaseError):
    """Somebody else wrote the ledger since it was read; nothing was written."""


class Refused(ReleaseError):
    """A gate is closed; nothing was changed."""


class ReleaseInFlight(Refused):
    """A release is under way: nobody else may change the environment until it is over."""


class LockHeld(ReleaseError):
    """Somebody else has the environment's lock; the message says who, since when, for what and until when."""


class LockLost(ReleaseError):
    """The lock is no longer ours: somebody took it over. Whoever hears this must write nothing more."""


class IllegalEvent(ReleaseError):
    """The phase has no row for this event; the release is unchanged."""


class UnsafeWeights(ReleaseError):
    """A colour would get requests with fewer healthy servers than its floor; the message carries the numbers."""


class ForeignWeights(ReleaseError):
    """The listener has weights that no release gave it; the message says which, and what the ledger has."""


class TrafficNotConfirmed(ReleaseError):
    """The listener was given weights, and still shows others."""


class InfrastructureFailed(ReleaseError):
    """The run of the program that was to make the ledger's capacities real has failed."""


class VolumeHeld(ReleaseError):
    """Somebody still has the data volume, so that no colour can get it."""


class VolumeUnread(ReleaseError):
    """EC2 refused, was not to be reached, or does not know the data volume; the message says which."""


class SnapshotFailed(ReleaseError):
    """The data volume got no snapshot; the message says what was in the way."""


class SnapshotsUnread(ReleaseError):
    """EC2 refused, or was not to be reached: nobody knows which snapshots the data volume has."""


class SnapshotStays(ReleaseError):
    """A snapshot was not deleted; the message names it, and what was in the way."""


class ImageNotCopied(ReleaseError):
    """An image did not get from one repository into another; the message says what was in the way."""


class MetricsUnread(ReleaseError):
    """CloudWatch refused, was not to be reached, or answered what can't be read; the message says which."""
