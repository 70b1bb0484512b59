import pytest

from components.instance_types import architecture


@pytest.mark.parametrize("kind", ["t4g.small", "m7gd.large", "c7gn.xlarge", "im4gn.large", "m8g.metal-24xl"])
def test_graviton_is_arm64(kind: str) -> None:
    assert architecture([kind]) == "arm64"


@pytest.mark.parametrize("kind", ["t3.micro", "g5.xlarge", "g4dn.xlarge", "m7i-flex.large", "c6a.24xlarge"])
def test_the_rest_is_x86_64(kind: str) -> None:
    assert architecture([kind]) == "x86_64"


@pytest.mark.parametrize(
    ("kinds", "message"),
    [
        ([], "instance_types must name at least one type, such as t4g.small"),
        (["t4g"], "instance_types must be names such as t4g.small, got 't4g'"),
        (["t4g.small", "t3.small"], "instance_types must share one architecture, got t4g.small, t3.small"),
    ],
)
def test_no_type_a_malformed_one_or_a_mix_is_refused(kinds: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        architecture(kinds)
