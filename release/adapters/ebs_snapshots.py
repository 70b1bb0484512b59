"""Snapshots that releases have made of a data volume, by EC2: which there are, and out with one."""

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from botocore.exceptions import ClientError

from release.adapters.ebs import API_SAYS_NO, RELEASE_TAG, WRITTEN_BY_TAG, description, one_line
from release.errors import SnapshotStays, SnapshotsUnread
from release.snapshots import Progress, Snapshot

GONE = "InvalidSnapshot.NotFound"
PROGRESS = {"completed": Progress.COMPLETE, "error": Progress.BROKEN}
"""By EC2's word. In any other state EC2 is still at it, or somebody is: one that is being restored, say."""


class Ec2(Protocol):
    """What is used of boto3's EC2 client."""

    def describe_snapshots(self, **arguments: Any) -> Any:
        """Reads snapshots, a page at a time."""

    def delete_snapshot(self, **arguments: Any) -> Any:
        """Deletes a snapshot."""


class EbsSnapshots:
    """Those of one volume. `client` is asked for EC2's client once it is needed."""

    def __init__(self, client: Callable[[], Ec2], volume_id: str) -> None:
        self._client, self._volume_id = client, volume_id

    def of_releases(self) -> tuple[Snapshot, ...]:
        """All that releases have made of it. Raises SnapshotsUnread.

        A release's own is told by its tag together with its description, which nobody can change afterwards. So a
        person's snapshot is none, whatever its tags say; and who takes the tag off has made one his own.
        """
        try:
            return tuple(_read(each) for each in self._described() if _is_of_a_release(each))
        except API_SAYS_NO as error:
            raise SnapshotsUnread(f"snapshots of {self._volume_id} can't be read: {one_line(error)}") from error

    def delete(self, snapshot_id: str) -> None:
        """Deletes one; harmless where it is gone. Raises SnapshotStays."""
        try:
            self._client().delete_snapshot(SnapshotId=snapshot_id)
        except ClientError as error:
            if error.response["Error"]["Code"] != GONE:
                raise _stays(snapshot_id, error) from error
        except API_SAYS_NO as error:
            raise _stays(snapshot_id, error) from error

    def _described(self) -> Iterator[dict[str, Any]]:
        filters = [{"Name": "volume-id", "Values": [self._volume_id]}]
        start: dict[str, str] = {}
        while True:
            page = self._client().describe_snapshots(OwnerIds=["self"], Filters=filters, **start)
            yield from page["Snapshots"]
            if not page.get("NextToken"):
                return
            start = {"NextToken": page["NextToken"]}


def _is_of_a_release(found: dict[str, Any]) -> bool:
    release_id = _tags(found).get(RELEASE_TAG)
    return bool(release_id) and found.get("Description") == description(str(release_id))


def _read(found: dict[str, Any]) -> Snapshot:
    tags = _tags(found)
    return Snapshot(
        snapshot_id=found["SnapshotId"],
        release_id=tags[RELEASE_TAG],
        started_at=found["StartTime"],
        progress=PROGRESS.get(found["State"], Progress.PENDING),
        written_by=tags.get(WRITTEN_BY_TAG, ""),
    )


def _tags(found: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in found.get("Tags", [])}


def _stays(snapshot_id: str, error: Exception) -> SnapshotStays:
    return SnapshotStays(f"{snapshot_id} was not deleted: {one_line(error)}")
