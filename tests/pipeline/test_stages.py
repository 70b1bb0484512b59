import pytest

from pipeline.errors import StagesError
from pipeline.stages import Stage, chosen, in_order, reached

DEV = Stage(name="dev", builds=True, is_automatic=True)
QA = Stage(name="qa", follows="dev", is_automatic=True)
STAGE = Stage(name="stage", follows="qa", is_automatic=True)
PROD = Stage(name="prod", follows="stage")
ALL = (PROD, STAGE, QA, DEV)


def names(stages: tuple[Stage, ...]) -> list[str]:
    return [stage.name for stage in stages]


def test_a_stage_comes_after_the_one_that_it_follows() -> None:
    assert names(in_order(ALL)) == ["dev", "qa", "stage", "prod"]


def test_a_merge_goes_on_to_the_first_manual_one() -> None:
    assert names(reached(in_order(ALL))) == ["dev", "qa", "stage"]


def test_nothing_behind_a_manual_one_is_reached() -> None:
    held = Stage(name="qa", follows="dev")
    assert names(reached(in_order((DEV, held, STAGE)))) == ["dev"]


def test_two_may_follow_the_same_one() -> None:
    demo = Stage(name="demo", follows="dev", is_automatic=True)
    assert names(reached(in_order((*ALL, demo)))) == ["dev", "demo", "qa", "stage"]


def test_those_that_are_asked_for_keep_their_order_and_need_not_be_automatic() -> None:
    assert names(chosen(in_order(ALL), ["prod", "dev"])) == ["dev", "prod"]


@pytest.mark.parametrize(
    ("stages", "told"),
    [
        (
            (DEV, Stage(name="qa", follows="devv")),
            "teal:follows of qa is 'devv': there is no such stack, only dev, qa",
        ),
        (
            (Stage(name="a", follows="b"), Stage(name="b", follows="a")),
            "teal:follows goes in a circle: a follows b follows a",
        ),
        ((Stage(name="a", follows="a"),), "teal:follows goes in a circle: a follows a"),
        (
            (DEV, Stage(name="lab", builds=True, is_automatic=True)),
            "dev and lab would both build what a merge delivers: an image is built once",
        ),
    ],
)
def test_what_is_no_way_is_told_in_a_line(stages: tuple[Stage, ...], told: str) -> None:
    with pytest.raises(StagesError) as failed:
        in_order(stages)
    assert str(failed.value).startswith(told)


def test_an_unknown_name_is_told_with_those_that_there_are() -> None:
    with pytest.raises(StagesError, match="there is no stack production: there are dev, qa, stage, prod"):
        chosen(in_order(ALL), ["dev", "production"])
