"""Tags as every component puts them on its children."""

from components.tagging import named


def test_a_child_has_the_callers_tags_and_its_own_name() -> None:
    assert named({"Team": "shop", "Name": "theirs"}, "web-vpc") == {"Team": "shop", "Name": "web-vpc"}


def test_the_callers_tags_are_left_alone() -> None:
    tags = {"Team": "shop"}
    named(tags, "web-vpc")
    assert tags == {"Team": "shop"}
