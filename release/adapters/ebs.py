"""The data volume by EC2: who has it, and its snapshots."""

from collections.abc import Collection
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from release.errors import SnapshotFailed, VolumeUnread

RELEASE_TAG = "Release"
"""Tag of a snapshot whose value is the id of the release that it was made for."""
WRITTEN_BY_TAG = "WrittenBy"
"""Tag of such a snapshot whose value is the digest of the version that had the volume until then."""
SENDING = "before-send.ec2.CreateSnapshot"
"""botocore's event right before each attempt of the call, retries too."""
FREE, HELD, BROKEN = "available", "in-use", "error"
ALLOWED = "DryRunOperation"
"""How EC2 says no to a call that was only tried, and would have been done."""
AWS_OWN = "aws:"
"""Such tags nobody else may set."""
API_SAYS_NO = (BotoCoreError, ClientError, ResponseParserError, OSError)


class Ec2(Protocol):
    """What is used of boto3's EC2 client."""

    @property
    def meta(self) -> Any:
        """Its `events` take and give back handlers."""

    def describe_volumes(self, **arguments: Any) -> Any:
        """Reads volumes."""

    def describe_snapshots(self, **arguments: Any) -> Any:
        """Reads snapshots."""

    def create_snapshot(self, **arguments: Any) -> Any:
        """Makes a snapshot."""


class EbsVolume:
    """One volume. EC2 attaches it to one server at a time, so who has it is the truth about who may write."""

    def __init__(self, client: Ec2, volume_id: str) -> None:
        self._client, self._volume_id = client, volume_id

    def is_free(self) -> bool:
        """Whether no server has it, or is about to. Raises VolumeUnread."""
        found = self._described()
        return found["State"] == FREE and not found.get("Attachments")

    def trouble(self, servers: Collection[str]) -> str | None:
        """Why it can't be moved between these servers; None where it can."""
        try:
            found = self._described()
        except VolumeUnread as error:
            return str(error)
        strangers = sorted({each["InstanceId"] for each in found.get("Attachments", [])} - set(servers))
        if strangers:
            return f"{self._volume_id} is held by {', '.join(strangers)}, no server of ours"
        return None if found["State"] in (FREE, HELD) else f"{self._volume_id} is in state {found['State']}"

    def snapshot(self, release_id: str, written_by: str) -> str:
        """Makes the release's snapshot of it, unless there is one; its id. Raises SnapshotFailed.

        `written_by` goes with it, a digest, or nothing where no version had the volume before.

        CreateSnapshot knows no token that would make a second call harmless, so right before each attempt it is looked
        whether there is one: a crash before, or an attempt whose answer got lost, may have made it.
        """
        try:
            return self._made(release_id, written_by)
        except API_SAYS_NO as error:
            raise SnapshotFailed(f"no snapshot of data volume {self._volume_id}: {one_line(error)}") from error
        except VolumeUnread as error:
            raise SnapshotFailed(f"no snapshot: {error}") from error

    def check_snapshot(self, release_id: str) -> None:
        """Raises SnapshotFailed where EC2 would not let us make the release's snapshot; makes none."""
        try:
            self._client.create_snapshot(DryRun=True, **self._wanted(release_id, ""))
        except ClientError as error:
            if error.response["Error"]["Code"] != ALLOWED:
                raise SnapshotFailed(f"no snapshot of {self._volume_id} can be made: {one_line(error)}") from error

    def _made(self, release_id: str, written_by: str) -> str:
        events = self._client.meta.events

        def look_first(**_: Any) -> None:
            if found := self._found(release_id):
                raise _MadeBefore(found)

        events.register_first(SENDING, look_first)
        try:
            return str(self._client.create_snapshot(**self._wanted(release_id, written_by))["SnapshotId"])
        except _MadeBefore as made:
            return made.snapshot_id
        finally:
            events.unregister(SENDING, look_first)

    def _found(self, release_id: str) -> str | None:
        """Its first good snapshot for the release; None where there is none."""
        filters = [
            {"Name": "volume-id", "Values": [self._volume_id]},
            {"Name": f"tag:{RELEASE_TAG}", "Values": [release_id]},
        ]
        found = self._client.describe_snapshots(OwnerIds=["self"], Filters=filters)["Snapshots"]
        good = sorted((each["StartTime"], each["SnapshotId"]) for each in found if each["State"] != BROKEN)
        return str(good[0][1]) if good else None

    def _wanted(self, release_id: str, written_by: str) -> dict[str, Any]:
        """The call's arguments: the volume's own tags go on, so that whose it is can be told of a snapshot, too."""
        of_volume = {tag["Key"]: tag["Value"] for tag in self._described().get("Tags", [])}
        tags = {key: value for key, value in of_volume.items() if not key.startswith(AWS_OWN)}
        tags |= {RELEASE_TAG: release_id, WRITTEN_BY_TAG: written_by}
        return {
            "VolumeId": self._volume_id,
            "Description": description(release_id),
            "TagSpecifications": [{"ResourceType": "snapshot", "Tags": [_tag(*each) for each in tags.items()]}],
        }

    def _described(self) -> dict[str, Any]:
        try:
            [found] = self._client.describe_volumes(VolumeIds=[self._volume_id])["Volumes"]
        except API_SAYS_NO as error:
            raise VolumeUnread(f"data volume {self._volume_id} can't be read: {one_line(error)}") from error
        described: dict[str, Any] = found
        return described


def _tag(key: str, value: str) -> dict[str, str]:
    return {"Key": key, "Value": value}


class _MadeBefore(Exception):
    """There is a snapshot for the release already."""

    def __init__(self, snapshot_id: str) -> None:
        super().__init__(snapshot_id)
        self.snapshot_id = snapshot_id


def description(release_id: str) -> str:
    """What a release's snapshot is described as."""
    return f"before release {release_id}"


def one_line(error: Exception) -> str:
    """An error of the API's without its line breaks."""
    return " ".join(str(error).split())
