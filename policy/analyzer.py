"""The pack as the engine talks to it.

Not by pulumi_policy's PolicyPack: it keeps the stack's settings from the pack, and unpacks each resource once a rule.
"""

import sys
import threading
from collections.abc import Iterable, Mapping
from concurrent import futures
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc, plugin_pb2

from policy import wire
from policy.exemptions import BadExemptions, Exemptions, read
from policy.judge import Finding, Judge
from policy.model import Stack
from policy.rule import Rule, Scope, Severity

Level = Any
"""A level of the protocol's: a number, whose own type is there for type checkers only and not for programs."""
PACK = "teal"
SETTING = "teal:policy"
LEVELS = {
    "advisory": analyzer_pb2.ADVISORY,
    "mandatory": analyzer_pb2.MANDATORY,
}
SEVERITIES = {
    Severity.LOW: analyzer_pb2.POLICY_SEVERITY_LOW,
    Severity.MEDIUM: analyzer_pb2.POLICY_SEVERITY_MEDIUM,
    Severity.HIGH: analyzer_pb2.POLICY_SEVERITY_HIGH,
    Severity.CRITICAL: analyzer_pb2.POLICY_SEVERITY_CRITICAL,
}
SCOPES = {Scope.RESOURCE: analyzer_pb2.POLICY_TYPE_RESOURCE, Scope.STACK: analyzer_pb2.POLICY_TYPE_STACK}
MAX_MESSAGE_BYTES = 400 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Pack:
    """What is served: the rules, and the pack's version."""

    rules: tuple[Rule, ...]
    version: str
    project: Path
    """The folder of the program that is judged, with its exemptions."""


def level_of(config: Mapping[str, str]) -> Level:
    """How strict a stack is, by its setting teal:policy; mandatory where it has none. Raises ValueError."""
    wanted = config.get(SETTING, "mandatory")
    if wanted not in LEVELS:
        raise ValueError(f"{SETTING} is {wanted[:80]!r}: it must be one of {', '.join(LEVELS)}")
    return LEVELS[wanted]


class Analyzer(analyzer_pb2_grpc.AnalyzerServicer):
    """Answers the engine. Messages are in the SDK's analyzer.proto."""

    def __init__(self, pack: Pack) -> None:
        self._pack = pack
        self._stack = ""
        self._exemptions = Exemptions()
        self._default: Level = analyzer_pb2.MANDATORY
        self._levels: dict[str, Level] = {}

    def Handshake(self, request: Any, context: Any) -> Any:
        """Takes notice."""
        return analyzer_pb2.AnalyzerHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        """The pack's version."""
        return plugin_pb2.PluginInfo(version=self._pack.version)

    def ConfigureStack(self, request: Any, context: Any) -> Any:
        """Takes the stack's name and its settings, and reads the exemptions; refuses bad ones, by one line."""
        self._stack = request.stack
        try:
            self._default = level_of(request.config)
            self._exemptions = read(self._pack.project, frozenset(rule.id for rule in self._pack.rules))
        except (ValueError, BadExemptions) as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        return analyzer_pb2.AnalyzerStackConfigureResponse()

    def GetAnalyzerInfo(self, request: Any, context: Any) -> Any:
        """The rules, as strict as the stack is."""
        return analyzer_pb2.AnalyzerInfo(
            name=PACK,
            displayName="Teal",
            version=self._pack.version,
            supportsConfig=True,
            policies=[self._told(rule) for rule in self._pack.rules],
        )

    def Configure(self, request: Any, context: Any) -> Any:
        """Takes levels by rule, of --policy-pack-config, in place of the stack's own."""
        self._levels = {name: config.enforcementLevel for name, config in request.policyConfig.items()}
        return empty_pb2.Empty()

    def Analyze(self, request: Any, context: Any) -> Any:
        """Judges a resource that is about to be made."""
        return self._answer(self._judge().one(wire.resource(request)))

    def AnalyzeStack(self, request: Any, context: Any) -> Any:
        """Judges how the resources of a stack belong together."""
        return self._answer(self._judge().all(Stack(tuple(wire.resource(each) for each in request.resources))))

    def Remediate(self, request: Any, context: Any) -> Any:
        """Changes nothing: what is wrong is for the program's author to mend."""
        return analyzer_pb2.RemediateResponse()

    def Cancel(self, request: Any, context: Any) -> Any:
        """Has nothing to stop."""
        return empty_pb2.Empty()

    def _judge(self) -> Judge:
        rules = tuple(rule for rule in self._pack.rules if self._level(rule) != analyzer_pb2.DISABLED)
        return Judge(rules, self._exemptions, self._stack, datetime.now(UTC).date())

    def _level(self, rule: Rule) -> Level:
        level = self._levels.get(rule.id, self._default)
        return analyzer_pb2.MANDATORY if level == analyzer_pb2.REMEDIATE else level

    def _answer(self, findings: Iterable[Finding]) -> Any:
        return analyzer_pb2.AnalyzeResponse(diagnostics=[self._diagnostic(finding) for finding in findings])

    def _diagnostic(self, finding: Finding) -> Any:
        return analyzer_pb2.AnalyzeDiagnostic(
            policyName=finding.rule.id,
            policyPackName=PACK,
            policyPackVersion=self._pack.version,
            description=finding.rule.title,
            message=f"{finding.rule.title}\n{finding.message}",
            enforcementLevel=self._level(finding.rule) if finding.is_violation else analyzer_pb2.ADVISORY,
            severity=SEVERITIES[finding.rule.severity],
            urn=finding.resource.urn,
        )

    def _told(self, rule: Rule) -> Any:
        return analyzer_pb2.PolicyInfo(
            name=rule.id,
            displayName=rule.title,
            description=rule.reason,
            enforcementLevel=self._default,
            severity=SEVERITIES[rule.severity],
            policy_type=SCOPES[rule.scope],
            remediation_steps=rule.remedy,
        )


def serve(pack: Pack) -> None:
    """Serves on loopback until the engine ends this process; the port is the first line of standard output."""
    limits = [("grpc.max_receive_message_length", MAX_MESSAGE_BYTES), ("grpc.so_reuseport", 0)]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4), options=limits)
    analyzer_pb2_grpc.add_AnalyzerServicer_to_server(Analyzer(pack), server)
    sys.stdout.write(f"{server.add_insecure_port('127.0.0.1:0')}\n")
    sys.stdout.flush()
    server.start()
    threading.Event().wait()
