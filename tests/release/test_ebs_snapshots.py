"""Snapshots of a data volume by EC2, as moto has it: which are releases' own, and out with one."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from localcloud.api.server import ApiServer
from release.adapters.ebs import EbsVolume
from release.adapters.ebs_snapshots import EbsSnapshots
from release.errors import SnapshotStays, SnapshotsUnread
from release.snapshots import Progress

ZONE = "eu-west-1b"
TAGS = [{"Key": "Project", "Value": "teal"}, {"Key": "Environment", "Value": "dev"}]
WROTE = "sha256:" + "a" * 64
GONE = "snap-0123456789abcdef0"


@pytest.fixture(scope="module")
def ec2() -> Iterator[Any]:
    with ApiServer() as server:
        client = boto3.client(
            "ec2", region_name="eu-west-1", endpoint_url=server.url, aws_access_key_id="x", aws_secret_access_key="x"
        )
        yield client
        client.close()


@pytest.fixture
def volume_id(ec2: Any) -> str:
    return new_volume(ec2)


def new_volume(ec2: Any, *tags: dict[str, str]) -> str:
    specifications = [{"ResourceType": "volume", "Tags": [*TAGS, *tags]}]
    return str(ec2.create_volume(AvailabilityZone=ZONE, Size=1, TagSpecifications=specifications)["VolumeId"])


def of(ec2: Any, volume_id: str) -> EbsSnapshots:
    return EbsSnapshots(lambda: ec2, volume_id)


def by_hand(ec2: Any, volume_id: str, description: str, **tags: str) -> str:
    marks = [{"Key": key, "Value": value} for key, value in tags.items()]
    made = ec2.create_snapshot(
        VolumeId=volume_id,
        Description=description,
        TagSpecifications=[{"ResourceType": "snapshot", "Tags": [*TAGS, *marks]}],
    )
    return str(made["SnapshotId"])


def test_a_releases_snapshot_is_told_with_all_that_is_decided_by(ec2: Any, volume_id: str) -> None:
    made = EbsVolume(ec2, volume_id).snapshot("r-1", WROTE)
    [found] = of(ec2, volume_id).of_releases()
    assert (found.snapshot_id, found.release_id, found.written_by) == (made, "r-1", WROTE)
    assert found.progress is Progress.COMPLETE
    assert abs((datetime.now(UTC) - found.started_at).total_seconds()) < 60


def test_a_persons_snapshot_and_another_volumes_are_none(ec2: Any, volume_id: str) -> None:
    own = EbsVolume(ec2, volume_id).snapshot("r-1", WROTE)
    EbsVolume(ec2, new_volume(ec2)).snapshot("r-1", WROTE)
    by_hand(ec2, volume_id, "before the big clean-up")
    by_hand(ec2, volume_id, "", Release="r-1", WrittenBy=WROTE)
    by_hand(ec2, volume_id, "before release 2.4", Release="r-1")
    by_hand(ec2, volume_id, "before release r-1")
    assert [each.snapshot_id for each in of(ec2, volume_id).of_releases()] == [own]


def test_who_takes_the_tag_off_has_a_snapshot_of_his_own(ec2: Any, volume_id: str) -> None:
    made = EbsVolume(ec2, volume_id).snapshot("r-1", WROTE)
    ec2.delete_tags(Resources=[made], Tags=[{"Key": "Release"}])
    assert of(ec2, volume_id).of_releases() == ()


def test_a_volume_of_a_snapshot_that_bears_its_tags_gives_its_own_snapshots_new_ones(ec2: Any) -> None:
    restored = new_volume(ec2, {"Key": "Release", "Value": "r-1"}, {"Key": "WrittenBy", "Value": "sha256:0"})
    EbsVolume(ec2, restored).snapshot("r-2", WROTE)
    [found] = of(ec2, restored).of_releases()
    assert (found.release_id, found.written_by) == ("r-2", WROTE)


def test_a_snapshot_that_no_version_wrote_before_says_so(ec2: Any, volume_id: str) -> None:
    EbsVolume(ec2, volume_id).snapshot("r-1", "")
    [found] = of(ec2, volume_id).of_releases()
    assert found.written_by == ""


def test_one_that_is_deleted_is_gone_and_once_more_is_no_harm(ec2: Any, volume_id: str) -> None:
    made = [EbsVolume(ec2, volume_id).snapshot(f"r-{number}", WROTE) for number in (1, 2)]
    for _ in range(2):
        of(ec2, volume_id).delete(made[0])
    assert [each.snapshot_id for each in of(ec2, volume_id).of_releases()] == made[1:]
    of(ec2, volume_id).delete(GONE)


class Refusing:
    """EC2 that answers pages of snapshots, or an error."""

    def __init__(self, *pages: Any) -> None:
        self.pages, self.asked = list(pages), list[dict[str, Any]]()

    def describe_snapshots(self, **arguments: Any) -> Any:
        self.asked.append(arguments)
        page = self.pages.pop(0)
        if isinstance(page, Exception):
            raise page
        return page

    def delete_snapshot(self, **arguments: Any) -> Any:
        raise self.pages.pop(0)


def described(number: int, state: str = "completed") -> dict[str, Any]:
    return {
        "SnapshotId": f"snap-{number}",
        "Description": f"before release r-{number}",
        "State": state,
        "StartTime": datetime.now(UTC),
        "Tags": [{"Key": "Release", "Value": f"r-{number}"}],
    }


@pytest.mark.parametrize(
    ("state", "progress"),
    [
        ("completed", Progress.COMPLETE),
        ("error", Progress.BROKEN),
        ("pending", Progress.PENDING),
        ("recovering", Progress.PENDING),
    ],
)
def test_a_state_that_is_neither_good_nor_bad_is_waited_for(state: str, progress: Progress) -> None:
    [found] = of(Refusing({"Snapshots": [described(1, state)]}), "vol-1").of_releases()
    assert found.progress is progress


def test_every_page_is_read_and_of_our_own_account_alone() -> None:
    ec2 = Refusing({"Snapshots": [described(1)], "NextToken": "more"}, {"Snapshots": [described(2)], "NextToken": ""})
    assert [each.snapshot_id for each in of(ec2, "vol-1").of_releases()] == ["snap-1", "snap-2"]
    about = {"OwnerIds": ["self"], "Filters": [{"Name": "volume-id", "Values": ["vol-1"]}]}
    assert ec2.asked == [about, {**about, "NextToken": "more"}]


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no\n  way"}}, "DeleteSnapshot")


@pytest.mark.parametrize(
    "error", [refusal("InvalidSnapshot.InUse"), refusal("UnauthorizedOperation"), ConnectionError("away")]
)
def test_what_is_refused_is_one_line(error: Exception) -> None:
    with pytest.raises(SnapshotStays, match=r"^snap-1 was not deleted: ") as stays:
        of(Refusing(error), "vol-1").delete("snap-1")
    with pytest.raises(SnapshotsUnread, match=r"^snapshots of vol-1 can't be read: ") as unread:
        of(Refusing(error), "vol-1").of_releases()
    assert "\n" not in f"{stays.value}{unread.value}"
