"""What a program in another language is told of an input that can't be."""

from typing import Any, TypedDict

import pulumi
import pytest
from pulumi.provider.server import ComponentInitError

from components.key import Key
from components.network import Network
from components.serving import Served, refusal


class BrokenArgs(TypedDict):
    """What a Broken takes."""

    size: pulumi.Input[float]


class Broken(pulumi.ComponentResource):
    """A component with a bug."""

    size: pulumi.Output[float]

    def __init__(self, name: str, args: BrokenArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        raise KeyError("size")


def told(inputs: dict[str, Any]) -> pulumi.InputPropertyError:
    with pytest.raises(pulumi.InputPropertyError) as problem:
        Served([Network], "teal").construct("main", "teal:index:Network", inputs)
    return problem.value


def test_an_input_out_of_bounds_is_told_by_the_name_that_the_program_gave_it() -> None:
    small = told({"cidrBlock": "10.0.0.0/30", "zones": ["eu-west-1a", "eu-west-1b"]})
    assert small.property_path == "cidrBlock"
    assert small.reason.startswith("cidrBlock 10.0.0.0/30 is too small for the zones")


def test_a_line_that_begins_with_no_input_stays_as_it_is() -> None:
    assert refusal("10.0.0.0/30 is too small").reason == "10.0.0.0/30 is too small"
    assert refusal("10.0.0.0/30 is too small").property_path == ""


def test_a_bug_of_ours_keeps_its_trace() -> None:
    with pytest.raises(ComponentInitError):
        Served([Key, Broken], "teal").construct("main", "teal:index:Broken", {"size": 1})
