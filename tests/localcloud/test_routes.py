import io
from collections.abc import Callable, Iterable
from typing import Any

from localcloud.api.routes import answering, signalling
from localcloud.api.server import WsgiApp

AGENT = "teal-dataplane"


def api(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("404 Not Found", [])
    return [b"moto"]


def ask(application: WsgiApp, form: bytes = b"", **environ: str) -> tuple[str, dict[str, str], bytes]:
    told: list[Any] = []
    whole = {**environ, "wsgi.input": io.BytesIO(form), "CONTENT_LENGTH": str(len(form))}
    body = b"".join(application(whole, lambda *answer: told.append(answer)))
    [(status, headers)] = told
    return status, dict(headers), body


def signature(service: str) -> str:
    return f"AWS4-HMAC-SHA256 Credential=embedded/20260101/eu-west-1/{service}/aws4_request, SignedHeaders=host"


def test_the_path_answers_with_what_the_function_says_now() -> None:
    bodies = iter([b"{}", b'{"more": 1}'])
    around = answering("/_teal/status", lambda: next(bodies))(api)
    headers = {"Content-Type": "application/json", "Content-Length": "2"}
    assert ask(around, PATH_INFO="/_teal/status") == ("200 OK", headers, b"{}")
    assert ask(around, PATH_INFO="/_teal/status")[2] == b'{"more": 1}'


def test_every_other_path_is_the_apis() -> None:
    around = answering("/_teal/status", lambda: b"{}")(api)
    for path in ("/", "/_teal", "/_teal/status/more"):
        assert ask(around, PATH_INFO=path) == ("404 Not Found", {}, b"moto")


def test_a_call_to_a_service_that_matters_is_signalled_after_its_answer() -> None:
    order: list[str] = []

    def slow(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        order.append("answered")
        return api(environ, start_response)

    around = signalling(lambda: order.append("signalled"), AGENT)(slow)
    for service in ("autoscaling", "ec2", "elasticloadbalancing", "acm"):
        order.clear()
        assert ask(around, HTTP_AUTHORIZATION=signature(service))[2] == b"moto"
        assert order == ["answered", "signalled"]


def test_a_read_is_not_signalled_and_the_api_still_gets_its_form() -> None:
    signals: list[None] = []
    forms: list[bytes] = []

    def reading(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        forms.append(environ["wsgi.input"].read())
        return api(environ, start_response)

    around = signalling(lambda: signals.append(None), AGENT)(reading)
    for action in (b"DescribeAvailabilityZones", b"RunInstances"):
        ask(around, b"Version=2016-11-15&Action=" + action, HTTP_AUTHORIZATION=signature("ec2"))
    ask(around, HTTP_AUTHORIZATION=signature("acm"), HTTP_X_AMZ_TARGET="CertificateManager.DescribeCertificate")
    assert len(signals) == 1
    assert forms[1] == b"Version=2016-11-15&Action=RunInstances"


def test_nothing_else_is_signalled() -> None:
    signals: list[None] = []
    around = signalling(lambda: signals.append(None), AGENT)(api)
    ask(around, HTTP_AUTHORIZATION=signature("dynamodb"))
    ask(around, HTTP_AUTHORIZATION=signature("ec2"), HTTP_USER_AGENT=f"Boto3/1.0 {AGENT}/1")
    ask(around)
    assert signals == []
