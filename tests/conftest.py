"""What tests measured is told at the end of a run."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from localcloud.docker.client import Client

# The short suite tries the same examples each time, so that a commit which changes nothing can't fail by chance; new
# ones are looked for by `make test-long`.
settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("wild", deadline=None)
settings.load_profile("wild" if os.environ.get("TEAL_FUZZ") else "steady")
FIGURES: list[str] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    """What a test has recorded anew takes the place of the file that others compare with."""
    parser.addoption("--update", action="store_true", help="write recorded files anew instead of comparing with them")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Tells what a test measured as soon as it is over."""
    if report.when == "teardown":
        for name, value in report.user_properties:
            FIGURES.append(f"{report.nodeid.rsplit('::', 1)[-1]}: {name} {value}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if FIGURES:
        terminalreporter.section("figures")
        for line in FIGURES:
            terminalreporter.line(line)


@pytest.fixture(scope="session")
def docker_client(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Client]":
    """A Docker client whose engine answers. Without one, and where none can be started, tests are told as not run."""
    from dockerd import docker_engine  # here: hardly any test needs it

    with docker_engine(tmp_path_factory.mktemp("d")) as client:
        yield client
