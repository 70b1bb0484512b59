"""ECR's documented evaluation of a lifecycle policy, played on sample images."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.registry_policies import keep_tag, lifecycle_policy, pull_policy

DIGEST = "sha256:" + "0123456789ab" + "c" * 52


@dataclass(frozen=True)
class Image:
    age_days: int
    tags: tuple[str, ...] = ()

    def is_selected_by(self, selection: dict[str, Any]) -> bool:
        if selection["tagStatus"] == "untagged":
            return not self.tags
        return all(any(tag.startswith(prefix) for tag in self.tags) for prefix in selection["tagPrefixList"])


def expired(policy: str, images: list[Image]) -> set[int]:
    """Positions of the images that ECR expires: by the first rule that selects an image, and by none after it."""
    gone: set[int] = set()
    seen: set[int] = set()
    for rule in sorted(json.loads(policy)["rules"], key=lambda rule: rule["rulePriority"]):
        selection = rule["selection"]
        chosen = [n for n, image in enumerate(images) if image.is_selected_by(selection)]
        chosen.sort(key=lambda n: images[n].age_days)
        if selection["countType"] == "imageCountMoreThan":
            due = chosen[selection["countNumber"] :]
        else:
            due = [n for n in chosen if images[n].age_days > selection["countNumber"]]
        gone |= set(due) - seen
        seen |= set(chosen)
    return gone


TAGS = st.lists(
    st.one_of(
        st.from_regex(r"build-[a-z0-9]{1,4}", fullmatch=True),
        st.from_regex(r"keep-[0-9a-f]{12}", fullmatch=True),
        st.sampled_from(["v1", "keepsake", "rebuild-1"]),
    ),
    max_size=3,
).map(tuple)
IMAGES = st.lists(st.builds(Image, st.integers(0, 9000), TAGS), max_size=40)


@given(IMAGES, st.integers(1, 5), st.integers(1, 30))
def test_no_protected_image_is_ever_expired(images: list[Image], keep_builds: int, untagged_days: int) -> None:
    gone = expired(lifecycle_policy(keep_builds, untagged_days), images)
    assert not [images[n] for n in gone if any(tag.startswith("keep-") for tag in images[n].tags)]


@given(IMAGES, st.integers(1, 5), st.integers(1, 30))
def test_the_unprotected_goes_when_due_and_not_before(
    images: list[Image], keep_builds: int, untagged_days: int
) -> None:
    gone = expired(lifecycle_policy(keep_builds, untagged_days), images)
    loose = [n for n, image in enumerate(images) if not image.tags]
    builds = [n for n, image in enumerate(images) if any(tag.startswith("build-") for tag in image.tags)]
    assert {n for n in gone if n in loose} == {n for n in loose if images[n].age_days > untagged_days}
    assert len(set(builds) - gone) >= min(len(builds), keep_builds)
    assert gone <= {*loose, *builds}


def test_an_old_build_goes_and_the_same_build_under_a_release_stays() -> None:
    images = [Image(9, ("build-1",)), Image(8, ("build-2", "keep-0123456789ab")), Image(1, ("build-3",)), Image(400)]
    assert expired(lifecycle_policy(keep_builds=1, untagged_days=7), images) == {0, 3}


def test_the_shield_is_needed() -> None:
    policy = json.loads(lifecycle_policy(keep_builds=1, untagged_days=7))
    without = json.dumps({"rules": policy["rules"][1:]})
    assert expired(without, [Image(8, ("build-2", "keep-0123456789ab")), Image(1, ("build-3",))]) == {0}


def test_a_keep_tag_names_the_first_twelve_digits() -> None:
    assert keep_tag(DIGEST) == "keep-0123456789ab"


@pytest.mark.parametrize("digest", ["", "sha256:abc", DIGEST.upper(), DIGEST + "0"])
def test_a_malformed_digest_has_no_keep_tag(digest: str) -> None:
    with pytest.raises(ValueError, match="digest must be sha256: and 64 hex digits"):
        keep_tag(digest)


def test_other_accounts_may_pull_and_nothing_else() -> None:
    [statement] = json.loads(pull_policy(["222222222222", "111111111111", "111111111111"]))["Statement"]
    assert statement["Principal"]["AWS"] == ["arn:aws:iam::111111111111:root", "arn:aws:iam::222222222222:root"]
    assert not [action for action in statement["Action"] if "Put" in action or "Upload" in action or "*" in action]


@pytest.mark.parametrize("account", ["*", "12345678901", "arn:aws:iam::111111111111:root"])
def test_a_malformed_account_is_refused(account: str) -> None:
    with pytest.raises(ValueError, match="pull_account_ids must be 12 digits each"):
        pull_policy([account])
