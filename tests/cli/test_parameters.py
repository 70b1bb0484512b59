import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from cli.aws import client
from cli.parameters import Parameters
from cli_world import REGION, FakeCloud

NAME = "/teal/dev/greeting"


@pytest.fixture
def variables(cloud: FakeCloud) -> Iterator[Mapping[str, str]]:
    """What leads to a cloud with a parameter."""
    cloud.api.call("ssm", "put_parameter", Name=NAME, Type="String", Value="hello")
    yield {
        "AWS_ENDPOINT_URL": cloud.api.endpoint,
        "AWS_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "embedded",
        "AWS_SECRET_ACCESS_KEY": "embedded",
    }
    cloud.is_broken = False
    cloud.api.call("ssm", "delete_parameter", Name=NAME)


def test_a_parameter_is_read_as_botocore_reads_it(
    variables: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = client("ssm", variables).get_parameter(Name=NAME)["Parameter"]
    monkeypatch.setattr("cli.parameters.client", None)  # it does without
    quick = Parameters(variables).get_parameter(Name=NAME)["Parameter"]
    assert quick["Value"] == whole["Value"] == "hello"
    assert (quick["Name"], quick["Type"], quick["ARN"]) == (whole["Name"], whole["Type"], whole["ARN"])


def test_a_parameter_that_is_not_there_is_botocores_error(variables: Mapping[str, str]) -> None:
    with pytest.raises(ClientError) as failed:
        Parameters(variables).get_parameter(Name="/teal/dev/none")
    assert failed.value.response["Error"]["Code"] == "ParameterNotFound"


def test_an_api_that_is_broken_or_gone_is_botocores_error(cloud: FakeCloud, variables: Mapping[str, str]) -> None:
    cloud.is_broken = True
    with pytest.raises((ClientError, ResponseParserError)):
        Parameters(variables).get_parameter(Name=NAME)
    with pytest.raises(BotoCoreError):
        Parameters({**variables, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}).get_parameter(Name=NAME)


def test_the_model_of_the_service_is_not_read(variables: Mapping[str, str]) -> None:
    code = """
import builtins, json, os, sys
from botocore.loaders import JSONFileLoader
read, original = [], JSONFileLoader.load_file
JSONFileLoader.load_file = lambda self, path: read.append(path) or original(self, path)
from cli.parameters import Parameters
print(Parameters(os.environ).get_parameter(Name=sys.argv[1])["Parameter"]["Value"], read)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, NAME], env={**os.environ, **variables}, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"hello {json.dumps([])}\n"
