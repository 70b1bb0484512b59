import uuid
from typing import Any

import pytest

from localcloud.provider.errors import ApiRefused, UnknownProperty

PARAMETER = "aws:ssm/parameter:Parameter"
GET = "aws:ssm/getParameter:getParameter"
BY_PATH = "aws:ssm/getParametersByPath:getParametersByPath"
SECRET = "hunter2-and-more"


@pytest.fixture
def path() -> str:
    return f"/teal/{uuid.uuid4().hex}"


def test_a_parameter_changes_in_place(engine: Any, path: str) -> None:
    inputs = {"name": f"{path}/ledger", "type": "String", "value": "one", "description": "Table", "tags": {"A": "1"}}
    parameter = engine.create(PARAMETER, inputs)
    assert parameter.outputs["arn"] == f"arn:aws:ssm:eu-west-1:123456789012:parameter{path}/ledger"
    assert inputs.items() <= parameter.imported().items()
    parameter.update(value="two", allowedPattern="^t", tags={"B": "2"})
    assert parameter.outputs["version"] == 2
    parameter.update(allowedPattern=None, description=None, tier="Advanced")
    parameter.update(type="SecureString")
    assert parameter.diff(tier=None).replaces == ("tier",)
    assert parameter.diff(name=f"{path}/other").replaces == ("name",)
    parameter.delete()


def test_a_parameter_written_by_somebody_else_is_seen(engine: Any, path: str) -> None:
    parameter = engine.create(PARAMETER, {"name": f"{path}/header", "type": "SecureString", "value": SECRET})
    engine.api.call("ssm", "put_parameter", Name=parameter.id, Value="another", Type="String", Overwrite=True)
    assert (parameter.refresh()["value"], parameter.refresh()["type"]) == ("another", "String")


def test_a_parameter_that_is_there_is_overwritten_only_when_told(engine: Any, path: str) -> None:
    inputs = {"name": f"{path}/ledger", "type": "String", "value": "one"}
    engine.create(PARAMETER, inputs)
    with pytest.raises(ApiRefused, match="ParameterAlreadyExists"):
        engine.create(PARAMETER, {**inputs, "value": "two"})
    taken = engine.create(PARAMETER, {**inputs, "value": "two", "overwrite": True, "tags": {"Team": "shop"}})
    assert taken.outputs["version"] == 2


def test_a_secret_is_in_no_refusal(engine: Any) -> None:
    inputs = {"name": "/teal/secret", "type": "SecureString", "value": SECRET * 1000, "allowedPattern": r"^\d+$"}
    reasons = engine.refusals(PARAMETER, inputs)
    assert "must match allowedPattern" in reasons["value"]
    assert "hunter2" not in str(reasons)


def test_a_secret_is_in_no_error_of_the_api(engine: Any, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(service: str, method: str, **parameters: Any) -> Any:
        raise ApiRefused(f"{service} {method}", "ValidationException", f"value {parameters.get('Value')} is odd")

    checked = engine.check(PARAMETER, {"name": f"{path}/header", "type": "SecureString", "value": SECRET})
    monkeypatch.setattr(engine.api, "call", refuse)
    with pytest.raises(ApiRefused) as failure:
        engine.package.types[PARAMETER].create(engine.api, checked)
    assert str(failure.value) == "ssm put_parameter: ValidationException: value [secret] is odd"
    assert failure.value.__suppress_context__


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("name", "aws-thing", "name must not begin with aws or ssm"),
        ("name", "/AWS/thing", "name must not begin with aws or ssm"),
        ("name", "teal/ledger", "name must begin with a slash where it has one"),
        ("name", "/teal//ledger", "have no empty level"),
        ("name", "/a b", "name must be 1 to 1011 letters"),
        ("name", "/x" * 16, "name may have 15 levels, got 16"),
        ("type", "Text", "type must be one of String, StringList, SecureString"),
        ("tier", "Gold", "tier must be one of Standard, Advanced"),
        ("value", "", "value must have 1 to 4096 bytes in tier Standard, got 0"),
        ("value", "x" * 4097, "value must have 1 to 4096 bytes in tier Standard, got 4097"),
        ("keyId", "alias/mine", "keyId must be given for type SecureString only"),
        ("allowedPattern", "(", "allowedPattern must be a regular expression"),
    ],
)
def test_what_ssm_refuses_of_a_parameter(engine: Any, name: str, value: str, reason: str) -> None:
    inputs = {"name": "/teal/dev/ledger", "type": "String", "value": "x", "tier": "Standard", name: value}
    assert reason in engine.refusals(PARAMETER, inputs)[name]


@pytest.mark.parametrize("processor", ["arm64", "x86_64"])
def test_the_newest_amazon_linux_has_a_parameter(engine: Any, processor: str) -> None:
    name = f"/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-{processor}"
    assert engine.lookup(GET, name=name)["value"].startswith("ami-")


def test_lookups_decrypt_unless_told_otherwise(engine: Any, path: str) -> None:
    engine.create(PARAMETER, {"name": f"{path}/header", "type": "SecureString", "value": SECRET})
    assert engine.lookup(GET, name=f"{path}/header")["value"] == SECRET
    assert "insecureValue" not in engine.lookup(GET, name=f"{path}/header")
    assert engine.lookup(GET, name=f"{path}/header", withDecryption=False)["value"] != SECRET


def test_a_missing_parameter_is_an_error_and_an_empty_path_is_none(engine: Any, path: str) -> None:
    with pytest.raises(ApiRefused, match="ParameterNotFound"):
        engine.lookup(GET, name=f"{path}/ledger")
    assert engine.lookup(BY_PATH, path=path)["names"] == []
    with pytest.raises(UnknownProperty, match="shout"):
        engine.lookup(BY_PATH, path=path, shout=True)


def test_a_path_tells_its_parameters_side_by_side(engine: Any, path: str) -> None:
    for number in range(11):  # more than SSM tells at once
        engine.create(PARAMETER, {"name": f"{path}/p{number}", "type": "String", "value": str(number)})
    engine.create(PARAMETER, {"name": f"{path}/deep/q", "type": "String", "value": "q"})
    found = engine.lookup(BY_PATH, path=path)
    expected = {f"{path}/p{number}": str(number) for number in range(11)}
    assert dict(zip(found["names"], found["values"], strict=True)) == expected
    assert f"{path}/deep/q" in engine.lookup(BY_PATH, path=path, recursive=True)["names"]
