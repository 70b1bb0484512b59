"""All four stacks side by side, from the project's own unchanged files."""

import time
from collections.abc import Callable

import httpx
import pytest

from engine.world import PROJECT, BringUp, World, project_files, run, within
from localcloud.environment import stack_names
from localcloud.stacks import LocalStack
from localcloud.status import plane_status

STACKS = ("dev", "qa", "stage", "prod")
SERVING_SECONDS = 20.0
Figure = Callable[[str, object], None]


def test_every_stack_of_the_project_is_tried_here() -> None:
    assert sorted(STACKS) == stack_names(PROJECT)


@pytest.mark.parametrize("name", STACKS)
def test_a_stack_comes_up_from_its_own_file(
    name: str, bring_up: BringUp, up_seconds: dict[str, float], record_property: Figure
) -> None:
    assert bring_up(name).exports()["url"]
    record_property("seconds of first `teal local up`", round(up_seconds[name], 1))


@pytest.mark.parametrize("name", STACKS)
def test_a_second_up_changes_nothing(name: str, bring_up: BringUp, record_property: Figure) -> None:
    stack = bring_up(name)
    started = time.monotonic()
    heard = run(stack.up)
    record_property("seconds of second up", round(time.monotonic() - started, 1))
    assert len(heard.by_name) > 80
    assert not heard.changes


@pytest.mark.parametrize("name", STACKS)
def test_a_preview_with_refresh_finds_nothing(name: str, bring_up: BringUp, record_property: Figure) -> None:
    stack = bring_up(name)
    started = time.monotonic()
    changes = stack.preview(refresh=True, expect_no_changes=True)
    record_property("seconds of preview with refresh", round(time.monotonic() - started, 1))
    assert set(changes) <= {"same", "read"}


def test_dev_answers_through_the_load_balancer_from_two_instances_in_two_zones(world: World, dev: LocalStack) -> None:
    instances, zones = set(), set()

    def ask() -> bool:
        told = httpx.get(f"{world.status('dev').url}/version", timeout=10, trust_env=False).raise_for_status().json()
        instances.add(told["instance"])
        zones.add(told["zone"])
        return len(instances) >= 2 and len(zones) >= 2

    within(SERVING_SECONDS, ask)
    assert instances <= {instance.id for instance in world.status("dev").instances}


def test_dev_serves_the_image_that_it_built(world: World, dev: LocalStack) -> None:
    told = httpx.get(f"{world.status('dev').url}/version", timeout=10, trust_env=False).json()
    assert told["digest"] == dev.exports()["candidate"]


def test_prod_redirects_to_https_and_serves_there_from_three_zones(world: World, bring_up: BringUp) -> None:
    prod = bring_up("prod")
    arn = prod.exports()["loadBalancerArn"]
    plane = plane_status(world.record)
    by_protocol = {listener.protocol: listener.url for listener in plane.listeners if listener.load_balancer_arn == arn}
    assert set(by_protocol) == {"HTTP", "HTTPS"}
    # The certificate is the embedded cloud's own: no authority that this machine knows has signed it.
    with httpx.Client(verify=False, timeout=10, trust_env=False) as client:  # noqa: S501
        redirect = client.get(f"{by_protocol['HTTP']}/version?a=b")
        assert redirect.status_code == 301
        assert redirect.headers["location"] == f"{by_protocol['HTTPS']}/version?a=b"
        zones: set[str] = set()

        def ask() -> bool:
            zones.add(client.get(redirect.headers["location"]).raise_for_status().json()["zone"])
            return len(zones) == 3

        within(SERVING_SECONDS, ask)


@pytest.mark.parametrize("name", ["qa", "stage"])
def test_a_stack_without_a_release_says_so(name: str, world: World, bring_up: BringUp) -> None:
    stack = bring_up(name)
    with httpx.Client(verify=False, timeout=10, trust_env=False) as client:  # noqa: S501
        answer = client.get(f"{world.status(name).url}")
    assert (answer.status_code, answer.text) == (503, "nothing released yet")
    assert not world.status(name).instances
    assert stack.exports()["isReleased"] is False


@pytest.mark.parametrize("name", STACKS)
def test_neither_engine_nor_sdk_writes_into_the_project(
    name: str, bring_up: BringUp, original_files: dict[str, bytes]
) -> None:
    bring_up(name)
    assert project_files() == original_files
    assert f"Pulumi.{name}.yaml" in original_files
