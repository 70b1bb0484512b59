"""Facts about the files that are no Python."""

import re
from pathlib import Path

APP = Path(__file__).parents[2] / "app"
PIN = re.compile(r"^([a-z0-9-]+)==(\S+)", re.MULTILINE)


def pins(path: Path) -> dict[str, str]:
    return dict(PIN.findall(path.read_text()))


def test_the_image_runs_the_versions_that_are_tested() -> None:
    ours, all_pins = pins(APP / "requirements.txt"), pins(APP.parent / "requirements.txt")
    assert {"flask", "gunicorn"} <= set(ours)
    assert {name: all_pins.get(name) for name in ours} == ours


def test_nginx_outwaits_the_load_balancer_and_the_longest_request() -> None:
    conf = (APP / "nginx" / "nginx.conf").read_text()
    server_part = conf[: conf.index("upstream gunicorn")]
    assert int(re.findall(r"\bkeepalive_timeout (\d+)s", server_part)[0]) > 60
    assert int(re.findall(r"worker_shutdown_timeout (\d+)s", conf)[0]) > 30


def test_the_image_builds_without_a_frontend_and_runs_as_an_ordinary_user() -> None:
    lines = (APP / "Dockerfile").read_text().splitlines()
    assert not any("syntax=" in line for line in lines)
    base = next(line for line in lines if line.startswith("ARG BASE_IMAGE="))
    assert re.fullmatch(r".*@sha256:[0-9a-f]{64}", base)
    assert [line for line in lines if line.startswith("USER")] == ["USER 10001:10001"]
    assert lines.index("USER 10001:10001") < next(i for i, line in enumerate(lines) if line.startswith("ENTRYPOINT"))
    assert any(line.startswith("HEALTHCHECK") for line in lines)


def test_what_pip_installs_is_pinned_to_its_bytes() -> None:
    text = (APP / "requirements.txt").read_text()
    whole = (APP.parent / "requirements.txt").read_text()
    hashes = re.findall(r"sha256:[0-9a-f]{64}", text)
    assert len(hashes) >= len(pins(APP / "requirements.txt"))
    assert [known for known in hashes if known not in whole] == []
