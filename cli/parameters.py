"""Reads parameters of SSM without botocore's model of that service, which takes longer to load than to move traffic."""

import json
from collections.abc import Mapping
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import HTTPClientError
from botocore.httpsession import URLLib3Session

from cli.aws import client

ANSWER_SECONDS = 5


class Parameters:
    """What is used of boto3's SSM client. A plain answer is read as it comes; any other is botocore's to deal with."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """By the endpoint, region and credentials that the variables name; without an endpoint by botocore alone."""
        self._environment = environment

    def get_parameter(self, **arguments: Any) -> Any:
        """Reads one parameter, as botocore does; raises as botocore does."""
        return self._plain_answer(arguments) or client("ssm", self._environment).get_parameter(**arguments)

    def _plain_answer(self, arguments: Mapping[str, Any]) -> dict[str, Any] | None:
        endpoint = self._environment.get("AWS_ENDPOINT_URL")
        if not endpoint:
            return None
        about = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "AmazonSSM.GetParameter"}
        request = AWSRequest("POST", f"{endpoint}/", headers=about, data=json.dumps(arguments).encode())
        keys = (self._environment[f"AWS_{name}"] for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"))
        SigV4Auth(Credentials(*keys), "ssm", self._environment["AWS_REGION"]).add_auth(request)
        try:
            answer = URLLib3Session(timeout=ANSWER_SECONDS).send(request.prepare())
            found = json.loads(answer.content)
        except (HTTPClientError, ValueError):
            return None
        return found if answer.status_code == 200 and isinstance(found, dict) else None
