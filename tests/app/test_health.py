from pathlib import Path

from flask.testing import FlaskClient

from app.factory import create_app
from app.health import readiness_of


def test_version_tells_who_answered(client: FlaskClient) -> None:
    assert client.get("/version").json == {
        "version": "1.4.2",
        "digest": "sha256:" + "ab" * 32,
        "colour": "green",
        "instance": "i-0123456789abcdef0",
        "zone": "eu-west-1b",
    }


def test_without_an_environment_the_version_is_0() -> None:
    assert create_app({}).test_client().get("/version").get_json()["version"] == "0"


def test_a_draining_process_is_alive_but_not_ready() -> None:
    app = create_app({})
    client = app.test_client()
    assert client.get("/readyz").json == {"ready": True}
    readiness_of(app).is_draining = True
    response = client.get("/readyz")
    assert (response.status_code, response.json) == (503, {"ready": False, "reason": "stopping"})
    assert client.get("/livez").status_code == 200


def test_readiness_goes_and_comes_with_the_drain_file(tmp_path: Path) -> None:
    drain_file = tmp_path / "draining"
    client = create_app({"TEAL_DRAIN_FILE": str(drain_file)}).test_client()
    assert client.get("/readyz").status_code == 200
    drain_file.touch()
    assert client.get("/readyz").json == {"ready": False, "reason": "draining"}
    drain_file.unlink()
    assert client.get("/readyz").status_code == 200


def test_nobody_may_cache_an_answer_about_health(client: FlaskClient) -> None:
    assert client.get("/readyz").headers["Cache-Control"] == "no-store"
