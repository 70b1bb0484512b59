import json
import logging
from datetime import timedelta

from app.access_log import JsonFormatter, access_line
from app.settings import Identity

ENVIRON = {
    "REQUEST_METHOD": "GET",
    "PATH_INFO": "/greet",
    "QUERY_STRING": "token=hush",
    "HTTP_AUTHORIZATION": "Bearer hush",
    "HTTP_COOKIE": "session=hush",
    "REMOTE_ADDR": "203.0.113.7",
    "teal.request_id": "abc-1",
}


def test_a_line_says_what_was_asked_and_who_answered() -> None:
    line = json.loads(
        access_line(Identity(colour="blue", digest="sha256:1"), ENVIRON, 200, 512, timedelta(seconds=0.0125))
    )
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "event": "request",
        "method": "GET",
        "path": "/greet",
        "status": 200,
        "duration_ms": 12.5,
        "bytes": 512,
        "request_id": "abc-1",
        "remote": "203.0.113.7",
        "version": "0",
        "digest": "sha256:1",
        "colour": "blue",
        "instance": "",
    }


def test_no_secret_gets_into_the_log() -> None:
    assert "hush" not in access_line(Identity(), ENVIRON, 200, 0, timedelta())


def test_a_path_with_a_line_break_stays_on_its_line() -> None:
    assert "\n" not in access_line(Identity(), {**ENVIRON, "PATH_INFO": "/a\nb"}, 200, 0, timedelta())


def test_an_exception_is_a_field_of_its_line() -> None:
    error = ValueError("boom")
    record = logging.LogRecord("x", logging.ERROR, "f", 1, "it %s", ("broke",), (ValueError, error, None))
    line = json.loads(JsonFormatter().format(record))
    assert (line["level"], line["event"]) == ("error", "it broke")
    assert "boom" in line["exception"]
