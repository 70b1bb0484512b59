import pytest

from localcloud.images.errors import ImageError
from localcloud.images.reference import parse_reference

DIGEST = "sha256:" + "0a" * 32


def test_a_reference_has_registry_repository_and_digest() -> None:
    text = f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/teal/dev@{DIGEST}"
    reference = parse_reference(text)
    assert (reference.repository, reference.digest, reference.account) == ("teal/dev", DIGEST, "123456789012")
    assert str(reference) == text


@pytest.mark.parametrize(
    "text", ["", "teal:1.0", "registry/teal:1.0", f"teal@{DIGEST}", f"r/t@{DIGEST}0", f"r/../t@{DIGEST}"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ImageError, match="an image is named registry/repository@sha256"):
        parse_reference(text)
