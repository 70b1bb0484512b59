import pytest
from flask import request
from flask.testing import FlaskClient

from app.factory import create_app
from app.settings import SettingsError


def test_behind_tls_a_browser_is_told_to_stay_there(client: FlaskClient) -> None:
    response = client.get("/livez", headers={"X-Forwarded-Proto": "https"})
    assert response.headers["Strict-Transport-Security"] == "max-age=31536000"


@pytest.mark.parametrize(("hops", "address"), [("0", "127.0.0.1"), ("1", "203.0.113.7"), ("2", "198.51.100.1")])
def test_just_the_trusted_hops_are_believed(hops: str, address: str) -> None:
    app = create_app({"TEAL_TRUSTED_HOPS": hops})
    seen = []
    app.before_request(lambda: seen.append(request.remote_addr))
    app.test_client().get("/livez", headers={"X-Forwarded-For": "6.6.6.6, 198.51.100.1, 203.0.113.7"})
    assert seen == [address]


def test_every_response_carries_the_security_headers(client: FlaskClient) -> None:
    for path in ("/", "/livez", "/nowhere", "/assets/none.css"):
        headers = client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "Strict-Transport-Security" not in headers  # plain HTTP


def test_an_unknown_path_is_json(client: FlaskClient) -> None:
    response = client.get("/nowhere")
    assert (response.status_code, response.get_json()["path"]) == (404, "/nowhere")


def test_a_wrong_method_says_which_are_right(client: FlaskClient) -> None:
    response = client.post("/version")
    assert response.status_code == 405
    assert "GET" in response.headers["Allow"]


def test_a_request_id_is_taken_over_or_made(client: FlaskClient) -> None:
    assert client.get("/livez", headers={"X-Request-Id": "abc-1"}).headers["X-Request-Id"] == "abc-1"
    trace = {"X-Amzn-Trace-Id": "Root=1-67891233-abcdef012345678912345678"}
    assert client.get("/livez", headers=trace).headers["X-Request-Id"] == trace["X-Amzn-Trace-Id"]
    made = client.get("/livez", headers={"X-Request-Id": '"} forged {"'}).headers["X-Request-Id"]
    assert len(made) == 32


def test_slow_is_served_only_in_a_demo_and_bounded(client: FlaskClient) -> None:
    assert client.get("/slow?seconds=0").status_code == 404
    demo = create_app({"TEAL_DEMO": "1"}).test_client()
    assert demo.get("/slow?seconds=0").json == {"slept_seconds": 0.0}
    for wrong in ("31", "-1", "x", "nan", "inf"):
        assert demo.get(f"/slow?seconds={wrong}").status_code == 400


@pytest.mark.parametrize("wrong", ["x", "-1", "301", "nan"])
def test_a_wrong_setting_is_named(wrong: str) -> None:
    with pytest.raises(SettingsError, match=f"TEAL_STOP_GRACE_SECONDS must be a number from 0 to 300, got '{wrong}'"):
        create_app({"TEAL_STOP_GRACE_SECONDS": wrong})


def test_every_response_says_which_fleet_it_came_from() -> None:
    client = create_app({"TEAL_COLOUR": "green"}).test_client()
    assert [client.get(path).headers["X-Teal-Colour"] for path in ("/", "/nowhere")] == ["green", "green"]
    assert "X-Teal-Colour" not in create_app({}).test_client().get("/").headers
