"""The service as a Flask test client."""

from collections.abc import Mapping

import pytest
from flask.testing import FlaskClient

from app.factory import create_app

IDENTITY = {
    "TEAL_VERSION": "1.4.2",
    "TEAL_DIGEST": "sha256:" + "ab" * 32,
    "TEAL_COLOUR": "green",
    "TEAL_INSTANCE": "i-0123456789abcdef0",
    "TEAL_ZONE": "eu-west-1b",
}


@pytest.fixture
def identity() -> Mapping[str, str]:
    return IDENTITY


@pytest.fixture
def client() -> FlaskClient:
    return create_app(IDENTITY).test_client()
