"""Every example comes up in the embedded cloud, finds nothing to do the second time, and goes."""

import json

import httpx
import pytest

from engine.world import PROJECT, REGION, World, within
from localcloud.provider.api import Api
from localcloud.registrar import own_zone

EXAMPLES = PROJECT / "examples"
NAMES = sorted(path.parent.name for path in EXAMPLES.glob("*/Pulumi.yaml"))
EVERY_TIME = ("key-python",)
SERVED = ("service-yaml", "service-python")
SERVING_SECONDS = 30.0


@pytest.mark.parametrize(
    "name",
    [
        name if name in EVERY_TIME else pytest.param(name, marks=pytest.mark.long)
        for name in NAMES
        if name not in SERVED
    ],
)
def test_an_example_comes_up_stays_and_goes(name: str, strangers: World) -> None:
    own_zone(Api(strangers.record.api_url, REGION), "stranger.example")
    stack, before = strangers.stack("dev", EXAMPLES / name), strangers.inventory()
    try:
        exports = stack.up()
        assert exports
        assert all(exports.values()), exports
        assert strangers.inventory() > before or name.startswith(("key", "domain"))
        stack.preview(refresh=True, expect_no_changes=True)
    finally:
        stack.destroy()
    assert strangers.inventory() == before


@pytest.mark.long
@pytest.mark.parametrize("name", SERVED)
def test_a_strangers_service_answers_through_the_load_balancer(name: str, strangers: World) -> None:
    """As a stranger does it: `teal local up dev` in the folder of the example, then a request."""
    folder, before = EXAMPLES / name, strangers.inventory()
    stack = strangers.stack("dev", folder)
    try:
        told = json.loads(strangers.teal("local", "up", "dev", "--json", project=folder))
        language = {"yaml": "YAML", "python": "Python"}[name.rpartition("-")[2]]
        answer = httpx.get(told["url"], timeout=10, trust_env=False)
        assert (answer.status_code, answer.text) == (200, f"Hello from {language} (blue)\n")
        assert len(strangers.status("dev").healthy) == 2
        assert told["exports"]["dnsName"].endswith(".elb.amazonaws.com")
        stack.preview(refresh=True, expect_no_changes=True)
    finally:
        stack.destroy()
    within(SERVING_SECONDS, lambda: strangers.inventory() == before)
