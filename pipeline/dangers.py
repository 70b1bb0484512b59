"""Which changes a reviewer must not miss, and what they mean."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline import types
from pipeline.model import Danger, Kind, Threat
from pipeline.openings import Opening, Peer, openings, widened
from pipeline.secrets import UNKNOWN
from pipeline.steps import Steps

MOST_OPENINGS = 10
"""Of one group, in words; more of them say nothing new."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What it means that a resource of a type goes, for good or for another one."""

    noun: str
    meaning: str
    is_data: bool = False
    """Whether something is lost that no program can make again."""


FATES: Mapping[str, Fate] = {
    types.TABLE: Fate("table", "its items are lost", is_data=True),
    types.TABLE_ITEM: Fate("table item", "what was written to it since is lost", is_data=True),
    types.DATABASE: Fate("database", "its data is lost", is_data=True),
    types.CLUSTER: Fate("database cluster", "its data is lost", is_data=True),
    types.BUCKET: Fate("bucket", "its objects are lost", is_data=True),
    types.BUCKET_V2: Fate("bucket", "its objects are lost", is_data=True),
    types.FILE_SYSTEM: Fate("file system", "its files are lost", is_data=True),
    types.VOLUME: Fate("volume", "its data is lost", is_data=True),
    types.REPOSITORY: Fate("image repository", "its images are lost", is_data=True),
    types.KEY: Fate("key", "what it encrypted can't be read any more once it is gone", is_data=True),
    types.SECRET: Fate("secret", "its value is lost", is_data=True),
    types.LOG_GROUP: Fate("log group", "its logs are lost", is_data=True),
    types.VPC: Fate("VPC", "everything in it has to be made anew"),
    types.SUBNET: Fate("subnet", "whatever stands in it has to move, and its addresses change"),
    types.LOAD_BALANCER: Fate("load balancer", "its name and addresses change, and nothing answers until it is set up"),
    types.LISTENER: Fate("listener", "its port does not answer in between"),
    types.TARGET_GROUP: Fate("target group", "its servers have to be found healthy again before they get requests"),
    types.SCALING_GROUP: Fate("scaling group", "all of its servers go"),
    types.INSTANCE: Fate("server", "what is on its disks goes with it"),
    types.NAT_GATEWAY: Fate("NAT gateway", "nothing behind it reaches the internet in between"),
    types.ADDRESS: Fate("public address", "whoever has allowed it knows another one"),
    types.ZONE: Fate("hosted zone", "its names do not resolve until its name servers are announced"),
    types.RECORD: Fate("DNS record", "its name may not resolve in between"),
    types.GROUP: Fate("security group", "whatever is in it loses its rules in between"),
}
"""By type; the replacement or deletion of any other is told without such words."""
GUARDS: Mapping[tuple[str, str], bool] = {
    (types.LOAD_BALANCER, "enableDeletionProtection"): True,
    (types.TABLE, "deletionProtectionEnabled"): True,
    (types.DATABASE, "deletionProtection"): True,
    (types.CLUSTER, "deletionProtection"): True,
    (types.BUCKET, "forceDestroy"): False,
    (types.BUCKET_V2, "forceDestroy"): False,
    (types.REPOSITORY, "forceDelete"): False,
}
"""By type and property, the value that keeps a resource, or what is in it, from being deleted."""


def dangers(resources: Sequence[Steps]) -> tuple[Danger, ...]:
    """The dangers of a stack's preview, the worst first. A stack that was not there yet has none."""
    if not any(each.old for each in resources if each.is_real):
        return ()
    found = [*_losses(resources), *_openings(resources), *_unguarded(resources)]
    return tuple(sorted(found, key=lambda danger: (rank(danger), danger.name)))


def rank(danger: Danger) -> int:
    """How bad it is; 0 is the worst."""
    fate = FATES.get(danger.type)
    if danger.threat in (Threat.REPLACED, Threat.DELETED):
        return 0 if fate and fate.is_data else 4
    if danger.threat is Threat.LETS_IN:
        return 1 if any("/0" in opening for opening in danger.after) else 2
    return 3 if danger.threat is Threat.UNGUARDED else 5


def _losses(resources: Sequence[Steps]) -> Iterator[Danger]:
    threats = {Kind.REPLACE: Threat.REPLACED, Kind.DELETE: Threat.DELETED}
    for each in resources:
        if each.kind in threats and each.type in FATES and not each.is_kept:
            forcing = [prop for prop in each.properties() if prop.forces]
            yield Danger(
                threat=threats[each.kind],
                name=each.name,
                type=each.type,
                because=tuple(prop.path for prop in forcing),
                before=_of_one([prop.before for prop in forcing]),
                after=_of_one([prop.after for prop in forcing]),
                is_gone_first=each.is_gone_first,
            )


def _of_one(values: Sequence[str | None]) -> tuple[str, ...]:
    """The value of a single cause; those of several would not say whose they are."""
    return (values[0],) if len(values) == 1 and values[0] is not None else ()


def _openings(resources: Sequence[Steps]) -> Iterator[Danger]:
    """Groups and rules that let more through than they, and all rules of their group together, did before."""
    before_of: dict[str, list[Opening]] = {}
    rules = [each for each in resources if each.type in (*types.GROUP_RULES, *types.GROUPS)]
    for each in rules:
        before_of.setdefault(_group_of(each), []).extend(openings(each.type, each.before))
    for each in rules:
        if each.kind is None:
            continue
        own, group = openings(each.type, each.before), _group_of(each)
        more = widened([*own, *(before_of[group] if group else ())], openings(each.type, each.after))
        if each.kind is Kind.CREATE and not group:  # of a new group only what comes from networks is worth a warning
            more = [opening for opening in more if opening.lets_in and opening.peer is Peer.NETWORK]
        for threat, lets_in in ((Threat.LETS_IN, True), (Threat.LETS_OUT, False)):
            found = [opening for opening in more if opening.lets_in == lets_in]
            if found:
                yield Danger(
                    threat=threat,
                    name=each.name,
                    type=each.type,
                    before=_told(opening for opening in own if opening.lets_in == lets_in),
                    after=_told(found),
                )


def _group_of(each: Steps) -> str:
    """Id of the group that it is, or belongs to; none of one that is only made in the update."""
    if each.type in types.GROUPS:
        return each.old.id if each.old else ""
    found = each.before.get("securityGroupId") or each.after.get("securityGroupId")
    return found if isinstance(found, str) and found != UNKNOWN else ""


def _told(found: "Iterator[Opening] | Sequence[Opening]") -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(str, found)))[:MOST_OPENINGS]


def _unguarded(resources: Sequence[Steps]) -> Iterator[Danger]:
    for each in resources:
        if each.kind not in (Kind.UPDATE, None):
            continue
        lost = [
            name
            for (type_name, name), guard in GUARDS.items()
            if type_name == each.type and bool(each.before.get(name)) == guard != bool(each.after.get(name))
        ]
        if each.old and each.new and each.old.protect and not each.new.protect:
            lost.append("protect")
        if lost:
            yield Danger(threat=Threat.UNGUARDED, name=each.name, type=each.type, because=tuple(lost))
