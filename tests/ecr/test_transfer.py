"""What every room that moves images relies on; that images arrive whole is shown where they are moved."""

from collections.abc import Iterator
from typing import Any

import pytest

from ecr.transfer import QUESTION, Repository, UnsafeAddress, missing, parts_at, upload
from ecr_world import new_repository, running_ecr


@pytest.fixture(scope="module")
def repository() -> Iterator[Repository]:
    with running_ecr() as client:
        yield Repository(client, new_repository(client))


class Asked:
    """An ECR that has every second layer, and takes no more of them in a question than the real one."""

    def __init__(self) -> None:
        self.questions: list[int] = []

    def batch_check_layer_availability(self, layerDigests: list[str], **_: Any) -> Any:  # noqa: N803  # boto3's name
        assert len(layerDigests) <= QUESTION
        self.questions.append(len(layerDigests))
        states = {True: "AVAILABLE", False: "UNAVAILABLE"}
        return {
            "layers": [
                {"layerDigest": digest, "layerAvailability": states[int(digest) % 2 == 0]} for digest in layerDigests
            ]
        }


def test_of_many_layers_as_many_are_asked_for_as_ecr_takes() -> None:
    ecr = Asked()
    wanted = [str(number) for number in range(2 * QUESTION + 1)]
    assert missing(Repository(ecr, "app"), [*wanted, *wanted]) == wanted[1::2]
    assert ecr.questions == [QUESTION, QUESTION, 1]


def test_a_layer_whose_parts_turn_out_wrong_is_not_taken(repository: Repository) -> None:
    def parts() -> Iterator[bytes]:
        yield b"a part"
        raise ValueError("and no more")

    digest = f"sha256:{'0' * 64}"
    with pytest.raises(ValueError, match="and no more"):
        upload(repository, digest, parts())
    assert missing(repository, [digest]) == [digest]


@pytest.mark.parametrize("url", ["http://layers.example/x", "ftp://layers.example/x", "http://localhost.example/x"])
def test_nothing_is_fetched_where_others_could_change_it(url: str) -> None:
    with pytest.raises(UnsafeAddress, match="not by https"):
        next(parts_at(url))


def test_a_repository_of_another_account_is_named_by_that() -> None:
    assert Repository(None, "app").key == {"repositoryName": "app"}
    assert Repository(None, "app", "1").key == {"repositoryName": "app", "registryId": "1"}
