"""moto's repairs for the types that keep data, names and messages."""

import pytest

from localcloud.api import gaps_data, gaps_dynamodb, gaps_iam


@pytest.fixture(scope="session", autouse=True)
def _repaired() -> None:
    gaps_data.install()
    gaps_dynamodb.install()
    gaps_iam.install()
