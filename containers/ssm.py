"""Containers of instances on AWS, by Systems Manager: no port is open, and every command is in CloudTrail."""

import json
import os
import re
import secrets
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from botocore.exceptions import ClientError

from containers import docker
from containers.docker_hands import Answer, DockerHands, Shell
from containers.errors import NoPlugin
from containers.model import Instance, Invocation
from containers.roster import Roster

SCRIPT, INTERACTIVE = "AWS-RunShellScript", "AWS-StartInteractiveCommand"
"""Documents of AWS's own, in every account."""
MOST_INSTANCES = 50
LEAST_DELIVERY_SECONDS = 30
POLL_SECONDS = 0.4
UNKNOWN = "SSM does not know it: its agent has not registered, or has gone away"
PLUGIN = "session-manager-plugin"
LEAST_PLUGIN = (1, 2, 497)
"""The first that takes a session's token from the environment: on a command line everybody could read it."""
TOKEN_VARIABLE = "AWS_SSM_START_SESSION_RESPONSE"  # noqa: S105  # the variable's name, which the plugin knows
WHERE = "https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-install-plugin.html"
EXIT_MARK = "\033]7337;{nonce};"
"""A control sequence that terminals pass over in silence: what stands between it and BEL is the exit code."""


class Ssm(Protocol):
    """What is used of boto3's SSM client."""

    @property
    def meta(self) -> Any:
        """Its endpoint and region."""

    def send_command(self, **arguments: Any) -> Any:
        """Has instances run a document."""

    def get_command_invocation(self, **arguments: Any) -> Any:
        """Reads what came of it on one instance."""

    def start_session(self, **arguments: Any) -> Any:
        """Opens a session, and gives the token for it."""


class RunCommand:
    """Implements Shell by SSM's Run Command: scripts run as root on the instances."""

    def __init__(
        self,
        client: Ssm,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client, self._sleep, self._clock = client, sleep, clock

    def run(self, scripts: Mapping[str, str], seconds: float) -> Mapping[str, Answer]:
        """The answer of each, all sent before the first is waited for, so that all have the same deadline.

        The same script goes to up to 50 instances by one call.
        """
        sent: dict[str, str | Answer] = {}
        for script in dict.fromkeys(scripts.values()):
            names = [name for name, each in scripts.items() if each == script]
            for first in range(0, len(names), MOST_INSTANCES):
                sent |= self._send(names[first : first + MOST_INSTANCES], script, seconds)
        deadline = self._clock() + seconds
        return {name: self._answer(sent[name], name, deadline, seconds) for name in scripts}

    def _send(self, names: Sequence[str], script: str, seconds: float) -> dict[str, str | Answer]:
        """The id of the command that each got, or why it got none."""
        try:
            sent = self._client.send_command(
                DocumentName=SCRIPT,
                InstanceIds=list(names),
                Parameters={"commands": [script], "executionTimeout": [str(round(seconds))]},
                TimeoutSeconds=max(LEAST_DELIVERY_SECONDS, round(seconds)),
                Comment="teal containers",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "InvalidInstanceId":
                raise
            if len(names) == 1:
                return {names[0]: Answer(problem=UNKNOWN)}
            half = len(names) // 2  # one of them is not known: the others' answers are wanted all the same
            return self._send(names[:half], script, seconds) | self._send(names[half:], script, seconds)
        return dict.fromkeys(names, str(sent["Command"]["CommandId"]))

    def _answer(self, sent: str | Answer, name: str, deadline: float, seconds: float) -> Answer:
        return sent if isinstance(sent, Answer) else self._await(sent, name, deadline, seconds)

    def _await(self, command: str, name: str, deadline: float, seconds: float) -> Answer:
        while True:
            told = self._invocation(command, name)
            if told and (answer := _answer(told)):
                return answer
            if self._clock() > deadline:
                status = told["StatusDetails"] if told else "not delivered"
                return Answer(problem=f"no answer within {seconds:.0f} s ({status}): does its SSM agent run?")
            self._sleep(POLL_SECONDS)

    def _invocation(self, command: str, name: str) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._client.get_command_invocation(CommandId=command, InstanceId=name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "InvocationDoesNotExist":  # for a moment after it was sent
                raise
            return None
        return found


class SessionHands(DockerHands):
    """The parts of Hands that are the same for all containers that Systems Manager reaches."""

    def __init__(
        self, client: Ssm, shell: Shell | None = None, name_of: Callable[[Instance], str] = lambda _: docker.CONTAINER
    ) -> None:
        super().__init__(shell or RunCommand(client), name_of)
        self._client = client

    @property
    def silent(self) -> Mapping[str, str]:
        """Nobody is: a server that does not answer is told with the instance that it is."""
        return {}

    def check_entry(self) -> None:
        """Raises NoPlugin without the session-manager-plugin."""
        _plugin()

    def invocation(self, instance: Instance, command: Sequence[str], *, has_terminal: bool) -> Invocation:
        """A session that runs the command in the container. Raises NoPlugin.

        Sessions have a terminal always. The token goes to the plugin by its environment.
        """
        plugin = _plugin()
        nonce = secrets.token_hex(8)
        words = ["sudo", *docker.execution(command, self._name_of(instance), has_terminal=True)]
        script = f"{shlex.join(words)}; printf '\\033]7337;%s;%d\\007' {nonce} $?"
        asked = {"Target": instance.server, "DocumentName": INTERACTIVE, "Parameters": {"command": [script]}}
        session = self._client.start_session(**asked)
        token = {name: session[name] for name in ("SessionId", "TokenValue", "StreamUrl")}
        meta = self._client.meta
        return Invocation(
            command=[
                *(plugin, TOKEN_VARIABLE, meta.region_name, "StartSession"),
                *(os.environ.get("AWS_PROFILE", ""), json.dumps(asked), meta.endpoint_url),
            ],
            environment={**os.environ, TOKEN_VARIABLE: json.dumps(token)},
            folder=Path.cwd(),
            has_terminal=True,
            exit_mark=EXIT_MARK.format(nonce=nonce).encode(),
        )


class SsmHands(SessionHands):
    """Implements Hands for an environment on AWS whose servers run one container each."""

    comes_back = "systemd starts it again on the same server"

    def __init__(self, roster: Roster, client: Ssm, shell: Shell | None = None) -> None:
        super().__init__(client, shell)
        self._roster = roster

    def instances(self) -> Sequence[Instance]:
        """Every instance of both colours."""
        return self._roster.instances()


def _plugin() -> str:
    """The session-manager-plugin's path. Raises NoPlugin where there is none, or one that is too old."""
    found = shutil.which(PLUGIN)
    if found is None:
        raise NoPlugin(f"exec on AWS needs the {PLUGIN}, which is not in PATH: {WHERE}")
    try:
        done = subprocess.run([found, "--version"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NoPlugin(f"{found} does not say its version: {error}") from error
    version = re.match(r"(\d+)\.(\d+)\.(\d+)", done.stdout.strip())
    if version is None or tuple(int(part) for part in version.groups()) < LEAST_PLUGIN:
        least = ".".join(map(str, LEAST_PLUGIN))
        raise NoPlugin(f"{found} is {done.stdout.strip() or 'of no version'}, and {least} is needed: {WHERE}")
    return found


def _answer(told: Mapping[str, Any]) -> Answer | None:
    """None while it is under way."""
    if told["Status"] in ("Pending", "InProgress", "Delayed", "Cancelling"):
        return None
    if told["Status"] in ("Success", "Failed") and told["ResponseCode"] >= 0:
        return Answer(
            code=int(told["ResponseCode"]), out=told["StandardOutputContent"], err=told["StandardErrorContent"]
        )
    return Answer(problem=f"SSM says {told['StatusDetails']}")
