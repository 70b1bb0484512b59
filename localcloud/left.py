"""What a killed cloud left of data volumes: whose they were, and who takes them over."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

ENVIRONMENT_TAG, NAME_TAG, PROJECT_TAG = "Environment", "Name", "Project"
"""Tags by which the owner of a volume is known; without the first two nobody is."""


class Owner(NamedTuple):
    """Whose a volume is: of two volumes with the same owner the later one is meant."""

    account: str
    region: str
    zone: str
    project: str
    environment: str
    name: str
    source: str


class Record(BaseModel):
    """A volume or a snapshot, as the file beside its folder has it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    account: str
    region: str
    zone: str
    size_gib: int
    created: datetime
    tags: Mapping[str, str] = {}
    source: str = ""
    """The volume that a snapshot is of; of a volume the snapshot that it was made from, if any."""
    description: str = ""
    encrypted: bool = False
    key: str = ""
    """ARN of the KMS key; empty for none."""
    type: str = ""
    iops: int | None = None
    throughput: int | None = None

    @property
    def is_volume(self) -> bool:
        """Whether it is a volume; else it is a snapshot."""
        return self.id.startswith("vol-")

    @property
    def owner(self) -> Owner | None:
        """Whose volume it is; None where its tags do not tell, and for a snapshot."""
        environment, name = self.tags.get(ENVIRONMENT_TAG), self.tags.get(NAME_TAG)
        if not (self.is_volume and environment and name):
            return None
        project = self.tags.get(PROJECT_TAG, "")
        return Owner(self.account, self.region, self.zone, project, environment, name, self.source)


@dataclass(frozen=True, slots=True)
class Disk:
    """A volume or snapshot of the home, for people: its tags are empty where no record tells them."""

    id: str
    environment: str = ""
    name: str = ""
    zone: str = ""
    size_gib: int | None = None

    @property
    def is_volume(self) -> bool:
        """Whether it is a volume; else it is a snapshot."""
        return self.id.startswith("vol-")

    @classmethod
    def of(cls, record: Record) -> "Disk":
        """What people want to know of a record."""
        return cls(
            record.id, record.tags.get(ENVIRONMENT_TAG, ""), record.tags.get(NAME_TAG, ""), record.zone, record.size_gib
        )

    def __str__(self) -> str:
        size = "" if self.size_gib is None else f"{self.size_gib} GiB"
        whose = " ".join(filter(None, (self.environment, self.name)))
        return ", ".join(filter(None, (f"{self.id} ({whose or 'of nobody that is known'})", self.zone, size)))


@dataclass
class Left:
    """The volumes that an earlier cloud left. A new one with the same owner takes over the latest of them, once.

    Only the thread that answers the API changes it; any may read.
    """

    _free: dict[str, Record] = field(default_factory=dict)
    _unused: dict[str, Record] = field(default_factory=dict)
    """Taken over, and no server has had them since."""
    _served: set[Owner] = field(default_factory=set)

    def begin(self, records: Iterable[Record]) -> None:
        """These were left."""
        self._free = {record.id: record for record in records if record.is_volume}

    def claim(self, wanted: Record) -> Record | None:
        """What the owner of a new volume takes over instead of it; None for nothing."""
        owner = wanted.owner
        found = [record for record in self._free.values() if record.owner == owner]
        if owner is None or owner in self._served or not found:
            return None
        latest = max(found, key=lambda record: record.created)
        self._served.add(owner)
        self._unused[latest.id] = self._free.pop(latest.id)
        return latest

    def give_back(self, volume_id: str) -> Record | None:
        """Of a volume that was taken over and never used: as it was left, to be claimed again. None for any other.

        Whoever deletes it may be a run that does again what a killed run did, and that knows nothing of its content.
        """
        record = self._unused.pop(volume_id, None)
        if record is not None:
            self._free[volume_id] = record
            if record.owner:
                self._served.discard(record.owner)
        return record

    def used(self, volume_id: str) -> None:
        """A server has had it: from now on it is like any other."""
        self._unused.pop(volume_id, None)

    def forget(self, volume_id: str) -> None:
        """It was deleted."""
        self._free.pop(volume_id, None)

    def change(self, record: Record) -> None:
        """Its tags or its size are others now."""
        if record.id in self._free:
            self._free[record.id] = record

    def records(self) -> tuple[Record, ...]:
        """Those that nobody has taken over."""
        return tuple(self._free.values())
