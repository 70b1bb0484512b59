"""The data volume by EC2, as moto has it."""

from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from localcloud.api.server import ApiServer, WsgiApp
from release.adapters.ebs import EbsVolume
from release.errors import SnapshotFailed, VolumeUnread

ZONE = "eu-west-1a"
WROTE = "sha256:" + "a" * 64
TAGS = [{"Key": "Project", "Value": "teal"}, {"Key": "Environment", "Value": "dev"}]


class Fault:
    """What happens to attempts of CreateSnapshot."""

    attempts = 0
    refused = 0
    """How many attempts are answered with an error, and come to nothing."""
    lost = 0
    """How many are done, and answered with an error even so."""

    def around(self, api: WsgiApp) -> WsgiApp:
        def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            environ["wsgi.input"] = BytesIO(body)
            if b"Action=CreateSnapshot" not in body or b"DryRun=true" in body:
                return api(environ, start_response)
            self.attempts += 1
            if self.refused:
                self.refused -= 1
            elif self.lost:
                self.lost -= 1
                b"".join(api(environ, lambda *_: lambda _: None))
            else:
                return api(environ, start_response)
            start_response("503 Service Unavailable", [("Content-Type", "text/xml"), ("Content-Length", "0")])
            return [b""]

        return application


@pytest.fixture(scope="module")
def faulty() -> Iterator[tuple[Any, Fault]]:
    fault = Fault()
    with ApiServer(around=[fault.around]) as server:
        client = boto3.client(
            "ec2", region_name="eu-west-1", endpoint_url=server.url, aws_access_key_id="x", aws_secret_access_key="x"
        )
        yield client, fault
        client.close()


@pytest.fixture
def ec2(faulty: tuple[Any, Fault]) -> Any:
    return faulty[0]


@pytest.fixture
def fault(faulty: tuple[Any, Fault]) -> Fault:
    faulty[1].attempts = faulty[1].refused = faulty[1].lost = 0
    return faulty[1]


@pytest.fixture
def volume_id(ec2: Any) -> str:
    made = ec2.create_volume(
        AvailabilityZone=ZONE, Size=1, TagSpecifications=[{"ResourceType": "volume", "Tags": TAGS}]
    )
    return str(made["VolumeId"])


@pytest.fixture
def volume(ec2: Any, volume_id: str) -> EbsVolume:
    return EbsVolume(ec2, volume_id)


def snapshots(ec2: Any, volume_id: str) -> list[dict[str, Any]]:
    found = ec2.describe_snapshots(Filters=[{"Name": "volume-id", "Values": [volume_id]}])["Snapshots"]
    return list(found)


def test_a_volume_is_free_until_a_server_has_it(ec2: Any, volume: EbsVolume, volume_id: str) -> None:
    assert volume.is_free()
    placed = {"AvailabilityZone": ZONE}
    made = ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1, Placement=placed)
    server = made["Instances"][0]["InstanceId"]
    ec2.attach_volume(VolumeId=volume_id, InstanceId=server, Device="/dev/sdf")
    assert not volume.is_free()
    ec2.detach_volume(VolumeId=volume_id, InstanceId=server)
    assert volume.is_free()


@pytest.mark.parametrize("state", ["creating", "in-use", "deleting", "error"])
def test_a_volume_in_any_other_state_is_not_free(state: str) -> None:
    class Ec2(Refusing):
        def describe_volumes(self, **arguments: Any) -> Any:
            return {"Volumes": [{"State": state, "Attachments": []}]}

    assert not EbsVolume(Ec2(), "vol-1").is_free()


def test_a_volume_that_is_being_detached_is_not_free() -> None:
    class Ec2(Refusing):
        def describe_volumes(self, **arguments: Any) -> Any:
            return {"Volumes": [{"State": "available", "Attachments": [{"State": "detaching"}]}]}

    assert not EbsVolume(Ec2(), "vol-1").is_free()


def test_a_volume_that_a_stranger_has_or_that_is_broken_can_not_be_moved() -> None:
    class Ec2(Refusing):
        def __init__(self, state: str, *servers: str) -> None:
            super().__init__()
            self.found = {"State": state, "Attachments": [{"InstanceId": server} for server in servers]}

        def describe_volumes(self, **arguments: Any) -> Any:
            return {"Volumes": [self.found]}

    assert EbsVolume(Ec2("available"), "vol-1").trouble(["i-1"]) is None
    assert EbsVolume(Ec2("in-use", "i-1"), "vol-1").trouble(["i-1", "i-2"]) is None
    assert EbsVolume(Ec2("in-use", "i-9"), "vol-1").trouble(["i-1"]) == "vol-1 is held by i-9, no server of ours"
    assert EbsVolume(Ec2("error"), "vol-1").trouble([]) == "vol-1 is in state error"


def test_a_release_has_one_snapshot_however_often_it_is_asked_for(ec2: Any, volume: EbsVolume, volume_id: str) -> None:
    first = volume.snapshot("r-1", WROTE)
    assert volume.snapshot("r-1", WROTE) == first
    assert volume.snapshot("r-2", WROTE) != first
    assert len(snapshots(ec2, volume_id)) == 2


def test_another_volumes_snapshot_of_the_same_release_is_not_taken_for_ours(ec2: Any, volume: EbsVolume) -> None:
    other = ec2.create_volume(AvailabilityZone=ZONE, Size=1)["VolumeId"]
    assert EbsVolume(ec2, other).snapshot("r-1", WROTE) != volume.snapshot("r-1", WROTE)


def test_a_snapshot_says_whose_it_is_and_why_it_was_made(ec2: Any, volume: EbsVolume, volume_id: str) -> None:
    volume.snapshot("r-1", WROTE)
    [made] = snapshots(ec2, volume_id)
    assert made["Description"] == "before release r-1"
    told = {tag["Key"]: tag["Value"] for tag in made["Tags"]}
    assert told == {"Project": "teal", "Environment": "dev", "Release": "r-1", "WrittenBy": WROTE}


def test_a_snapshot_that_went_wrong_is_none(ec2: Any, volume_id: str) -> None:
    class Ec2(Refusing):
        meta = ec2.meta

        def create_snapshot(self, **arguments: Any) -> Any:
            return ec2.create_snapshot(**arguments)

        def describe_snapshots(self, **arguments: Any) -> Any:
            good, bad = ({"State": state, "SnapshotId": f"snap-{state}"} for state in ("pending", "error"))
            return {"Snapshots": [{**bad, "StartTime": 1}, {**good, "StartTime": 2}]}

    assert EbsVolume(Ec2(), volume_id).snapshot("r-1", WROTE) == "snap-pending"


def test_a_snapshot_whose_answer_was_lost_is_not_made_again(
    ec2: Any, volume: EbsVolume, volume_id: str, fault: Fault
) -> None:
    """botocore tries again by itself, and is stopped right before."""
    fault.lost = 2
    made = volume.snapshot("r-1", WROTE)
    assert [each["SnapshotId"] for each in snapshots(ec2, volume_id)] == [made]
    assert fault.attempts == 1


def test_an_attempt_that_came_to_nothing_is_made_again(
    ec2: Any, volume: EbsVolume, volume_id: str, fault: Fault
) -> None:
    fault.refused = 2
    made = volume.snapshot("r-1", WROTE)
    assert [each["SnapshotId"] for each in snapshots(ec2, volume_id)] == [made]
    assert fault.attempts == 3


def test_what_ec2_will_not_have_is_known_before(ec2: Any, volume: EbsVolume, volume_id: str) -> None:
    volume.check_snapshot("r-1")
    assert snapshots(ec2, volume_id) == []


class Refusing:
    """EC2 for somebody who may read volumes, and nothing else; throttled, denied or gone."""

    meta = SimpleNamespace(events=SimpleNamespace(register_first=lambda *_: None, unregister=lambda *_: None))

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error or refusal("UnauthorizedOperation")

    def describe_volumes(self, **arguments: Any) -> Any:
        return {"Volumes": [{"State": "available", "Attachments": []}]}

    def describe_snapshots(self, **arguments: Any) -> Any:
        return {"Snapshots": []}

    def create_snapshot(self, **arguments: Any) -> Any:
        raise self.error


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no\n  way"}}, "CreateSnapshot")


@pytest.mark.parametrize(
    "error", [refusal("UnauthorizedOperation"), refusal("RequestLimitExceeded"), ConnectionError("away")]
)
def test_a_snapshot_that_is_refused_is_one_line(error: Exception) -> None:
    with pytest.raises(SnapshotFailed, match=r"^no snapshot of data volume vol-1: ") as failed:
        EbsVolume(Refusing(error), "vol-1").snapshot("r-1", WROTE)
    assert "\n" not in str(failed.value)


def test_who_may_make_no_snapshot_is_told_before() -> None:
    with pytest.raises(SnapshotFailed, match=r"no snapshot of vol-1 can be made: .*UnauthorizedOperation"):
        EbsVolume(Refusing(), "vol-1").check_snapshot("r-1")


def test_a_volume_that_is_gone_is_named(ec2: Any) -> None:
    gone = EbsVolume(ec2, "vol-0123456789abcdef0")
    with pytest.raises(
        VolumeUnread, match=r"data volume vol-0123456789abcdef0 can't be read: .*InvalidVolume.NotFound"
    ):
        gone.is_free()
    with pytest.raises(SnapshotFailed, match="no snapshot: data volume vol-0123456789abcdef0 can't be read"):
        gone.snapshot("r-1", WROTE)
