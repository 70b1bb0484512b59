"""Gives an environment its first image, where its program builds none."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from botocore.exceptions import ClientError

from cli.aws import client
from localcloud.errors import LocalCloudError
from release.adapters.dynamodb import LedgerTable
from release.ledger import State


def release_first(
    environment: Mapping[str, str], stack: str, exports: Mapping[str, Any], digest: str, capacity: int
) -> bool:
    """Writes the ledger so that the next run serves the digest; False if it is live already.

    Raises LocalCloudError if another image is live, or the registry lacks this one; ReleaseError for a bad digest.
    """
    ledger = LedgerTable.find(client("ssm", environment), client("dynamodb", environment), stack)
    state = ledger.read()
    live = state.side(state.live)
    if live.digest == digest:
        return False
    if state.is_released:
        raise LocalCloudError(
            f"{stack} serves {live.digest} already: --image and --build give an environment its first image"
        )
    _require_image(environment, str(exports["repositoryUrl"]), digest)
    ledger.write(replace(State.first(digest, capacity), version=state.version + 1), expected_version=state.version)
    return True


def _require_image(environment: Mapping[str, str], repository_url: str, digest: str) -> None:
    name = repository_url.partition("/")[2]
    try:
        client("ecr", environment).describe_images(repositoryName=name, imageIds=[{"imageDigest": digest}])
    except ClientError as error:
        raise LocalCloudError(
            f"registry {repository_url} has no image {digest}: push one with `teal image build`"
        ) from error
