from typing import Any, cast

import pulumi
import pytest

from components.route_secret import RouteSecret
from deployed import Deployment, deploy


def made(**changes: Any) -> Deployment:
    args: Any = {"environment": "dev", **changes}

    def program() -> None:
        route = RouteSecret("route", args)
        pulumi.export("value", route.value)
        pulumi.export("name", route.parameter_name)

    return deploy(program)


def test_it_is_kept_encrypted_under_the_environments_path() -> None:
    inputs = made().resources["route-value"].inputs
    assert (inputs["name"], inputs["type"]) == ("/teal/dev/test-header", "SecureString")


def test_it_is_random_and_safe_in_a_header() -> None:
    values = {made().exports["value"] for _ in range(3)}
    assert len(values) == 3
    assert all(len(value) == 43 and value.isascii() and not set(value) & set("*? ") for value in values)


def test_the_first_value_stays() -> None:
    assert made().resources["route-value"].ignored == ("value",)


def test_the_value_is_a_secret() -> None:
    found: list[bool] = []

    def program() -> None:
        args: Any = {"environment": "dev"}
        value = RouteSecret("route", args).value
        pulumi.export("seen", pulumi.Output.from_input(cast(Any, value.is_secret())).apply(found.append))

    deploy(program)
    assert found == [True]


def test_the_parameter_belongs_to_the_component_and_carries_its_tags() -> None:
    value = made(tags={"Team": "shop"}).resources["route-value"]
    assert (value.parent, value.inputs["tags"]) == ("route", {"Team": "shop", "Name": "route-value"})


def test_an_environment_that_names_no_parameter_is_refused() -> None:
    with pytest.raises(ValueError, match="environment must be 1 to 100 letters"):
        made(environment="a b")
