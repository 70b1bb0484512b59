"""Good stack files, dozens of them, really previewed by the engine; bad ones told by it in one line."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from config.settings import SettingsError, of_stack
from config.stack_files import region_of
from engine.world import World, copy_project
from localcloud.errors import StackFailed
from localcloud.provider.api import Api
from localcloud.registrar import own_zone
from localcloud.stacks import LocalStack
from stack_files_made import ODDITIES, good, is_clear, written

FILES, LEAST_FILES = 30, 12
DEADLINE_SECONDS = 150.0
"""For all previews together; after it, only the least number is still looked at."""


@pytest.fixture(scope="module")
def odd(world: World, tmp_path_factory: pytest.TempPathFactory) -> LocalStack:
    """A stack of our program whose file each example writes anew; it is never brought up."""
    return world.stack("odd", copy_project(tmp_path_factory.mktemp("fuzzed") / "odd", "odd", like="qa"))


@pytest.fixture(autouse=True)
def good_again(odd: LocalStack) -> Iterator[None]:
    """Leaves the next test a stack file that can be read."""
    before = odd.source.read_bytes()
    yield
    odd.source.write_bytes(before)


@pytest.mark.long
def test_every_good_stack_file_previews(
    world: World, odd: LocalStack, record_property: Callable[[str, object], None]
) -> None:
    ends, seconds = time.monotonic() + DEADLINE_SECONDS, list[float]()

    @settings(
        max_examples=FILES, deadline=None, database=None, phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(config=good(of_all=True))
    def previews(config: dict[str, Any]) -> None:
        if time.monotonic() > ends and len(seconds) >= LEAST_FILES:
            return
        odd.source.write_bytes(written(config))
        wanted = of_stack(odd.project, "odd")
        if wanted.zone_name:
            own_zone(Api(world.record.api_url, odd.region), wanted.zone_name)
        started = time.monotonic()
        assert odd.preview()["create"] > 70
        seconds.append(time.monotonic() - started)

    before = world.inventory()
    previews()
    assert len(seconds) >= LEAST_FILES
    assert {each for each in world.inventory() - before if "route53" not in each} == set()
    record_property("good stack files previewed", f"{len(seconds)}, {sum(seconds) / len(seconds):.1f} s each")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("config: {teal:zones: 4}\n", "teal:zones is 4: it must be at most 3"),
        ("config: {teal:zone: 4}\n", "teal:zone is unknown"),
        ("config: {teal:zones: }\n", "teal:zones"),
        ("config: {aws:region: Frankfurt}\n", "aws:region is Frankfurt"),
        ("config: {teal:buildsImage: yes}\n", "teal:buildsImage"),
        ("config: {teal:instanceTypes: [t4g.small, t3.small]}\n", "teal:instanceTypes is ['t4g.small', 't3.small']"),
    ],
)
def test_what_the_engine_is_given_in_spite_of_all_is_told_by_the_key(odd: LocalStack, content: str, told: str) -> None:
    odd.source.write_text(content)
    with pytest.raises(StackFailed) as failed:
        odd.preview()
    assert told in str(failed.value)
    assert is_clear(str(failed.value), told)


@pytest.mark.long
def test_the_engine_itself_never_takes_what_we_refuse_for_something_else(odd: LocalStack) -> None:
    """It may take more than we do; but then by the same text, or not at all by a program of ours."""
    for content in ODDITIES:
        odd.source.write_bytes(content)
        try:
            of_stack(odd.project, "odd")
            region_of(odd.project, "odd")
        except SettingsError:
            continue
        assert odd.preview()["create"] > 70, content


def test_the_stack_that_was_fuzzed_has_nothing(odd: LocalStack) -> None:
    assert odd.exports() == {}
    assert isinstance(odd.project, Path)
