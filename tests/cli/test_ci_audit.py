"""`teal ci audit`: what is known to be vulnerable fails it, and who could not be asked is never taken for clean."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cli.ci import audit as module
from cli.ci.audit import Audit, Verdict, audit, audited, exit_code

ROOT = Path(__file__).parents[2]
LOCKED = "app/requirements.txt"
ADVISORY: dict[str, Any] = {
    "id": "GHSA-test-test-test",
    "summary": "a test of the audit",
    "details": "a test of the audit",
    "aliases": [],
    "published": "2026-01-01T00:00:00Z",
    "modified": "2026-01-01T00:00:00Z",
    "affected": [
        {
            "package": {"name": "flask", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.0"}]}],
        }
    ],
}


class Service(ThreadingHTTPServer):
    """OSV's protocol on loopback: an advisory on one package, or an error for all."""

    vulnerable = ""
    is_broken = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.asked: list[str] = []
        threading.Thread(target=self.serve_forever, daemon=True, kwargs={"poll_interval": 0.02}).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1/query"


class Answer(BaseHTTPRequestHandler):
    server: Service

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["package"]["name"]
        self.server.asked.append(asked)
        body = json.dumps({"vulns": [ADVISORY]} if asked == self.server.vulnerable else {}).encode()
        self.send_response(500 if self.server.is_broken else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def service() -> Iterator[Service]:
    running = Service()
    yield running
    running.shutdown()
    running.server_close()


@pytest.mark.process
def test_a_known_vulnerability_is_named(service: Service) -> None:
    service.vulnerable = "flask"
    found = audited(LOCKED, service.url)
    assert found.verdict is Verdict.VULNERABLE
    assert "GHSA-test-test-test" in found.told
    assert "flask" in found.told


@pytest.mark.process
def test_every_package_of_the_list_is_asked_about(service: Service) -> None:
    assert audited(LOCKED, service.url).verdict is Verdict.CLEAN
    listed = [line.partition("==")[0] for line in (ROOT / LOCKED).read_text().splitlines() if "==" in line]
    assert sorted(service.asked) == sorted(listed)


@pytest.mark.process
@pytest.mark.parametrize("how", ["broken", "gone"])
def test_a_database_out_of_reach_is_no_pass_and_no_host_is_named(service: Service, how: str) -> None:
    service.is_broken = how == "broken"
    if how == "gone":
        service.shutdown()
        service.server_close()
    found = audited(LOCKED, service.url)
    assert found.verdict is Verdict.NOT_AUDITED
    assert found.told.startswith("the advisory database is out of reach (")
    assert "127.0.0.1" not in found.told
    assert "\n" not in found.told


def test_a_database_that_is_gone_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def gone(locked: str, _: str | None) -> Audit:
        asked.append(locked)
        return Audit(locked, Verdict.NOT_AUDITED, "why")

    monkeypatch.setattr(module, "audited", gone)
    found = module.audits(None)
    assert [(each.locked, each.verdict, each.told) for each in found] == [
        (locked, Verdict.NOT_AUDITED, "why") for locked in module.LOCKED
    ]
    assert asked == [module.LOCKED[0]]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("", "pip-audit failed: run it by hand to see why"),
        ("/usr/bin/python: No module named pip_audit", "pip-audit is not installed"),
        ("ERROR:pip_audit: Failed to resolve 'api.host.example'", "its name is not known here"),
        ("ERROR: host.example: connection refused", "connection refused"),
    ],
)
def test_the_reason_is_a_kind_and_no_host(said: str, told: str) -> None:
    assert module.reason(said) == told


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        (("clean", "clean"), 0),
        (("clean", "not audited"), 9),
        (("vulnerable", "not audited"), 1),
        (("vulnerable", "clean"), 1),
    ],
)
def test_the_worst_of_all_lists_is_told_and_counts(
    monkeypatch: pytest.MonkeyPatch, verdicts: tuple[str, ...], code: int
) -> None:
    monkeypatch.setattr(module, "LOCKED", ("one.txt", "two.txt"))
    known = dict(zip(module.LOCKED, verdicts, strict=True))
    monkeypatch.setattr(module, "audited", lambda locked, _: Audit(locked, Verdict(known[locked]), "why"))
    done = CliRunner().invoke(audit, [])
    assert done.exit_code == code == exit_code([Audit(*pair, "") for pair in _pairs(known)])
    for locked, verdict in known.items():
        assert f"{verdict}: {locked}: why\n" in (done.stderr if verdict == "not audited" else done.stdout)
    told = json.loads(CliRunner().invoke(audit, ["--json"]).stdout)
    assert [each["verdict"] for each in told] == list(verdicts)


def _pairs(known: dict[str, str]) -> list[tuple[str, Verdict]]:
    return [(locked, Verdict(verdict)) for locked, verdict in known.items()]
