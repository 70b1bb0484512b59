"""What a killed run made and nobody heard of goes before it is made again; what the engine knows never does."""

from typing import Any, cast

import pytest

from localcloud.provider.api import Api
from localcloud.provider.errors import ApiRefused
from localcloud.provider.package import ResourceType
from localcloud.provider.unheard import Made, Unheard

URN = "urn:pulumi:test::teal::aws:ec2/vpc:Vpc::main"
INPUTS = {"cidrBlock": "10.0.0.0/16"}
NO_API = cast("Api", None)


class FakeType:
    """Notes what is deleted, and refuses it where told to."""

    def __init__(self, refusal: ApiRefused | None = None) -> None:
        self.deleted: list[str] = []
        self.refusal = refusal

    def delete(self, api: Api, resource_id: str, inputs: Any, state: Any) -> None:
        if self.refusal:
            raise self.refusal
        self.deleted.append(resource_id)


def made_once(kind: FakeType) -> Unheard:
    unheard = Unheard()
    unheard.remember(URN, Made(cast("ResourceType", kind), "vpc-1", INPUTS, {}))
    return unheard


def test_what_nobody_heard_of_is_removed_once() -> None:
    kind = FakeType()
    unheard = made_once(kind)
    unheard.take_back(NO_API, URN)
    unheard.take_back(NO_API, URN)
    assert kind.deleted == ["vpc-1"]


@pytest.mark.parametrize("told", [{"resource_id": "vpc-1"}, {"inputs": dict(INPUTS)}])
def test_what_the_engine_has_in_its_state_stays(told: dict[str, Any]) -> None:
    kind = FakeType()
    unheard = made_once(kind)
    unheard.heard_of(URN, **told)
    unheard.take_back(NO_API, URN)
    assert not kind.deleted


@pytest.mark.parametrize("told", [{"resource_id": "vpc-0"}, {"inputs": {"cidrBlock": "10.1.0.0/16"}}, {"inputs": {}}])
def test_the_resource_that_it_was_to_replace_does_not_stand_for_it(told: dict[str, Any]) -> None:
    kind = FakeType()
    unheard = made_once(kind)
    unheard.heard_of(URN, **told)
    unheard.take_back(NO_API, URN)
    assert kind.deleted == ["vpc-1"]


def test_one_that_cannot_be_removed_does_not_keep_the_next_from_being_made() -> None:
    unheard = made_once(FakeType(ApiRefused("ec2 delete_vpc", "DependencyViolation", "it has subnets")))
    unheard.take_back(NO_API, URN)


def test_another_resource_of_the_type_is_left_alone() -> None:
    kind = FakeType()
    made_once(kind).take_back(NO_API, URN + "-other")
    assert not kind.deleted
