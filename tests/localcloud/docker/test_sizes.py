import pytest

from localcloud.docker.sizes import MIB, Size, size_of


@pytest.mark.parametrize(
    ("instance_type", "here", "size"),
    [
        ("t4g.small", 8, Size(2.0, 512 * MIB)),
        ("t4g.small", 1, Size(1.0, 512 * MIB)),
        ("t4g.nano", 8, Size(2.0, 128 * MIB)),
        ("m7g.large", 8, Size(2.0, 2048 * MIB)),
        ("", 8, Size(2.0, 512 * MIB)),
    ],
)
def test_a_container_gets_its_types_processors_and_a_quarter_of_its_memory(
    instance_type: str, here: int, size: Size
) -> None:
    assert size_of(instance_type, here) == size
