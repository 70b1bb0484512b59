"""What the engine's events come to."""

import pytest

from pipeline import types
from pipeline.model import Change, Danger, Existence, Kind, Place, Property, Threat, Verdict
from pipeline.secrets import UNKNOWN
from preview_world import BLINDED, policy, preview_of, problem, step

SUBNET = {"cidrBlock": "10.0.0.0/20", "vpcId": "vpc-1"}
MOVED = {**SUBNET, "cidrBlock": "10.0.32.0/20"}


def test_a_replacement_is_one_change_however_many_steps_it_takes() -> None:
    detailed = {"cidrBlock": "update-replace", "tags": "update"}
    found = preview_of(
        step("create-replacement", types.SUBNET, "a", SUBNET, MOVED, keys=("cidrBlock",), detailed=detailed),
        step("replace", types.SUBNET, "a", SUBNET, MOVED, keys=("cidrBlock",), detailed=detailed),
        step("delete-replaced", types.SUBNET, "a", SUBNET),
    )
    forced = Property(path="cidrBlock", forces=True, before="10.0.0.0/20", after="10.0.32.0/20")
    assert found.changes == (
        Change(kind=Kind.REPLACE, name="a", type=types.SUBNET, properties=(forced, Property(path="tags"))),
    )
    assert found.dangers == (
        Danger(
            threat=Threat.REPLACED, name="a", type=types.SUBNET, because=("cidrBlock",),
            before=("10.0.0.0/20",), after=("10.0.32.0/20",),
        ),
    )  # fmt: skip


def test_that_the_old_one_goes_first_is_seen_from_the_order() -> None:
    steps = [
        step("delete-replaced", types.TABLE, "ledger", {"name": "x"}),
        step("replace", types.TABLE, "ledger", {"name": "x"}, {"name": "y"}, diffs=("name",), keys=("name",)),
        step("create-replacement", types.TABLE, "ledger", {"name": "x"}, {"name": "y"}),
    ]
    found = preview_of(*steps)
    assert found.changes[0].is_gone_first
    assert found.dangers[0].is_gone_first
    assert not preview_of(*reversed(steps)).changes[0].is_gone_first


def test_what_stays_is_counted_and_components_are_not() -> None:
    found = preview_of(
        step("same", types.VPC, "v", SUBNET, SUBNET),
        step("read", types.VPC, "w", SUBNET, SUBNET),
        step("create", "teal:index:Network", "main", None, {}, custom=False),
    )
    assert (found.unchanged, found.changes, found.is_quiet) == (2, (), True)


def test_a_stack_that_is_new_has_no_dangers() -> None:
    rule = {"ipProtocol": "tcp", "fromPort": 80, "toPort": 80, "cidrIpv4": "0.0.0.0/0", "securityGroupId": UNKNOWN}
    found = preview_of(step("create", types.INGRESS_RULE, "in", None, rule), existence=Existence.NEW)
    assert (found.count(Kind.CREATE), found.dangers, found.is_quiet) == (1, (), False)


def rule(**given: object) -> dict[str, object]:
    return {"ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "cidrIpv4": "10.0.0.0/16", "securityGroupId": "sg-1",
            **given}  # fmt: skip


def test_a_rule_that_lets_in_more_is_a_danger_with_from_and_to() -> None:
    [danger] = preview_of(
        step("update", types.INGRESS_RULE, "in", rule(), rule(cidrIpv4="0.0.0.0/0"), detailed={"cidrIpv4": "update"})
    ).dangers
    assert (danger.threat, danger.before, danger.after) == (
        Threat.LETS_IN, ("tcp 443 from 10.0.0.0/16",), ("tcp 443 from 0.0.0.0/0",),
    )  # fmt: skip


def test_a_rule_that_only_gets_another_name_lets_in_nothing_more() -> None:
    found = preview_of(
        step("delete", types.INGRESS_RULE, "in", rule()), step("create", types.INGRESS_RULE, "from-shop", None, rule())
    )
    assert found.dangers == ()
    more = step("create", types.INGRESS_RULE, "from-shop", None, rule(toPort=444))
    [danger] = preview_of(step("delete", types.INGRESS_RULE, "in", rule()), more).dangers
    assert (danger.name, danger.before, danger.after) == ("from-shop", (), ("tcp 443 to 444 from 10.0.0.0/16",))


def test_of_a_group_that_is_only_made_in_the_update_networks_are_told_and_groups_are_not() -> None:
    known = step("same", types.VPC, "v", {}, {})
    peer = {**rule(securityGroupId=UNKNOWN, cidrIpv4=None), "referencedSecurityGroupId": UNKNOWN}
    assert preview_of(known, step("create", types.INGRESS_RULE, "in", None, peer)).dangers == ()
    network = rule(securityGroupId=UNKNOWN)
    assert len(preview_of(known, step("create", types.INGRESS_RULE, "in", None, network)).dangers) == 1


def test_a_guard_that_is_taken_away_is_a_danger() -> None:
    before, after = {"enableDeletionProtection": True}, {"enableDeletionProtection": False}
    [danger] = preview_of(step("update", types.LOAD_BALANCER, "web", before, after)).dangers
    assert (danger.threat, danger.because) == (Threat.UNGUARDED, ("enableDeletionProtection",))
    assert preview_of(step("update", types.LOAD_BALANCER, "web", after, before)).dangers == ()
    kept = step("same", types.TABLE, "ledger", {"name": "x"}, {"name": "x"}, protect=True)
    assert preview_of(kept).dangers[0].because == ("protect",)


def test_what_is_only_forgotten_is_no_danger() -> None:
    found = preview_of(step("delete", types.BUCKET, "logs", {"bucket": "b"}, retainOnDelete=True))
    assert (found.changes[0].is_kept, found.dangers) == (True, ())


def test_the_worst_danger_comes_first() -> None:
    found = preview_of(
        step("delete", types.SUBNET, "a", SUBNET),
        step("update", types.INGRESS_RULE, "in", rule(), rule(cidrIpv4="0.0.0.0/0")),
        step("update", types.EGRESS_RULE, "out", rule(), rule(cidrIpv4="0.0.0.0/0")),
        step("delete", types.TABLE, "z", {"name": "z"}),
    )
    assert [danger.name for danger in found.dangers] == ["z", "in", "a", "out"]


@pytest.mark.parametrize(
    ("path", "before", "after", "expected"),
    [
        ("password", BLINDED, BLINDED, "password"),
        ("env.TOKEN", {"TOKEN": BLINDED}, {"TOKEN": "open"}, "env.TOKEN"),
        ("env.TOKEN.inner", {"TOKEN": BLINDED}, {"TOKEN": {"inner": 1}}, "env.TOKEN"),
        ("list[1].x", {}, [1, BLINDED], "list[1]"),
        ('tags["a.b"]', {"a.b": "x"}, {"a.b": "y"}, 'tags["a.b"]'),
        ("odd[", "x", "y", "odd"),
    ],
)
def test_a_path_ends_where_a_secret_begins(path: str, before: object, after: object, expected: str) -> None:
    name = path.split(".")[0].split("[")[0]
    update = step("update", "x:y:Z", "r", {name: before}, {name: after}, detailed={path: "update"})
    assert preview_of(update).changes[0].properties == (Property(path=expected),)


def test_a_value_is_shown_only_if_its_property_and_its_form_are_harmless() -> None:
    def shown(type_name: str, name: str, before: object, after: object) -> tuple[str | None, str | None]:
        update = step("update", type_name, "r", {name: before}, {name: after}, detailed={name: "update"})
        [found] = preview_of(update).changes[0].properties
        return found.before, found.after

    assert shown(types.SUBNET, "cidrBlock", "10.0.0.0/20", "10.0.1.0/24") == ("10.0.0.0/20", "10.0.1.0/24")
    assert shown(types.SUBNET, "cidrBlock", "10.0.0.0/20", UNKNOWN) == ("10.0.0.0/20", "known in the update")
    assert shown(types.SUBNET, "cidrBlock", "hunter2", "10.0.1.0/24") == (None, "10.0.1.0/24")
    assert shown(types.SUBNET, "cidrBlock", BLINDED, "10.0.1.0/24") == (None, None)
    assert shown(types.SUBNET, "cidrBlock", "10.0.0.0/20", "x [secret] y") == (None, None)
    assert shown(types.SUBNET, "description", "10.0.0.0/20", "10.0.1.0/24") == (None, None)
    assert shown(types.LISTENER, "port", 80.0, 8080) == ("80", "8080")


def test_policy_is_told_once_and_what_it_cannot_say_yet_is_counted() -> None:
    found = preview_of(
        policy("disk", "<{%fg 3%}>Disks\nare plain.<{%reset%}>"),
        policy("disk", "Disks are plain."),
        policy("key", "web: kmsKeyId is not known in a preview; key is decided in the update"),
        policy("ports", "open to all", level="mandatory"),
        failure="stack dev: ports: open to all",
    )
    assert found.verdicts == (
        Verdict(rule="disk", resource="web", message="Disks are plain.", is_mandatory=False),
        Verdict(rule="ports", resource="web", message="open to all", is_mandatory=True),
    )
    assert (found.undecided, found.broken) == (1, 1)
    assert found.failure is None, "that a rule is broken is a result"


def test_a_failure_is_told_in_the_engines_own_words() -> None:
    found = preview_of(
        problem("error: no such\nzone", "main-vpc"),
        problem("an unhandled error occurred: Program exited with code 1"),
        policy("ports", "open to all", level="mandatory"),
        failure="exit 255",
        place=Place.AWS,
    )
    assert found.failure == "main-vpc: no such zone"
    assert preview_of(failure="no engine").failure == "no engine"
