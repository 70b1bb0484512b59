"""The calls that a pipeline really makes in an embedded cloud, against what its roles may do and against the record."""

from collections.abc import Mapping

import pytest

import needed
from components.identity import ROLES
from engine.pipeline_walk import Walk
from engine.world import running_world
from localcloud.api.recorder import SWITCH
from needed import Need, idle, lacking
from toolchain import Toolchain

WALK_SECONDS = 1500


@pytest.fixture(scope="module")
def needs(
    engine: Toolchain, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Mapping[str, set[Need]]:
    """What each role needed just now; with --update, also the new record."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(SWITCH, "1")
        with running_world(tmp_path_factory.mktemp("calls") / "home", engine) as world:
            walk = Walk(world, tmp_path_factory.mktemp("copies"))
            walk.go()
    if pytestconfig.getoption("--update"):
        needed.write(walk.needs)
    return walk.needs


@pytest.mark.long
@pytest.mark.timeout(WALK_SECONDS)
def test_the_record_that_unit_tests_compare_with_is_what_is_called(needs: Mapping[str, set[Need]]) -> None:
    """Where servers take longer, a call may come that did not before; then the role must have it, as below."""
    for role, before in needed.read().items():
        assert {need.action for need in before} == {need.action for need in needs[role]}, "run with --update"


@pytest.mark.long
@pytest.mark.timeout(WALK_SECONDS)
@pytest.mark.parametrize("role", ROLES)
def test_a_role_has_every_action_that_is_called_and_no_other(role: str, needs: Mapping[str, set[Need]]) -> None:
    statements = [statement for some in ROLES[role].values() for statement in some]
    assert lacking(statements, needs[role]) == []
    assert idle(statements, needs[role]) == []
