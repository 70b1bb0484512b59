#!/usr/bin/python3
"""Makes an EC2 instance a node of its swarm: user data has this file there, and systemd starts it.

It is Python because Amazon Linux has Python (3.9: nothing newer here) and no JSON tool for shells.
`swarm_boot.py prepare` sets Docker up before it starts. Without an argument it has the node join, tells the scaling
group, and stays: a worker follows if its swarm was lost and another one was started; managers do what swarm_tend.py
says, which only they have. Join tokens go through memory and Docker's socket, never on a command line or to disk.
"""

import http.client
import importlib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from typing import Any

SWARM_FILE = "/etc/teal/swarm.json"
FACTS_FILE = "/run/cloud-init/instance-data.json"
CLAIM_FILE = "/var/lib/teal/claim"
DAEMON_FILE = "/etc/docker/daemon.json"
RUN_FOLDER = "/run"  # in memory
DOCKER_SOCKET = RUN_FOLDER + "/docker.sock"
PORT = ":2377"
JOIN_SECONDS = 600
ENGINE_SECONDS = 60
AWS_SECONDS = 60
PAUSE_SECONDS = {"manager": 10, "worker": 60}
RETRY_SECONDS = 3


class Problem(Exception):
    """What holds the node up, in one line."""


class _Docker(http.client.HTTPConnection):
    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(ENGINE_SECONDS)
        self.sock.connect(DOCKER_SOCKET)


def engine(method: str, path: str, body: Any = None) -> Any:
    """What Docker answers, decoded. Raises Problem for a refusal, OSError where Docker does not run."""
    connection = _Docker("docker")
    try:
        given = None if body is None else json.dumps(body)
        connection.request(method, path, given, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        text = answer.read().decode()
    finally:
        connection.close()
    if answer.status >= 400:
        raise Problem("Docker refuses " + path + ": " + " ".join(text.split())[:300])
    return json.loads(text) if text.strip() else None


class Here:
    """This node: what it was told to be, where it is, and its way to Docker and AWS."""

    def __init__(self, spec: dict[str, Any], facts: dict[str, str]) -> None:
        self.spec, self.facts = spec, facts
        self.groups: dict[str, str] = {}

    def engine(self, method: str, path: str, body: Any = None) -> Any:
        """As the function of that name."""
        return engine(method, path, body)

    def aws(self, *words: str, given: Any = None) -> Any:
        """What the AWS command line prints; given is its input, kept off the command line. Raises Problem."""
        command = ["aws", *words, "--region", self.facts["region"], "--output", "json"]
        with tempfile.NamedTemporaryFile("w", prefix="teal-", dir=RUN_FOLDER) as file:  # nobody else may read it
            if given is not None:
                json.dump(given, file)
                file.flush()
                command += ["--cli-input-json", "file://" + file.name]
            done = subprocess.run(command, capture_output=True, check=False, text=True, timeout=AWS_SECONDS)
        if done.returncode:
            code = re.search(r"\((\w+)\)", done.stderr)  # the rest may repeat what was given
            raise Problem(" ".join(words[:2]) + ": " + (code[1] if code else "status " + str(done.returncode)))
        return json.loads(done.stdout) if done.stdout.strip() else None

    def read(self, leaves: list[str]) -> dict[str, str]:
        """The swarm's parameters of these names, ten at most; one that is not there is left out."""
        names = [self.spec["parameters"] + "/" + leaf for leaf in leaves]
        told = self.aws("ssm", "get-parameters", "--with-decryption", "--names", *names)
        return {each["Name"].rpartition("/")[2]: each["Value"] for each in told["Parameters"]}

    def put(self, leaf: str, value: str, *, secret: bool = False, overwrite: bool = True) -> bool:
        """Writes a parameter; False where it is there already and must not be overwritten."""
        given = {"Name": self.spec["parameters"] + "/" + leaf, "Value": value, "Overwrite": overwrite}
        given["Type"] = "SecureString" if secret else "String"
        if secret and self.spec["key"]:
            given["KeyId"] = self.spec["key"]
        try:
            self.aws("ssm", "put-parameter", given=given)
        except Problem as problem:
            if str(problem).endswith("ParameterAlreadyExists"):
                return False
            raise
        return True

    def published(self) -> dict[str, Any]:
        """What the leader has written of this very swarm: claim and members; empty before."""
        found = json.loads(self.read(["managers"]).get("managers", "{}"))
        return found if found.get("identity") == self.spec["identity"] else {}

    def living(self, instances: set[str]) -> dict[str, str]:
        """State of those of the instances that their scaling group still has."""
        if not instances:
            return {}
        ask = ["autoscaling", "describe-auto-scaling-instances", "--instance-ids", *sorted(instances)]
        members = self.aws(*ask)["AutoScalingInstances"]
        states = {each["InstanceId"]: each["LifecycleState"] for each in members}
        self.groups.update({each["InstanceId"]: each["AutoScalingGroupName"] for each in members})
        return {instance: state for instance, state in states.items() if state != "Terminated"}

    def peers(self) -> set[str]:
        """Other instances of this one's scaling group that are in service. Raises Problem where it is in no group."""
        members = self.aws("autoscaling", "describe-auto-scaling-instances")["AutoScalingInstances"]
        groups = {each["InstanceId"]: each["AutoScalingGroupName"] for each in members}
        me = self.facts["instance"]
        if me not in groups:
            raise Problem(me + " is in no scaling group")
        serving = {each["InstanceId"] for each in members if each["LifecycleState"] == "InService"}
        return {each for each in serving if groups[each] == groups[me]} - {me}

    def is_known(self) -> bool:
        """Whether those who come later find the node: a manager, once it is published."""
        members = {each["instance"] for each in self.published().get("members", [])}
        return self.spec["role"] != "manager" or self.facts["instance"] in members

    def claim(self) -> int:
        """Number of the claim by which this node got into its swarm; 0 for none."""
        try:
            with open(CLAIM_FILE, encoding="utf-8") as file:  # noqa: PTH123  # one line either way
                return int(file.read())
        except FileNotFoundError:
            return 0

    def remember(self, claim: int) -> None:
        """Keeps the number of the claim."""
        os.makedirs(os.path.dirname(CLAIM_FILE), exist_ok=True)  # noqa: PTH103, PTH120
        with open(CLAIM_FILE, "w", encoding="utf-8") as file:  # noqa: PTH123
            file.write(str(claim))

    def join(self, published: dict[str, Any]) -> None:
        """Joins the swarm that is published, without taking tasks before its zone is known. Raises Problem."""
        leaf = self.spec["role"] + "-token"
        token = self.read([leaf]).get(leaf)
        if token is None:
            raise Problem("there is no parameter " + leaf)
        addresses = [each["address"] + PORT for each in published["members"]]
        about = {"RemoteAddrs": addresses, "JoinToken": token, "Availability": "drain"}
        self.engine("POST", "/swarm/join", {**about, **self.listening()})
        self.remember(published["claim"])

    def listening(self) -> dict[str, str]:
        """Where the node hears others, and where they find it."""
        own = self.facts["address"]
        return {"ListenAddr": own + PORT, "AdvertiseAddr": own}

    def tell(self) -> bool:
        """Lets the scaling group put the instance into service; False while it does not listen yet."""
        me = self.facts["instance"]
        state = self.living({me}).get(me, "none")
        if state == "Pending:Wait":
            words = ["--lifecycle-action-result", "CONTINUE", "--lifecycle-hook-name", self.spec["hook"]]
            words += ["--instance-id", me, "--auto-scaling-group-name", self.groups[me]]
            self.aws("autoscaling", "complete-lifecycle-action", *words)
        return bool(state != "Pending")


def facts() -> dict[str, str]:
    """What cloud-init has heard from the metadata service: instance, region, zone, address."""
    with open(FACTS_FILE, encoding="utf-8") as file:  # noqa: PTH123
        known = json.load(file)
    about, ds = known["v1"], known["ds"]
    meta = ds.get("meta_data") or ds["meta-data"]  # versions of cloud-init differ
    found = {"instance": about["instance_id"], "region": about["region"], "zone": about["availability_zone"]}
    return {**found, "address": meta["local-ipv4"]}


def name_node(known: dict[str, str]) -> None:
    """Names the node after instance and zone: by that managers know what it is."""
    name = known["instance"] + "." + known["zone"]
    socket.sethostname(name)
    with open("/etc/hostname", "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write(name + "\n")


def prepare() -> None:
    """Has Docker give containers no new privileges, from its next start on."""
    settings = {}
    if os.path.exists(DAEMON_FILE):  # noqa: PTH110
        with open(DAEMON_FILE, encoding="utf-8") as file:  # noqa: PTH123
            settings = json.load(file)
    os.makedirs(os.path.dirname(DAEMON_FILE), exist_ok=True)  # noqa: PTH103, PTH120
    with open(DAEMON_FILE, "w", encoding="utf-8") as file:  # noqa: PTH123
        json.dump({**settings, "no-new-privileges": True}, file)


def step(here: Here, lead: Any) -> bool:
    """Has the node be in the swarm that is published; True if it was already. Raises Problem.

    lead is swarm_tend on a manager, else None.
    """
    swarm = here.engine("GET", "/info")["Swarm"]
    state = swarm["LocalNodeState"]
    published = here.published()
    claim = published.get("claim", here.claim())
    if state == "active" and (claim <= here.claim() if lead else claim == here.claim()):
        if lead:
            lead.tend(here, swarm["NodeID"])
        return True
    if state != "inactive":  # a join that failed, or the swarm is another one by now
        here.engine("POST", "/swarm/leave?force=1")
    if lead:
        lead.enter(here, published)
    elif published:
        here.join(published)
    else:
        raise Problem("no manager has told yet how to join")
    return False


def stay(here: Here, lead: Any) -> int:
    """Takes steps for ever; returns 1 where the node is in no swarm by the deadline."""
    deadline = time.monotonic() + JOIN_SECONDS
    is_in = is_told = False
    said = ""
    while is_in or time.monotonic() < deadline:
        now, pause = "", RETRY_SECONDS
        try:
            if step(here, lead):
                is_in, is_told = True, is_told or (here.is_known() and here.tell())
                pause = PAUSE_SECONDS[here.spec["role"]] if is_told else RETRY_SECONDS
        except (OSError, ValueError, KeyError, subprocess.SubprocessError, Problem) as problem:
            now, pause = type(problem).__name__ + ": " + str(problem), RETRY_SECONDS
        if now not in ("", said):
            sys.stderr.write(now + "\n")
        said = now
        time.sleep(pause)
    sys.stderr.write("this node is in no swarm after " + str(JOIN_SECONDS) + " s\n")
    return 1


def main(arguments: list[str]) -> int:
    """Does `prepare`, or has the node join and stays; returns the exit status."""
    if arguments == ["prepare"]:
        prepare()
        return 0
    with open(SWARM_FILE, encoding="utf-8") as file:  # noqa: PTH123
        spec = json.load(file)
    lead = importlib.import_module("swarm_tend") if spec["role"] == "manager" else None
    here = Here(spec, facts())
    name_node(here.facts)
    return stay(here, lead)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
