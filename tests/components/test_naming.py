"""Names that several components share."""

import pytest

from components.naming import short_name


def test_a_name_may_have_24_characters() -> None:
    assert short_name("n" * 24) == "n" * 24


def test_a_longer_name_is_refused_with_its_length() -> None:
    with pytest.raises(ValueError, match="has 25 characters; load balancers and target groups take 24 at most"):
        short_name("n" * 25)
