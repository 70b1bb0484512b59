import json
from typing import Any

import pytest
import yaml

from components.app_secrets import AppSecrets
from components.boot.user_data import Container, user_data
from components.fleet import Fleet
from components.servers.instance_role import instance_policy
from deployed import Deployment, deploy
from policy.rules.servers import secrets_in

ARN = "arn:aws:ssm:eu-west-1:123456789012:parameter/teal-app/dev/"
VALUES = {"DATABASE_URL": "postgres://u:hunter2@db", "API_KEY": "k"}
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop@sha256:" + "a" * 64


def made(**changes: Any) -> Deployment:
    return deploy(lambda: AppSecrets("app", {"environment": "dev", "values": VALUES, **changes}))  # type: ignore[typeddict-item]


def test_each_secret_is_an_encrypted_parameter_that_a_program_knows_for_one() -> None:
    found = made(tags={"Team": "shop"}).of_type("parameter:Parameter")
    assert set(found) == {"app-DATABASE_URL", "app-API_KEY"}
    for name, parameter in found.items():
        variable = name.removeprefix("app-")
        assert parameter.inputs["name"] == f"/teal-app/dev/{variable}"
        assert parameter.inputs["type"] == "SecureString"
        assert parameter.inputs["tags"] == {"Team": "shop", "Name": name}
        assert parameter.inputs["value"].keys() >= {"value"}, "a secret on the wire is a value with a mark"
        assert parameter.inputs["value"]["value"] == VALUES[variable]


def test_its_tree_is_none_that_releases_look_at_by_path() -> None:
    names = [each.inputs["name"] for each in made().of_type("parameter:Parameter").values()]
    assert not [name for name in names if name.startswith("/teal/")]


@pytest.mark.parametrize("name", ["TEAL_DIGEST", "A-B", "1A", "", "A=B", "A/../B"])
def test_a_variable_that_may_not_be_set_is_refused_without_its_value(name: str) -> None:
    with pytest.raises(ValueError, match="environment may not set") as caught:
        made(values={name: "hunter2"})
    assert "hunter2" not in str(caught.value)


def test_an_environment_that_parameters_can_not_be_named_after_is_refused() -> None:
    with pytest.raises(ValueError, match="environment must be 1 to 100 letters"):
        made(environment="de v")


def test_user_data_names_parameters_and_holds_no_value() -> None:
    container = Container(
        image=IMAGE, port=8080, colour="blue", environment={}, secret_arns={"API_KEY": ARN + "API_KEY"}
    )
    assert spec_of(container)["secrets"] == [["API_KEY", "/teal-app/dev/API_KEY"]]
    assert "secrets" not in spec_of(Container(image=IMAGE, port=1, colour="blue", environment={}))


@pytest.mark.parametrize("variable", ["DB_PASSWORD", "CLIENT_SECRET", "API_TOKEN", "AWS_SECRET_ACCESS_KEY"])
def test_the_policy_finds_no_secret_in_that_user_data(variable: str) -> None:
    container = Container(image=IMAGE, port=8080, colour="blue", environment={}, secret_arns={variable: ARN + variable})
    assert list(secrets_in(user_data(container, "logs"))) == []


def spec_of(container: Container) -> dict[str, Any]:
    files = yaml.safe_load(user_data(container, "logs"))["write_files"]
    [content] = [file["content"] for file in files if file["path"] == "/etc/teal/container.json"]
    return dict(json.loads(content))


@pytest.mark.parametrize(
    ("secrets", "environment", "reason"),
    [
        ({"A": "/teal-app/dev/A"}, {}, "the secret 'A' must be the ARN of an SSM parameter"),
        ({"A": ARN + "A"}, {"A": "1"}, "'A' is both in environment and a secret"),
        ({"TEAL_A": ARN + "A"}, {}, "environment may not set 'TEAL_A'"),
    ],
)
def test_a_secret_that_can_not_be_handed_over_is_refused(
    secrets: dict[str, str], environment: dict[str, str], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        Container(image=IMAGE, port=8080, colour="blue", environment=environment, secret_arns=secrets)


def statements(secrets: dict[str, str]) -> dict[str, Any]:
    document = json.loads(instance_policy("arn:repository", "arn:logs", secrets))
    return {each["Sid"]: each for each in document["Statement"]}


def test_an_instance_reads_its_own_secrets_and_no_other_parameter() -> None:
    found = statements({"B": ARN + "B", "A": ARN + "A"})
    assert found["Secrets"]["Action"] == "ssm:GetParameters"
    assert found["Secrets"]["Resource"] == [ARN + "A", ARN + "B"]
    denial = found["NoOtherParameters"]
    assert (denial["Effect"], denial["NotResource"]) == ("Deny", [ARN + "A", ARN + "B"])
    assert denial["Action"] == ["ssm:GetParameter", "ssm:GetParameters"]


def test_an_instance_without_secrets_reads_no_parameter() -> None:
    found = statements({})
    assert "Secrets" not in found
    assert (found["NoOtherParameters"]["Effect"], found["NoOtherParameters"]["Resource"]) == ("Deny", "*")


def test_a_fleet_hands_on_what_app_secrets_made() -> None:
    args: Any = {
        "colour": "blue", "image": IMAGE, "capacity": 1, "min_size": 1, "max_size": 2, "instance_types": ["t4g.small"],
        "vpc_id": "vpc-1", "subnet_ids": ["subnet-a"], "load_balancer_security_group_id": "sg-1",
        "target_group_arn": "arn:blue", "repository_arn": "arn:repository", "log_group_name": "logs",
        "log_group_arn": "arn:logs", "secret_parameter_arns": {"API_KEY": ARN + "API_KEY"},
        "permissions_boundary_arn": "arn:aws:iam::123456789012:policy/boundary",
    }  # fmt: skip
    found = deploy(lambda: Fleet("blue", args)).resources
    assert "ssm:GetParameters" in found["blue-pull-and-log"].inputs["policy"]
    assert found["blue-role"].inputs["permissionsBoundary"] == "arn:aws:iam::123456789012:policy/boundary"
