import re
from collections.abc import Mapping

import pytest
from flask.testing import FlaskClient

from app.factory import create_app


def test_the_page_shows_who_answered(client: FlaskClient, identity: Mapping[str, str]) -> None:
    text = client.get("/").text
    assert all(value in text for value in identity.values())


def test_the_page_loads_nothing_from_elsewhere(client: FlaskClient) -> None:
    text = client.get("/").text
    assert re.findall(r'(?:href|src)="([^"]+)"', text)
    assert "//" not in text


def test_everything_the_page_links_to_is_there_and_kept_for_ever(client: FlaskClient) -> None:
    links = re.findall(r'(?:href|src)="([^"]+)"', client.get("/").text)
    for link in links:
        with client.get(link) as response:
            assert response.status_code == 200
            assert "immutable" in response.headers["Cache-Control"]
            assert "max-age=31536000" in response.headers["Cache-Control"]


OURS = r"page\.[0-9a-f]{12}\.css"


def test_what_only_the_other_colour_can_have_is_looked_for_there(client: FlaskClient) -> None:
    """A green server; a browser follows by itself."""
    for name in ("page.0123456789ab.css", "new.0123456789ab.js"):
        with client.get(f"/assets/{name}") as response:
            assert (response.status_code, response.headers["Location"]) == (307, f"/assets/blue/{name}")
            assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("colour", ["blue", "green"])
def test_at_a_colours_own_path_a_file_is_answered_as_anywhere(client: FlaskClient, colour: str) -> None:
    [ours] = re.findall(OURS, client.get("/").text)
    with client.get(f"/assets/{colour}/{ours}") as response:
        assert (response.status_code, response.headers["Cache-Control"]) == (200, "public, max-age=31536000, immutable")


def test_what_no_server_has_any_more_is_answered_with_the_file_of_that_name_uncached(client: FlaskClient) -> None:
    alone = create_app({}).test_client()
    for someone, path in ((client, "/assets/green/"), (client, "/assets/blue/"), (alone, "/assets/")):
        with someone.get(f"{path}page.0123456789ab.css") as response:
            assert (response.status_code, response.headers["Cache-Control"]) == (200, "no-store")
        assert someone.get(f"{path}nothing.0123456789ab.css").status_code == 404


@pytest.mark.parametrize("name", ["page.css", "..%2fwsgi.py", "red/page.0123456789ab.css"])
def test_other_names_are_not_served(client: FlaskClient, name: str) -> None:
    assert client.get(f"/assets/{name}").status_code == 404


def test_the_form_is_answered_with_a_greeting(client: FlaskClient) -> None:
    response = client.post("/greet", data={"name": "  Zoë  "})
    assert (response.status_code, "Hello, Zoë!" in response.text) == (200, True)


def test_a_name_is_text_not_markup(client: FlaskClient) -> None:
    text = client.post("/greet", data={"name": '"><script>alert(1)</script>'}).text
    assert "<script" not in text
    assert "Hello, &#34;&gt;&lt;script&gt;" in text


@pytest.mark.parametrize(
    ("name", "problem"),
    [("", "Please type a name."), ("   ", "Please type a name."), ("a" * 81, "at most 80"), ("a\x00b", "control")],
)
def test_a_wrong_name_is_refused_beside_the_field(client: FlaskClient, name: str, problem: str) -> None:
    response = client.post("/greet", data={"name": name})
    assert response.status_code == 422
    assert problem in response.text
    assert "Hello" not in response.text


def test_a_body_over_16_kib_is_refused(client: FlaskClient) -> None:
    assert client.post("/greet", data={"name": "a" * 20_000}).status_code == 413
