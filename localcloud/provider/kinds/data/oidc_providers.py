"""IAM's OpenID Connect providers: issuers whose tokens roles may trust."""

import hashlib
import re
from typing import Any

from localcloud.provider.kind import AwsType, Change, Create, Failures, Prop, Read, Step
from localcloud.provider.kinds.bounds import spelled
from localcloud.provider.kinds.common import by_id, deletes
from localcloud.provider.kinds.data.iam_common import GONE
from localcloud.provider.tags import listed_tags
from localcloud.provider.values import Properties

THUMBPRINT = re.compile(r"[0-9A-Fa-f]{40}")
MOST_CLIENTS, MOST_THUMBPRINTS = 100, 5


def _adds_and_removes_clients(change: Change) -> None:
    wanted, before = set(change.inputs["clientIdLists"]), set(change.olds.get("clientIdLists", ()))
    for name in sorted(wanted - before):
        change.call("add_client_id_to_open_id_connect_provider", OpenIDConnectProviderArn=change.id, ClientID=name)
    for name in sorted(before - wanted):
        change.call("remove_client_id_from_open_id_connect_provider", OpenIDConnectProviderArn=change.id, ClientID=name)


def _sets_thumbprints(change: Change) -> None:
    change.call(
        "update_open_id_connect_provider_thumbprint",
        OpenIDConnectProviderArn=change.id,
        ThumbprintList=change.inputs["thumbprintLists"],
    )


def _thumbprint(change: Change) -> dict[str, Any]:
    """AWS asks the issuer for its certificate where none is given; nobody asks the internet from here."""
    if change.inputs.get("thumbprintLists"):
        return {}
    return {"ThumbprintList": [hashlib.sha1(change.inputs["url"].encode(), usedforsecurity=False).hexdigest()]}


def _lists(inputs: Properties) -> Failures:
    clients, thumbprints = inputs.get("clientIdLists"), inputs.get("thumbprintLists")
    if isinstance(clients, list) and not 1 <= len(clients) <= MOST_CLIENTS:
        yield "clientIdLists", f"clientIdLists may have 1 to {MOST_CLIENTS} ids, got {len(clients)}"
    if not isinstance(thumbprints, list):
        return
    if len(thumbprints) > MOST_THUMBPRINTS:
        yield "thumbprintLists", f"thumbprintLists may have {MOST_THUMBPRINTS} thumbprints, got {len(thumbprints)}"
    for each in thumbprints:
        if isinstance(each, str) and not THUMBPRINT.fullmatch(each):
            yield "thumbprintLists", f"thumbprintLists must be of 40 hex digits each, got {each!r}"


OPEN_ID_CONNECT_PROVIDER = AwsType(
    token="aws:iam/openIdConnectProvider:OpenIdConnectProvider",
    service="iam",
    properties={
        "url": Prop(required=True, read=lambda found: f"https://{found['Url'].removeprefix('https://')}"),
        "clientIdLists": Prop(at="ClientIDList", required=True),
        "thumbprintLists": Prop(at="ThumbprintList", read="ThumbprintList"),
        "tags": Prop(),
    },
    create=Create(
        "create_open_id_connect_provider", "OpenIDConnectProviderArn", extra=_thumbprint,
        of=frozenset({"thumbprintLists"}),
    ),
    reads=(
        Read("get_open_id_connect_provider", by_id("OpenIDConnectProviderArn")),
    ),
    steps=(
        Step(frozenset({"clientIdLists"}), _adds_and_removes_clients),
        Step(frozenset({"thumbprintLists"}), _sets_thumbprints),
    ),
    delete=deletes("delete_open_id_connect_provider", "OpenIDConnectProviderArn"),
    outputs={"arn": lambda change, _: change.id},
    tags=listed_tags(
        "tag_open_id_connect_provider", "untag_open_id_connect_provider", "OpenIDConnectProviderArn", "TagKeys"
    ),
    rules=(
        spelled("url", r"https://[^\s?]{1,247}", "an address that begins with https:// and has no query"),
        _lists,
    ),
    gone=GONE,
)  # fmt: skip

TYPES = (OPEN_ID_CONNECT_PROVIDER,)
