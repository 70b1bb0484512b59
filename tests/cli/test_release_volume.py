"""What the release commands say where there is a data volume, on a real API; the program is a stand-in."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.release import place_base
from cli.release.company import Company
from cli.release.place_embedded import EmbeddedPlace
from cli_world import REGION, FakeCloud, Teal
from release.adapters.ebs import EbsVolume
from release.adapters.ebs_snapshots import EbsSnapshots
from release.errors import SnapshotFailed, SnapshotStays, SnapshotsUnread
from release.ledger import RELEASE_VARIABLE, Colour, InFlight, State
from release.ledger_text import KEY, item, state_of_item
from release.verdict import GOOD, Verdict
from release_world import LIVE, NEXT, bad

TABLE, POINTER = "volume-ledger", "/teal/dev/ledger"
KEYS = {"pk": "HASH", "sk": "RANGE"}
QUICK = ("--image", NEXT, "--bake", "0s")


class Stand:
    """An environment with a data volume as its program makes it, and that program's runs."""

    def __init__(self, cloud: FakeCloud) -> None:
        self.api, self.cloud = cloud.api, cloud
        cloud.add_stack("dev")
        [balancer] = self.call("elbv2", "describe_load_balancers", Names=["dev-web"])["LoadBalancers"]
        self.servers = {colour: self._server() for colour in Colour}
        self.groups = {}
        for colour in Colour:
            made = self.call(
                "elbv2", "create_target_group", Name=colour, Protocol="HTTP", Port=80, VpcId=balancer["VpcId"]
            )
            self.groups[colour] = made["TargetGroups"][0]["TargetGroupArn"]
        weighted = [{"TargetGroupArn": arn, "Weight": 100 * (colour == "blue")} for colour, arn in self.groups.items()]
        self.listener = self.call(
            "elbv2", "create_listener", LoadBalancerArn=balancer["LoadBalancerArn"], Protocol="HTTP", Port=80,
            DefaultActions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": weighted}}],
        )["Listeners"][0]["ListenerArn"]  # fmt: skip
        self.volume = self.call("ec2", "create_volume", AvailabilityZone=f"{REGION}a", Size=1)["VolumeId"]
        self.call(
            "dynamodb", "create_table", TableName=TABLE, BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in KEYS.items()],
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in KEYS],
        )  # fmt: skip
        self.call("ssm", "put_parameter", Name=POINTER, Type="String", Value=TABLE)
        self.holder: Colour | None = None
        self.runs = list[str]()
        self.put(State.first(LIVE, 1))
        self.stand(self.state)

    def call(self, service: str, operation: str, **arguments: Any) -> Any:
        return self.api.call(service, operation, **arguments)

    def put(self, state: State) -> None:
        self.call("dynamodb", "put_item", TableName=TABLE, Item=json.loads(item(state)))

    @property
    def state(self) -> State:
        found = self.call("dynamodb", "get_item", TableName=TABLE, Key=json.loads(KEY))
        return state_of_item(json.dumps(found["Item"]))

    def exports(self) -> dict[str, Any]:
        return {
            "listenerArn": self.listener,
            "targetGroupArns": dict(self.groups),
            "repositoryUrl": "registry/app",
            "scalingGroupNames": {colour: f"no-{colour}" for colour in Colour},
            "dataVolumeId": self.volume,
            "url": "http://127.0.0.1:9",
        }

    def apply(self, release_id: str) -> None:
        state = self.state
        assert state.release is not None
        assert state.release.release_id == release_id, RELEASE_VARIABLE
        self.runs.append(f"{state.blue.capacity}/{state.green.capacity}")
        self.stand(state)

    def stand(self, state: State) -> None:
        """Servers as declared: one that ends lets the volume go, one that starts takes it or fails."""
        wanted = next((colour for colour in Colour if state.side(colour).capacity), None)
        if wanted is self.holder:
            return
        for colour, change, take in ((self.holder, "deregister", "detach"), (wanted, "register", "attach")):
            if colour:
                server = self.servers[colour]
                device = {"Device": "/dev/sdf"} if take == "attach" else {}
                self.call("ec2", f"{take}_volume", VolumeId=self.volume, InstanceId=server, **device)
                self.call("elbv2", f"{change}_targets", TargetGroupArn=self.groups[colour], Targets=[{"Id": server}])
        self.holder = wanted

    def snapshots(self) -> list[str]:
        filters = [{"Name": "volume-id", "Values": [self.volume]}]
        return [one["SnapshotId"] for one in self.call("ec2", "describe_snapshots", Filters=filters)["Snapshots"]]

    def clear(self) -> None:
        self.call("elbv2", "delete_listener", ListenerArn=self.listener)
        for arn in self.groups.values():
            self.call("elbv2", "delete_target_group", TargetGroupArn=arn)
        self.call("ec2", "terminate_instances", InstanceIds=list(self.servers.values()))
        self.call("dynamodb", "delete_table", TableName=TABLE)
        self.call("ssm", "delete_parameter", Name=POINTER)

    def _server(self) -> str:
        placed = {"AvailabilityZone": f"{REGION}a"}
        made = self.call("ec2", "run_instances", ImageId="ami-12c6146b", MinCount=1, MaxCount=1, Placement=placed)
        return str(made["Instances"][0]["InstanceId"])


@pytest.fixture
def verdict(monkeypatch: pytest.MonkeyPatch) -> list[Verdict]:
    """What the judge says from now on, the last one."""
    said = [GOOD]

    def judge(self: Company, release: InFlight) -> Verdict:
        return said[-1]

    monkeypatch.setattr(Company, "verdict", judge)
    return said


@pytest.fixture
def stand(cloud: FakeCloud, project: Path, verdict: list[Verdict], monkeypatch: pytest.MonkeyPatch) -> Iterator[Stand]:
    made = Stand(cloud)
    monkeypatch.setattr(EmbeddedPlace, "program", made)
    monkeypatch.setattr(place_base, "has_image", lambda *_: True)
    size(project, 1)
    yield made
    made.clear()


def size(project: Path, servers: int) -> None:
    """What the stack file says of the number of servers."""
    settings = project / "Pulumi.dev.yaml"
    kept = [line for line in settings.read_text().splitlines() if "nstances:" not in line]
    kept += [f"  teal:instances: {servers}", f"  teal:maxInstances: {servers}"]
    settings.write_text("\n".join(kept) + "\n")


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_a_plan_tells_of_gap_and_snapshot_and_of_what_can_not_be(teal: Teal, stand: Stand) -> None:
    ended = teal("release", "plan", "dev", *QUICK, "--steps", "5,100", "--keep-warm", "1m")
    assert ended.code == 0, ended.out + ended.err
    told = ended.out.splitlines()
    assert f"open    one server: 1 wanted, and one at a time has data volume {stand.volume}" in told
    assert f"open    data volume: {stand.volume} is free, or a server's of ours" in told
    assert "prepare end blue's server: requests fail from here on" in told
    assert [line for line in told if line.startswith(f"prepare snapshot of {stand.volume}, once it is free, within ")]
    assert [line.split(",")[0] for line in told if line.startswith("shift")] == ["shift   100 % to green"]
    assert not [line for line in told if "warm" in line and not line.startswith("remark")]
    guess = "requests fail for about 30 s (a guess, none was measured yet)"
    assert f"gap     {guess}: one server at a time has {stand.volume}" in told
    warm = f"with data volume {stand.volume} the steps 5, 100 become one of 100 and no colour is kept warm for 60 s"
    assert told[-1] == f"remark  {warm}"
    assert stand.snapshots() == []


def test_a_plan_for_programs_tells_the_same(teal: Teal, stand: Stand) -> None:
    [found] = lines(teal("release", "plan", "dev", *QUICK, "--keep-warm", "0s", "--steps", "100", "--json").out)
    assert found["gap"] == {
        "data_volume": stand.volume,
        "expected_seconds": 30.0,
        "measured_by": None,
        "snapshot": True,
        "overridden": None,
    }
    assert found["plan"]["steps"] == [100]
    assert (found["plan"]["capacity"], found["plan"]["warm_seconds"]) == (1, 0.0)
    assert {gate["name"]: gate["is_open"] for gate in found["gates"]}["one server"]


def test_without_a_volume_there_is_no_gap_to_tell_of(teal: Teal, stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    exports = {**stand.exports(), "dataVolumeId": None}
    monkeypatch.setattr(stand, "exports", lambda: exports)
    [found] = lines(teal("release", "plan", "dev", *QUICK, "--json").out)
    assert found["gap"] is None
    assert "gap" not in teal("release", "plan", "dev", *QUICK).out


def test_two_servers_close_a_gate(teal: Teal, stand: Stand, project: Path) -> None:
    size(project, 2)
    planned = teal("release", "plan", "dev", *QUICK)
    assert planned.code == 4
    assert f"CLOSED  one server: 2 wanted, and one at a time has data volume {stand.volume}" in planned.out
    started = teal("release", "start", "dev", *QUICK)
    assert started.code == 4
    assert "gate closed: one server (2 wanted" in started.told
    assert stand.runs == []


def test_a_volume_that_a_stranger_has_closes_a_gate(teal: Teal, stand: Stand) -> None:
    stranger = stand._server()
    stand.call("ec2", "detach_volume", VolumeId=stand.volume, InstanceId=stand.servers[Colour.BLUE])
    stand.call("ec2", "attach_volume", VolumeId=stand.volume, InstanceId=stranger, Device="/dev/sdf")
    ended = teal("release", "plan", "dev", *QUICK)
    assert ended.code == 4
    assert f"CLOSED  data volume: {stand.volume} is held by {stranger}, no server of ours" in ended.out


def test_a_volume_that_is_gone_closes_a_gate(teal: Teal, stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    exports = {**stand.exports(), "dataVolumeId": "vol-0123456789abcdef0"}
    monkeypatch.setattr(stand, "exports", lambda: exports)
    ended = teal("release", "plan", "dev", *QUICK)
    assert ended.code == 4
    assert "CLOSED  data volume: data volume vol-0123456789abcdef0 can't be read" in ended.out


def test_a_release_moves_the_volume_and_says_so(teal: Teal, stand: Stand) -> None:
    ended = teal("release", "start", "dev", *QUICK, "--json")
    assert ended.code == 0, ended.err
    assert [event["event"] for event in lines(ended.out)] == [
        "PLANNED", "STARTED", "GAP_BEGUN", "SNAPSHOT_MADE", "IDLE_HEALTHY", "IDLE_VERIFIED", "ALL_MOVED", "SETTLED",
        "ENDED",
    ]  # fmt: skip
    assert "gap: requests fail for about 30 s (a guess, none was measured yet)" in ended.err
    assert "requests fail for about 30 s" in lines(ended.out)[0]["why"]
    assert stand.runs == ["1/0", "0/0", "0/1", "0/1"]
    assert stand.holder is Colour.GREEN
    [snapshot] = stand.snapshots()
    told = teal("release", "history", "dev").out
    assert f"{snapshot} of {stand.volume}; green gets its server" in told
    assert "GAP_BEGUN" in told

    [planned] = lines(teal("release", "plan", "dev", "--image", LIVE, "--json").out)
    assert planned["gap"]["measured_by"] == lines(ended.out)[0]["release_id"]
    assert 0 <= planned["gap"]["expected_seconds"] < 20

    back = teal("release", "rollback", "dev", "--bake", "0s")
    assert back.code == 0, back.err
    assert f"as in {planned['gap']['measured_by']}" in back.err
    assert (stand.state.live, stand.holder) == (Colour.BLUE, Colour.BLUE)
    assert len(stand.snapshots()) == 2


def test_a_bad_version_gives_the_volume_back(teal: Teal, stand: Stand, verdict: list[Verdict]) -> None:
    verdict.append(bad("status 500"))
    ended = teal("release", "start", "dev", *QUICK)
    assert ended.code == 5, ended.err
    assert stand.runs == ["1/0", "0/0", "0/1", "0/0", "1/0"]
    assert (stand.state.live, stand.holder) == (Colour.BLUE, Colour.BLUE)


def test_who_may_make_no_snapshot_is_told_before_anything_is_done(
    teal: Teal, stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: EbsVolume, release_id: str) -> None:
        raise SnapshotFailed("no snapshot of vol-1 can be made: UnauthorizedOperation")

    monkeypatch.setattr(EbsVolume, "check_snapshot", refuse)
    ended = teal("release", "start", "dev", *QUICK)
    assert ended.code == 4
    assert "gate closed: snapshot (no snapshot of vol-1 can be made: UnauthorizedOperation)" in ended.err
    assert (stand.runs, stand.state.release) == ([], None)


def test_in_the_gap_status_and_pause_say_that_requests_fail(
    teal: Teal, stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = list[Any]()

    def refuse(self: Any, release_id: str, written_by: str) -> str:
        """Somebody looks while the volume is nobody's."""
        for command in (("status",), ("status", "--json"), ("pause",), ("status",)):
            calls.append(teal("release", command[0], "dev", *command[1:]))
        raise KeyboardInterrupt

    monkeypatch.setattr(EbsVolume, "snapshot", refuse)
    ended = teal("release", "start", "dev", *QUICK)
    assert ended.code == 130
    plain, found, paused, held = calls
    assert f"data volume {stand.volume}: requests fail while it moves; snapshot not made yet" in plain.out
    release = json.loads(found.out)["release"]
    assert (release["data_volume"], release["snapshot"], release["in_gap"]) == (stand.volume, None, True)
    assert f"Requests fail: {stand.volume} moves. `teal release abort dev` brings them back." in paused.out
    assert "paused since" in held.out
    assert stand.state.release is not None
    assert stand.state.release.is_paused


def keeps(project: Path, snapshots: int) -> None:
    """What the stack file says of how many snapshots stay."""
    settings = project / "Pulumi.dev.yaml"
    settings.write_text(f"{settings.read_text()}  teal:dataSnapshotsKept: {snapshots}\n")


def three_releases(teal: Teal) -> list[str]:
    """Their ids. All of different versions, so that no rollback keeps a snapshot more."""
    found = []
    for letter in "def":
        time.sleep(1 - time.time() % 1)  # moto tells a snapshot's time in seconds
        ended = teal("release", "start", "dev", "--image", f"sha256:{letter * 64}", "--bake", "0s", "--json")
        assert ended.code == 0, ended.err
        found.append(lines(ended.out)[0]["release_id"])
    return found


def test_as_many_snapshots_stay_as_the_setting_says_and_plan_and_status_tell_which(
    teal: Teal, stand: Stand, project: Path
) -> None:
    own = by_hand(stand)
    keeps(project, 2)
    releases = three_releases(teal)
    assert own in stand.snapshots()
    assert sorted(told_of(stand).values()) == sorted(releases[1:])
    history = teal("release", "history", "dev").out
    assert len([line for line in history.splitlines() if "TIDYING" in line and releases[2] in line]) == 1

    planned = teal("release", "plan", "dev", *QUICK).out.splitlines()
    [oldest] = [one for one, release in told_of(stand).items() if release == releases[1]]
    [going] = [line for line in planned if line.startswith("end ")]
    assert going.startswith(f"end     delete {oldest} of 20")
    assert f"before {releases[1]}, written by sha256:{'d' * 64}, complete" in going
    [document] = lines(teal("release", "plan", "dev", *QUICK, "--json").out)
    assert [each["id"] for each in document["snapshots"]["removes"]] == [oldest]
    assert (document["snapshots"]["kept"], document["plan"]["snapshots_kept"]) == (2, 2)
    assert len(stand.snapshots()) == 3, "a plan deletes nothing"

    told = [line for line in teal("release", "status", "dev").out.splitlines() if line.startswith("snapshot ")]
    assert [next(one for one in releases if f"before {one}," in line) for line in told] == releases[:0:-1]
    assert f"written by sha256:{'d' * 64}, complete" in told[-1]
    found = json.loads(teal("release", "status", "dev", "--json").out)["snapshots"]
    assert [each["release_id"] for each in found["of_releases"]] == releases[:0:-1]
    assert (found["data_volume"], found["problem"]) == (stand.volume, None)


def test_where_a_plan_deletes_nothing_it_says_so(teal: Teal, stand: Stand) -> None:
    told = teal("release", "plan", "dev", *QUICK).out.splitlines()
    assert f"end     no snapshot goes: {stand.volume} has 0, and keeps 10" in told
    assert "snapshot" not in teal("release", "status", "dev").out


def test_what_can_not_be_deleted_is_a_warning_and_the_release_is_done(
    teal: Teal, stand: Stand, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: EbsSnapshots, snapshot_id: str) -> None:
        raise SnapshotStays(f"{snapshot_id} was not deleted: UnauthorizedOperation")

    monkeypatch.setattr(EbsSnapshots, "delete", refuse)
    keeps(project, 1)
    teal("release", "start", "dev", "--image", f"sha256:{'d' * 64}", "--bake", "0s")
    time.sleep(1 - time.time() % 1)
    ended = teal("release", "start", "dev", "--image", f"sha256:{'e' * 64}", "--bake", "0s", "--json")
    assert ended.code == 0
    told = lines(ended.out)
    assert [event["event"] for event in told][-4:] == ["SETTLED", "TIDYING", "UNTIDY", "ENDED"]
    assert "the next release tries again: snap-" in told[-2]["why"]
    assert (told[-1]["outcome"], told[-1]["exit_code"]) == ("DONE", 0)
    assert "was not deleted: UnauthorizedOperation" in teal("release", "history", "dev").out


def test_snapshots_that_nobody_may_read_end_neither_plan_nor_status(
    teal: Teal, stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: EbsSnapshots) -> None:
        raise SnapshotsUnread("snapshots of vol-1 can't be read: UnauthorizedOperation")

    monkeypatch.setattr(EbsSnapshots, "of_releases", refuse)
    planned, status = teal("release", "plan", "dev", *QUICK), teal("release", "status", "dev")
    assert (planned.code, status.code) == (0, 0)
    assert "end     nobody knows which snapshots would go: snapshots of vol-1 can't be read" in planned.out
    assert "snapshots of vol-1 can't be read: UnauthorizedOperation" in status.out


def by_hand(stand: Stand) -> str:
    """A snapshot that a person has made."""
    made = stand.call("ec2", "create_snapshot", VolumeId=stand.volume, Description="before the big clean-up")
    return str(made["SnapshotId"])


def told_of(stand: Stand) -> dict[str, str]:
    """Release by snapshot."""
    filters = [{"Name": "volume-id", "Values": [stand.volume]}]
    found = stand.call("ec2", "describe_snapshots", Filters=filters)["Snapshots"]
    tags = {one["SnapshotId"]: {tag["Key"]: tag["Value"] for tag in one.get("Tags", [])} for one in found}
    return {snapshot: has["Release"] for snapshot, has in tags.items() if "Release" in has}
