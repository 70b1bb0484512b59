"""Gives an environment its first image, where its program builds none."""

import getpass
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from cli.aws import client
from localcloud.errors import LocalCloudError
from release.adapters.dynamodb import LedgerTable
from release.adapters.ecr import has_image
from release.history import entry_for
from release.ledger import State

FIRST_IMAGE = "FIRST_IMAGE"
"""Word of the history for what is no release's."""


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
    repository_url = str(exports["repositoryUrl"])
    if not has_image(client("ecr", environment), repository_url.partition("/")[2], digest):
        raise LocalCloudError(f"registry {repository_url} has no image {digest}: push one with `teal image build`")
    following = replace(State.first(digest, capacity), version=state.version + 1)
    entry = entry_for(following, FIRST_IMAGE, "", digest, at=datetime.now(UTC), by=getpass.getuser(), release_id="")
    ledger.record(following, entry, token=None)
    return True
