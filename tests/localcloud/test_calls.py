"""Calls as boto3 really sends them, through the recorder."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from localcloud.api.recorder import Recorded, recorded, recording
from localcloud.api.server import ApiServer, WsgiApp

ROLE = "arn:aws:iam::123456789012:role/blue"
REFUSAL = b"<ErrorResponse><Error><Code>No</Code><Message>no</Message></Error></ErrorResponse>"
TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/ledger"


@dataclass(frozen=True)
class Heard:
    """A recorder before an API that refuses everything."""

    url: str
    file: Path
    bodies: list[bytes]

    def needed(self, service: str, method: str, **arguments: Any) -> list[tuple[str, str]]:
        """Action and resource of what one call needed."""
        before = len(recorded(self.file))
        with pytest.raises(ClientError):
            getattr(client(service, self.url), method)(**arguments)
        found = recorded(self.file)[before:]
        assert {line.who for line in found} <= {"somebody"}
        return [(line.action, line.resource) for line in found]


@cache
def client(service: str, url: str) -> Any:
    session = boto3.Session(aws_access_key_id="somebody", aws_secret_access_key="x", region_name="eu-west-1")
    make: Any = session.client
    return make(service, endpoint_url=url)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Heard]:
    bodies: list[bytes] = []

    def refusing(_: WsgiApp) -> WsgiApp:
        def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            bodies.append(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))
            content = b"" if environ["REQUEST_METHOD"] == "HEAD" else REFUSAL
            start_response("404 Not Found", [("Content-Length", str(len(content)))])
            return [content]

        return application

    file = tmp_path_factory.mktemp("calls") / "calls.jsonl"
    with ApiServer([refusing, recording(file)]) as server:
        yield Heard(server.url, file, bodies)


@pytest.mark.parametrize(
    ("service", "method", "arguments", "wanted"),
    [
        ("s3", "list_objects_v2", {"Bucket": "logs"}, [("s3:ListBucket", "arn:aws:s3:::logs")]),
        ("s3", "head_bucket", {"Bucket": "logs"}, [("s3:ListBucket", "arn:aws:s3:::logs")]),
        ("s3", "head_object", {"Bucket": "logs", "Key": "a/b"}, [("s3:GetObject", "arn:aws:s3:::logs/a/b")]),
        ("s3", "get_bucket_encryption", {"Bucket": "logs"}, [("s3:GetEncryptionConfiguration", "arn:aws:s3:::logs")]),
        ("s3", "get_bucket_tagging", {"Bucket": "logs"}, [("s3:GetBucketTagging", "arn:aws:s3:::logs")]),
        ("s3", "delete_public_access_block", {"Bucket": "b"}, [("s3:PutBucketPublicAccessBlock", "arn:aws:s3:::b")]),
        ("iam", "get_role", {"RoleName": "blue"}, [("iam:GetRole", ROLE)]),
        ("cloudwatch", "get_metric_data", {"MetricDataQueries": [], "StartTime": 0, "EndTime": 1},
         [("cloudwatch:GetMetricData", "*")]),
        ("elbv2", "describe_listeners", {}, [("elasticloadbalancing:DescribeListeners", "*")]),
        ("dynamodb", "get_item", {"TableName": "ledger", "Key": {"pk": {"S": "a"}}}, [("dynamodb:GetItem", TABLE)]),
        ("ssm", "get_parameter", {"Name": "/aws/service/x"},
         [("ssm:GetParameter", "arn:aws:ssm:eu-west-1::parameter/aws/service/x")]),
        ("ssm", "get_parameter", {"Name": "/teal/dev/ledger"},
         [("ssm:GetParameter", "arn:aws:ssm:eu-west-1:123456789012:parameter/teal/dev/ledger")]),
        ("ec2", "describe_vpcs", {}, [("ec2:DescribeVpcs", "*")]),
        ("ec2", "delete_vpc", {"VpcId": "vpc-1"}, [("ec2:DeleteVpc", "?")]),
        ("route53", "get_change", {"Id": "C1"}, [("route53:GetChange", "arn:aws:route53:::change/C1")]),
        ("route53", "list_resource_record_sets", {"HostedZoneId": "Z1"},
         [("route53:ListResourceRecordSets", "arn:aws:route53:::hostedzone/Z1")]),
        ("sts", "get_caller_identity", {}, []),
    ],
)  # fmt: skip
def test_a_call_in_iams_words(
    api: Heard, service: str, method: str, arguments: dict[str, Any], wanted: list[tuple[str, str]]
) -> None:
    assert api.needed(service, method, **arguments) == wanted


def test_a_transaction_needs_what_its_items_need(api: Heard) -> None:
    key = {"pk": {"S": "a"}}
    items = [
        {"Put": {"TableName": "ledger", "Item": key}},
        {"Update": {"TableName": "ledger", "Key": key, "UpdateExpression": "SET a = b"}},
        {"ConditionCheck": {"TableName": "ledger", "Key": key, "ConditionExpression": "attribute_exists(pk)"}},
    ]
    wanted = [(f"dynamodb:{name}", TABLE) for name in ("PutItem", "UpdateItem", "ConditionCheckItem")]
    assert api.needed("dynamodb", "transact_write_items", TransactItems=items) == wanted


def test_tags_at_creation_need_the_tagging_action_too(api: Heard) -> None:
    arguments = {"RoleName": "blue", "AssumeRolePolicyDocument": "{}"}
    assert api.needed("iam", "create_role", **arguments) == [("iam:CreateRole", ROLE)]
    tagged = api.needed("iam", "create_role", **arguments, Tags=[{"Key": "a", "Value": "b"}])
    assert tagged == [("iam:CreateRole", ROLE), ("iam:TagRole", ROLE)]
    specification = [{"ResourceType": "vpc", "Tags": [{"Key": "a", "Value": "b"}]}]
    vpc = api.needed("ec2", "create_vpc", CidrBlock="10.0.0.0/16", TagSpecifications=specification)
    assert vpc == [("ec2:CreateVpc", "?"), ("ec2:CreateTags", "?")]


def test_a_group_that_launches_from_a_template_passes_a_role_that_the_request_does_not_tell(api: Heard) -> None:
    found = api.needed("autoscaling", "update_auto_scaling_group", AutoScalingGroupName="blue")
    assert found[0][0] == "autoscaling:UpdateAutoScalingGroup"
    assert found[0][1].endswith("autoScalingGroupName/blue")
    assert set(found[1:]) == {("ec2:RunInstances", "?"), ("ec2:CreateTags", "?"), ("iam:PassRole", "?")}


def test_a_role_in_a_profile_is_passed_by_name(api: Heard) -> None:
    found = api.needed("iam", "add_role_to_instance_profile", InstanceProfileName="p", RoleName="blue")
    profile = "arn:aws:iam::123456789012:instance-profile/p"
    assert found == [("iam:AddRoleToInstanceProfile", profile), ("iam:PassRole", ROLE)]


def test_the_api_gets_the_body_that_was_read(api: Heard) -> None:
    api.needed("ssm", "put_parameter", Name="/long", Value="x" * 4000, Type="String")
    assert b"x" * 4000 in api.bodies[-1]


def test_the_record_holds_no_values_and_is_for_its_owner_alone(api: Heard) -> None:
    api.needed("ssm", "put_parameter", Name="/secret", Value="planted-secret", Type="SecureString")
    assert "planted-secret" not in api.file.read_text()
    assert api.file.stat().st_mode & 0o077 == 0


def test_nothing_is_recorded_where_nobody_records(tmp_path: Path) -> None:
    assert recorded(tmp_path / "calls.jsonl") == []


def test_a_line_of_something_else_is_refused() -> None:
    with pytest.raises(TypeError):
        Recorded.parse('{"other": 1}')
