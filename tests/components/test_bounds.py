"""Checks of numbers that a component takes."""

import pytest

from components.bounds import retention, whole


def test_a_whole_number_comes_back_as_an_int_even_from_a_float() -> None:
    assert whole("port", 8080.0, 1, 65535) == 8080
    assert isinstance(whole("port", 8080.0, 1, 65535), int)
    assert isinstance(retention("days", 30.0), int)


@pytest.mark.parametrize("value", [0, 65536, 80.5, float("nan"), float("inf")])
def test_a_number_out_of_bounds_is_refused_by_name(value: float) -> None:
    with pytest.raises(ValueError, match="port must be a whole number from 1 to 65535, got"):
        whole("port", value, 1, 65535)


def test_a_retention_that_cloudwatch_does_not_offer_is_refused() -> None:
    with pytest.raises(ValueError, match=r"days must be one of 1, 3, .*, 3653, got 10$"):
        retention("days", 10)
