"""The pack as the engine talks to it: levels, unknown values, secrets, whole stacks."""

from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import struct_pb2
from pulumi.runtime.proto import analyzer_pb2
from pulumi_policy import proxy

from policy.analyzer import Analyzer, Pack
from policy.rules import RULES

SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
SUBNET = "aws:ec2/subnet:Subnet"
NOWHERE = Path("/nowhere")
BUCKET = "aws:s3/bucket:Bucket"


class Refused(Exception):
    """What a call was ended with."""


class Context:
    def abort(self, code: grpc.StatusCode, told: str) -> None:
        raise Refused(f"{code.name}: {told}")


def analyzer(folder: Path = NOWHERE, **config: str) -> Analyzer:
    served = Analyzer(Pack(RULES, "1.0.0", folder))
    told = {f"teal:{name}": value for name, value in config.items()}
    served.ConfigureStack(analyzer_pb2.AnalyzerStackConfigureRequest(stack="prod", config=told), Context())
    return served


def struct(**values: Any) -> struct_pb2.Struct:
    made = struct_pb2.Struct()
    made.update(values)
    return made


def asked(served: Analyzer, kind: str = SUBNET, **values: Any) -> dict[str, Any]:
    """By rule, what is said about one resource."""
    request = analyzer_pb2.AnalyzeRequest(type=kind, name="net-a", urn="urn:net-a", properties=struct(**values))
    return {each.policyName: each for each in served.Analyze(request, Context()).diagnostics}


def test_a_violation_says_what_why_and_what_to_do() -> None:
    said = asked(analyzer(), mapPublicIpOnLaunch=True)["subnet-private-addresses"]
    assert said.enforcementLevel == analyzer_pb2.MANDATORY
    assert said.message == (
        "Subnets give no public addresses by themselves\n"
        "net-a: mapPublicIpOnLaunch is true. A server started there by mistake would be on the internet at once. "
        "Set map_public_ip_on_launch=False and give an address to what needs one."
    )
    assert asked(analyzer(), mapPublicIpOnLaunch=False) == {}


def test_the_stacks_own_setting_says_how_strict_it_is() -> None:
    for word, level in (("advisory", analyzer_pb2.ADVISORY), ("mandatory", analyzer_pb2.MANDATORY)):
        served = analyzer(policy=word)
        assert asked(served, mapPublicIpOnLaunch=True)["subnet-private-addresses"].enforcementLevel == level
        assert {rule.enforcementLevel for rule in served.GetAnalyzerInfo(None, None).policies} == {level}
    with pytest.raises(Refused, match="INVALID_ARGUMENT: teal:policy is 'off': it must be one of advisory, mandatory"):
        analyzer(policy="off")


def test_the_projects_exemptions_are_heeded_and_bad_ones_refused(tmp_path: Path) -> None:
    entry = "{id: subnet-private-addresses, resource: net-a, reason: public servers stand in it by design, owner: o"
    file = tmp_path / "policy-exemptions.yaml"
    file.write_text(f"- {entry}, expires: 2999-12-31}}")
    assert asked(analyzer(tmp_path), mapPublicIpOnLaunch=True) == {}
    file.write_text(f"- {entry}, expires: 2020-12-31}}")
    assert "exemption ended on 2020-12-31" in str(asked(analyzer(tmp_path), mapPublicIpOnLaunch=True))
    file.write_text(f"- {entry}}}")
    with pytest.raises(Refused, match=r"INVALID_ARGUMENT: policy-exemptions\.yaml: entry 1 expires: Field required"):
        analyzer(tmp_path)


def test_a_rule_can_be_set_by_itself() -> None:
    served = analyzer()
    for level, expected in (
        (analyzer_pb2.ADVISORY, [analyzer_pb2.ADVISORY]),
        (analyzer_pb2.REMEDIATE, [analyzer_pb2.MANDATORY]),
        (analyzer_pb2.DISABLED, []),
    ):
        config = {"subnet-private-addresses": analyzer_pb2.PolicyConfig(enforcementLevel=level)}
        served.Configure(analyzer_pb2.ConfigureAnalyzerRequest(policyConfig=config), Context())
        said = asked(served, mapPublicIpOnLaunch=True)
        assert [each.enforcementLevel for each in said.values()] == expected


@pytest.mark.parametrize("unknown", [proxy.UNKNOWN_BOOLEAN_VALUE, proxy.UNKNOWN_STRING_VALUE])
def test_what_is_not_known_yet_is_told_and_stops_nothing(unknown: str) -> None:
    said = asked(analyzer(), mapPublicIpOnLaunch=unknown)["subnet-private-addresses"]
    assert said.enforcementLevel == analyzer_pb2.ADVISORY
    assert said.message.endswith(
        "mapPublicIpOnLaunch is not known in a preview; "
        "subnet-private-addresses is decided in the update, before it is made"
    )


def test_a_secret_is_looked_into_and_not_repeated() -> None:
    plain = "export DB_PASSWORD=hunter2hunter2"
    said = asked(analyzer(), "aws:ec2/instance:Instance", userData={**SECRET, "value": plain})
    assert "user-data-no-secrets" in said
    assert not any("hunter2" in str(each) for each in said.values())


def test_a_whole_stack_is_judged_by_how_its_resources_belong_together() -> None:
    bucket = analyzer_pb2.AnalyzerResource(type=BUCKET, name="logs", urn="urn:logs", properties=struct(id="logs-1"))
    owner = analyzer_pb2.AnalyzerResource(
        type="aws:s3/bucketOwnershipControls:BucketOwnershipControls",
        name="owner",
        urn="urn:owner",
        properties=struct(bucket=proxy.UNKNOWN_STRING_VALUE, rule={"objectOwnership": "BucketOwnerEnforced"}),
        propertyDependencies={"bucket": analyzer_pb2.AnalyzerPropertyDependencies(urns=["urn:logs"])},
    )
    answers = [
        {each.policyName: each for each in analyzer().AnalyzeStack(request, Context()).diagnostics}
        for request in (
            analyzer_pb2.AnalyzeStackRequest(resources=[bucket]),
            analyzer_pb2.AnalyzeStackRequest(resources=[bucket, owner]),
        )
    ]
    assert answers[0].keys() - answers[1].keys() == {"bucket-no-acls"}
    assert answers[0]["bucket-no-acls"].urn == "urn:logs"


def test_the_engine_is_told_of_every_rule_once() -> None:
    told = analyzer().GetAnalyzerInfo(None, None).policies
    assert sorted(rule.name for rule in told) == sorted(rule.id for rule in RULES)
    assert all(rule.remediation_steps and rule.description and rule.severity for rule in told)
