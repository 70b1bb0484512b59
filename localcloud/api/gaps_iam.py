"""What moto lacks of IAM, put right in process: the client ids of an OpenID Connect provider can't be changed."""

from typing import Any

from moto.core.responses import EmptyResult
from moto.iam.responses import IamResponse


def _add_client_id(response: Any) -> EmptyResult:
    clients = _clients(response)
    name = response._get_param("ClientID")
    if name not in clients:
        clients.append(name)
    return EmptyResult()


def _remove_client_id(response: Any) -> EmptyResult:
    clients = _clients(response)
    clients[:] = [each for each in clients if each != response._get_param("ClientID")]
    return EmptyResult()


def _clients(response: Any) -> list[str]:
    arn = response._get_param("OpenIDConnectProviderArn")
    found: list[str] = response.backend.get_open_id_connect_provider(arn).client_id_list
    return found


def install() -> None:
    """Puts the two operations in place; once is enough, more often does no harm."""
    IamResponse.add_client_id_to_open_id_connect_provider = _add_client_id
    IamResponse.remove_client_id_from_open_id_connect_provider = _remove_client_id
