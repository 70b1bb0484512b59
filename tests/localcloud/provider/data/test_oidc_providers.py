from typing import Any

import pytest

PROVIDER = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
ISSUER = "https://tokens.example"


def inputs(issuer: str) -> dict[str, Any]:
    return {"url": issuer, "clientIdLists": ["sts.amazonaws.com"], "tags": {"Team": "shop"}}


def test_an_issuer_changes_in_place(engine: Any) -> None:
    provider = engine.create(PROVIDER, inputs(f"{ISSUER}/one"))
    assert provider.outputs["arn"] == provider.id == "arn:aws:iam::123456789012:oidc-provider/tokens.example/one"
    assert inputs(f"{ISSUER}/one").items() <= provider.imported().items()
    provider.update(clientIdLists=["sts.amazonaws.com", "other"])
    provider.update(clientIdLists=["other"], tags={"Stage": "dev"})
    provider.update(thumbprintLists=["a" * 40])
    assert provider.diff(url=f"{ISSUER}/two").replaces == ("url",)
    provider.delete()


def test_an_issuer_that_is_changed_behind_our_back_is_seen(engine: Any) -> None:
    provider = engine.create(PROVIDER, inputs(f"{ISSUER}/three"))
    engine.api.call(
        "iam", "add_client_id_to_open_id_connect_provider", OpenIDConnectProviderArn=provider.id, ClientID="stranger"
    )
    assert set(provider.refresh()["clientIdLists"]) == {"sts.amazonaws.com", "stranger"}
    provider.delete()


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("url", "http://tokens.example", "url must be an address that begins with https://"),
        ("clientIdLists", [], "clientIdLists may have 1 to 100 ids, got 0"),
        ("thumbprintLists", ["abc"], "thumbprintLists must be of 40 hex digits each, got 'abc'"),
        ("thumbprintLists", ["a" * 40] * 6, "thumbprintLists may have 5 thumbprints, got 6"),
    ],
)
def test_what_iam_refuses_of_an_issuer(engine: Any, name: str, value: Any, reason: str) -> None:
    assert reason in engine.refusals(PROVIDER, {**inputs(ISSUER), name: value})[name]
