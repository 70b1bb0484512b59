"""What managers of a swarm do: one of them starts it, and its leader publishes, labels and removes nodes.

The first claim wins: an SSM parameter claim-<identity>-<number> that is written only if it is not there. Who has it
starts the swarm. Once every manager known of a claim is gone and no other one is in service, by their scaling group's
word, nobody has the swarm's state any more, and whoever is first to write the next number starts another one. A manager
is in service only after it was published, so that none is overlooked in the seconds after a leader's loss.
"""

import json
from typing import Any

MOST_AHEAD = 9
"""Claims that are looked for beyond the one that is published; SSM takes ten names in a call."""
TOKENS = {"Manager": "manager-token", "Worker": "worker-token"}
INIT_MASK_BITS = 24


class NotYet(ValueError):
    """Another manager is at it."""


def enter(here: Any, published: dict[str, Any]) -> None:
    """Joins the swarm that another manager has started, or starts it. Raises NotYet while another one is at it."""
    me, latest, owner = here.facts["instance"], *_latest_claim(here, published)
    is_started = bool(latest) and published.get("claim") == latest
    if owner == me and not is_started:
        _start(here, latest)
        return
    members = {each["instance"] for each in published["members"]} if is_started else set()
    others = (members | {owner}) - {me, ""}
    if here.living(others):
        if not is_started:
            raise NotYet(owner + " has claimed the swarm and not started it yet")
        here.join(published)
    elif here.peers():  # in service, so they were published once, and are about to be so again
        raise NotYet(min(here.peers()) + " manages the swarm, and nobody has published that yet")
    elif here.put(_claim(here, latest + 1), json.dumps({"instance": me}), overwrite=False):
        _start(here, latest + 1)
    else:
        raise NotYet("another manager has claimed the swarm")


def _latest_claim(here: Any, published: dict[str, Any]) -> tuple[int, str]:
    first = published.get("claim", 1)
    numbers = range(first, first + MOST_AHEAD + 1)
    found = here.read([_claim(here, number) for number in numbers])
    latest = max((number for number in numbers if _claim(here, number) in found), default=0)
    return latest, json.loads(found[_claim(here, latest)])["instance"] if latest else ""


def _claim(here: Any, number: int) -> str:
    return "claim-" + str(here.spec["identity"]) + "-" + str(number)


def _start(here: Any, claim: int) -> None:
    here.remember(claim)  # before: who dies in between publishes it once he is back
    pool = {"DefaultAddrPool": [here.spec["pool"]], "SubnetSize": INIT_MASK_BITS}
    here.engine("POST", "/swarm/init", {**here.listening(), **pool, "Availability": "drain"})


def tend(here: Any, node_id: str) -> None:
    """What the leader does again and again; other managers do nothing."""
    nodes = here.engine("GET", "/nodes")
    if not any(node["ID"] == node_id and _managing(node).get("Leader") for node in nodes):
        return
    publish(here, nodes)
    for node in nodes:
        if node["Status"]["State"] == "ready" and "zone" not in (node["Spec"].get("Labels") or {}):
            label(here, node)
    remove_gone(here, nodes)


def publish(here: Any, nodes: list[dict[str, Any]]) -> None:
    """Has SSM say how to join: tokens first, then who manages. Writes only what differs."""
    managers = [node for node in nodes if _managing(node).get("Reachability") == "reachable"]
    members = [
        {"instance": _instance(node), "address": _managing(node)["Addr"].rpartition(":")[0]} for node in managers
    ]
    wanted = {"identity": here.spec["identity"], "claim": here.claim()}
    wanted["members"] = sorted(members, key=lambda each: each["instance"])
    tokens = here.engine("GET", "/swarm")["JoinTokens"]
    known = here.read(["managers", *TOKENS.values()])
    for kind, leaf in TOKENS.items():
        if known.get(leaf) != tokens[kind]:
            here.put(leaf, tokens[kind], secret=True)
    if json.loads(known.get("managers", "{}")) != wanted:
        here.put("managers", json.dumps(wanted))


def label(here: Any, node: dict[str, Any]) -> None:
    """Gives a node its zone, and a worker tasks: before, they could not be spread over zones."""
    zone = node["Description"]["Hostname"].partition(".")[2]
    spec = {**node["Spec"], "Labels": {**(node["Spec"].get("Labels") or {}), "zone": zone}}
    if spec["Role"] == "worker":
        spec["Availability"] = "active"
    _update(here, node, spec)


def remove_gone(here: Any, nodes: list[dict[str, Any]]) -> None:
    """Removes nodes that are down and whose instance is gone, or is another node by now; a manager in two rounds."""
    down = [node for node in nodes if node["Status"]["State"] == "down"]
    if not down:
        return
    living = here.living({_instance(node) for node in down})
    back = {_instance(node) for node in nodes if node["Status"]["State"] == "ready"}
    for node in down:
        if _instance(node) in living and _instance(node) not in back:
            continue
        if node["Spec"]["Role"] == "manager":
            _update(here, node, {**node["Spec"], "Role": "worker"})
        else:
            here.engine("DELETE", "/nodes/" + node["ID"] + "?force=1")


def _update(here: Any, node: dict[str, Any], spec: dict[str, Any]) -> None:
    here.engine("POST", "/nodes/" + node["ID"] + "/update?version=" + str(node["Version"]["Index"]), spec)


def _instance(node: dict[str, Any]) -> str:
    return str(node["Description"]["Hostname"].partition(".")[0])


def _managing(node: dict[str, Any]) -> dict[str, Any]:
    return node.get("ManagerStatus") or {}
