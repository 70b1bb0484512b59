"""Which manager starts a swarm, and what its leader does, on nodes and parameters as plain data."""

import json
from typing import Any

import pytest

from components.boot.swarm_tend import NotYet, enter, tend

CLAIM = "claim-sg-1-{}"
TOKENS = {"Manager": "SWMTKN-m", "Worker": "SWMTKN-w"}


class Ssm:
    """Parameters as all managers see them."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.secrets: set[str] = set()
        self.living: set[str] = set()
        self.in_service: set[str] = set()
        self.written: list[str] = []


class FakeHere:
    """A manager."""

    def __init__(self, ssm: Ssm, instance: str) -> None:
        self.ssm, self.asked, self._claim = ssm, [], 0  # type: ignore[var-annotated]
        self.facts = {"instance": instance, "address": f"10.0.0.{instance[2:]}"}
        self.spec = {"identity": "sg-1", "pool": "100.64.0.0/16", "role": "manager"}
        self.nodes: list[dict[str, Any]] = []
        ssm.living.add(instance)

    def engine(self, method: str, path: str, body: Any = None) -> Any:
        self.asked.append((method, path, body))
        return {"/nodes": self.nodes, "/swarm": {"JoinTokens": TOKENS}}.get(path)

    def listening(self) -> dict[str, str]:
        return {"AdvertiseAddr": self.facts["address"]}

    def read(self, leaves: list[str]) -> dict[str, str]:
        assert len(leaves) <= 10
        return {leaf: self.ssm.values[leaf] for leaf in leaves if leaf in self.ssm.values}

    def put(self, leaf: str, value: str, *, secret: bool = False, overwrite: bool = True) -> bool:
        if leaf in self.ssm.values and not overwrite:
            return False
        self.ssm.values[leaf] = value
        self.ssm.written.append(leaf)
        if secret:
            self.ssm.secrets.add(leaf)
        return True

    def living(self, instances: set[str]) -> dict[str, str]:
        return dict.fromkeys(instances & self.ssm.living, "InService")

    def peers(self) -> set[str]:
        return self.ssm.in_service - {self.facts["instance"]}

    def claim(self) -> int:
        return self._claim

    def remember(self, claim: int) -> None:
        self._claim = claim

    def join(self, published: dict[str, Any]) -> None:
        self.asked.append(("JOIN", "", published["members"]))
        self._claim = published["claim"]

    @property
    def did(self) -> list[str]:
        return [f"{method} {path}".strip() for method, path, _ in self.asked]


@pytest.fixture
def ssm() -> Ssm:
    return Ssm()


def published(claim: int, *instances: str) -> dict[str, Any]:
    members = [{"instance": each, "address": f"10.0.0.{each[2:]}"} for each in instances]
    return {"identity": "sg-1", "claim": claim, "members": members}


def node(instance: str, zone: str = "a", **changes: Any) -> dict[str, Any]:
    found = {
        "ID": f"n-{instance}",
        "Version": {"Index": 7},
        "Spec": {"Role": "worker", "Availability": "drain", "Labels": {}},
        "Description": {"Hostname": f"{instance}.{zone}"},
        "Status": {"State": "ready"},
    }
    return {**found, **changes}


def leader(instance: str = "i-1", **changes: Any) -> dict[str, Any]:
    managing = {"Leader": True, "Reachability": "reachable", "Addr": f"10.0.0.{instance[2:]}:2377"}
    spec = {"Role": "manager", "Availability": "drain", "Labels": {"zone": "a"}}
    return node(instance, **{"Spec": spec, "ManagerStatus": managing, **changes})


def test_the_first_to_claim_it_starts_the_swarm_and_others_wait(ssm: Ssm) -> None:
    first, second = FakeHere(ssm, "i-1"), FakeHere(ssm, "i-2")
    enter(first, {})
    assert first.asked[-1] == (
        "POST",
        "/swarm/init",
        {
            "AdvertiseAddr": "10.0.0.1",
            "DefaultAddrPool": ["100.64.0.0/16"],
            "SubnetSize": 24,
            "Availability": "drain",
        },
    )
    with pytest.raises(NotYet, match="i-1 has claimed the swarm and not started it yet"):
        enter(second, {})
    assert second.did == []


def test_of_two_that_see_no_claim_one_starts_it(ssm: Ssm) -> None:
    first, second = FakeHere(ssm, "i-1"), FakeHere(ssm, "i-2")
    read = second.read

    def late(leaves: list[str]) -> dict[str, str]:
        found = read(leaves)
        enter(first, {})  # between the other's look and its claim
        return found

    second.read = late  # type: ignore[method-assign]
    with pytest.raises(NotYet, match="another manager has claimed the swarm"):
        enter(second, {})
    assert (first.did, second.did) == (["POST /swarm/init"], [])


def test_whoever_has_claimed_it_goes_on_after_a_crash(ssm: Ssm) -> None:
    first = FakeHere(ssm, "i-1")
    ssm.values[CLAIM.format(1)] = json.dumps({"instance": "i-1"})
    enter(first, {})
    assert (first.did, first.claim()) == (["POST /swarm/init"], 1)


def test_a_claim_of_an_instance_that_is_gone_is_taken_over_by_the_next_number(ssm: Ssm) -> None:
    second, third = FakeHere(ssm, "i-2"), FakeHere(ssm, "i-3")
    ssm.values[CLAIM.format(1)] = json.dumps({"instance": "i-1"})
    enter(second, {})
    assert (second.did, second.claim()) == (["POST /swarm/init"], 2)
    with pytest.raises(NotYet, match="i-2 has claimed"):
        enter(third, {})


def test_a_manager_joins_what_was_started_even_where_who_started_it_is_gone(ssm: Ssm) -> None:
    FakeHere(ssm, "i-3")
    fourth = FakeHere(ssm, "i-4")
    ssm.values[CLAIM.format(1)] = json.dumps({"instance": "i-1"})
    enter(fourth, published(1, "i-1", "i-2", "i-3"))
    assert fourth.did == ["JOIN"]


def test_a_manager_that_started_it_and_lost_its_disk_joins_the_others(ssm: Ssm) -> None:
    first = FakeHere(ssm, "i-1")
    FakeHere(ssm, "i-2")
    ssm.values[CLAIM.format(1)] = json.dumps({"instance": "i-1"})
    enter(first, published(1, "i-1", "i-2"))
    assert first.did == ["JOIN"]


def test_once_every_manager_is_gone_another_swarm_is_started(ssm: Ssm) -> None:
    fourth = FakeHere(ssm, "i-4")
    ssm.values[CLAIM.format(1)] = json.dumps({"instance": "i-1"})
    enter(fourth, published(1, "i-1", "i-2", "i-3"))
    assert (fourth.did, fourth.claim()) == (["POST /swarm/init"], 2)


def test_while_any_manager_is_in_service_no_other_swarm_is_started(ssm: Ssm) -> None:
    """The leader was lost before it published the others; one of them leads by now, and will publish."""
    fourth = FakeHere(ssm, "i-4")
    ssm.values[CLAIM.format(1)] = json.dumps({"instance": "i-1"})
    ssm.in_service |= {"i-2", "i-3", "i-4"}
    with pytest.raises(NotYet, match="i-2 manages the swarm, and nobody has published that yet"):
        enter(fourth, published(1, "i-1"))
    assert (fourth.did, CLAIM.format(2) in ssm.values) == ([], False)


def test_claims_are_found_however_many_there_were(ssm: Ssm) -> None:
    here = FakeHere(ssm, "i-9")
    for number in range(1, 31):
        ssm.values[CLAIM.format(number)] = json.dumps({"instance": f"i-{100 + number}"})
    enter(here, published(28, "i-128"))
    assert here.claim() == 31


def test_a_leader_publishes_tokens_before_members_and_only_what_differs(ssm: Ssm) -> None:
    first = FakeHere(ssm, "i-1")
    first.nodes = [leader(), node("i-5", Spec={"Role": "worker", "Labels": {"zone": "a"}})]
    first.remember(1)
    tend(first, "n-i-1")
    assert ssm.written == ["manager-token", "worker-token", "managers"]
    assert ssm.secrets == {"manager-token", "worker-token"}
    assert json.loads(ssm.values["managers"]) == published(1, "i-1")
    tend(first, "n-i-1")
    assert len(ssm.written) == 3


def test_a_manager_that_does_not_lead_does_nothing(ssm: Ssm) -> None:
    second = FakeHere(ssm, "i-2")
    second.nodes = [leader(), node("i-5")]
    tend(second, "n-i-2")
    assert (second.did, ssm.written) == (["GET /nodes"], [])


def test_a_new_worker_gets_its_zone_and_with_it_tasks(ssm: Ssm) -> None:
    first = FakeHere(ssm, "i-1")
    first.nodes = [leader(), node("i-5", "eu-west-1b")]
    tend(first, "n-i-1")
    spec = {"Role": "worker", "Availability": "active", "Labels": {"zone": "eu-west-1b"}}
    assert first.asked[-1] == ("POST", "/nodes/n-i-5/update?version=7", spec)


def test_a_worker_that_somebody_has_drained_stays_so(ssm: Ssm) -> None:
    first = FakeHere(ssm, "i-1")
    first.nodes = [leader(), node("i-5", Spec={"Role": "worker", "Availability": "drain", "Labels": {"zone": "a"}})]
    tend(first, "n-i-1")
    assert not [path for path in first.did if "update" in path]


def test_a_node_that_is_down_is_removed_once_its_instance_is_gone(ssm: Ssm) -> None:
    first = FakeHere(ssm, "i-1")
    first.nodes = [leader(), node("i-5", Status={"State": "down"})]
    ssm.living.add("i-5")
    tend(first, "n-i-1")
    assert not [path for path in first.did if path.startswith("DELETE")]
    ssm.living.remove("i-5")
    tend(first, "n-i-1")
    assert first.did[-1] == "DELETE /nodes/n-i-5?force=1"


def test_a_manager_that_is_gone_is_made_a_worker_first(ssm: Ssm) -> None:
    first = FakeHere(ssm, "i-1")
    gone = leader("i-2", Status={"State": "down"}, ManagerStatus={"Reachability": "unreachable", "Addr": "10.0.0.2:1"})
    first.nodes = [leader(), gone]
    tend(first, "n-i-1")
    assert first.asked[-1][1:] == ("/nodes/n-i-2/update?version=7", {**gone["Spec"], "Role": "worker"})
    assert json.loads(ssm.values["managers"])["members"] == published(1, "i-1")["members"]


def test_what_a_node_was_before_it_joined_again_is_removed(ssm: Ssm) -> None:
    first = FakeHere(ssm, "i-1")
    ssm.living.add("i-5")
    labelled = {"Role": "worker", "Labels": {"zone": "a"}}
    first.nodes = [leader(), node("i-5", Spec=labelled), node("i-5", ID="n-old", Status={"State": "down"})]
    tend(first, "n-i-1")
    assert first.did[-1] == "DELETE /nodes/n-old?force=1"
