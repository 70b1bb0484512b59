"""What every version of the service must do, asked from outside, before it gets its first user."""

import os
import re

import httpx
import pytest


def test_the_version_that_answers_is_the_one_to_be_released(service: httpx.Client) -> None:
    about = service.get("/version").json()
    assert about["digest"] == os.environ["TEAL_DIGEST"]
    assert about["colour"] == os.environ["TEAL_TARGET_COLOUR"]


def test_it_is_alive_and_ready(service: httpx.Client) -> None:
    assert service.get("/livez").json() == {"alive": True}
    assert service.get("/readyz").json() == {"ready": True}


def test_everything_that_the_page_links_to_is_there(service: httpx.Client) -> None:
    page = service.get("/")
    assert page.headers["Content-Type"].startswith("text/html")
    links = re.findall(r'(?:href|src)="(/[^"]+)"', page.text)
    assert links
    assert {link: service.get(link).status_code for link in links} == dict.fromkeys(links, 200)


def test_a_visitor_is_greeted_by_name(service: httpx.Client) -> None:
    answer = service.post("/greet", data={"name": "Zoë"})
    assert (answer.status_code, "Hello, Zoë!" in answer.text) == (200, True)


def test_what_a_visitor_types_is_text_and_not_markup(service: httpx.Client) -> None:
    assert "<script>" not in service.post("/greet", data={"name": "<script>"}).text


def test_a_visitor_without_a_name_is_told_so(service: httpx.Client) -> None:
    answer = service.post("/greet", data={"name": " "})
    assert (answer.status_code, "Please type a name." in answer.text) == (422, True)


@pytest.mark.parametrize("path", ["/nothing", "/assets/nothing.css", "/../etc/passwd"])
def test_what_is_not_there_is_not_found(service: httpx.Client, path: str) -> None:
    assert service.get(path).status_code == 404


def test_a_body_that_is_too_large_is_refused(service: httpx.Client) -> None:
    assert service.post("/greet", data={"name": "x" * 20_000}).status_code == 413
