"""The regression suite runs as a hook of a release, against whatever answers at TEAL_URL by the test route."""

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

REQUEST_SECONDS = 10.0
collect_ignore = [] if "TEAL_TEST_HEADER_FILE" in os.environ else ["test_service.py"]


@pytest.fixture(scope="session")
def service() -> Iterator[httpx.Client]:
    """The target colour."""
    url = os.environ["TEAL_URL"]
    name, value = Path(os.environ["TEAL_TEST_HEADER_FILE"]).read_text().strip().split(": ", 1)
    is_embedded = url.startswith("https://127.")  # its certificates are its own, and nobody is between us and it
    with httpx.Client(
        base_url=url, headers={name: value}, timeout=REQUEST_SECONDS, trust_env=False, verify=not is_embedded
    ) as client:
        yield client
