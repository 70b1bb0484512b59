import pytest

from cli.failures import Failure, foreseen
from cli.release.options import Seconds, Steps
from cli_world import Teal
from release.errors import (
    ForeignWeights,
    InfrastructureFailed,
    LedgerMissing,
    LockHeld,
    LockLost,
    Refused,
    ReleaseError,
    ReleaseInFlight,
)

COMMANDS = ("plan", "start", "status", "pause", "rollback", "resume", "abort", "history", "unlock")
REQUIRED = {"unlock": ("--reason", "gone")}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_in_its_help_where_it_works(teal: Teal, command: str) -> None:
    told = " ".join(teal("release", command, "--help").out.split())
    assert "embedded cloud" in told
    assert f"teal release {command} dev" in told


def test_the_group_says_where_it_works_and_what_codes_mean(teal: Teal) -> None:
    told = " ".join(teal("release", "--help").out.split())
    assert "with --aws on environments on AWS" in told
    for code in ("0 done", "1 failed", "2 called wrongly", "3 no embedded cloud", "4 refused by a gate"):
        assert code in told
    for code in ("5 rolled back", "6 paused", "7 lock held or lost"):
        assert code in told


@pytest.mark.parametrize("command", COMMANDS)
def test_without_a_cloud_the_code_is_3(teal: Teal, command: str) -> None:
    ended = teal("release", command, "dev", *REQUIRED.get(command, ()))
    assert (ended.code, ended.out) == (3, "")
    assert ended.told == "teal: no embedded cloud runs here: start one with `teal local up`"


def test_an_unknown_environment_is_told_which_there_are(teal: Teal) -> None:
    ended = teal("release", "status", "production")
    assert ended.code == 1
    assert ended.told == "teal: there is no environment 'production': there are dev, prod, qa, stage"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Refused("x"), 4),
        (ReleaseInFlight("x"), 4),
        (LockHeld("x"), 7),
        (LockLost("x"), 7),
        (ForeignWeights("x"), 1),
        (InfrastructureFailed("x"), 1),
        (LedgerMissing("x"), 1),
    ],
)
def test_every_failure_has_its_code(error: ReleaseError, code: int) -> None:
    with pytest.raises(Failure) as failed, foreseen():
        raise error
    assert failed.value.exit_code == code


@pytest.mark.parametrize(("written", "seconds"), [("2s", 2), ("1.5m", 90), ("1h", 3600), ("0s", 0)])
def test_times_carry_their_unit(written: str, seconds: float) -> None:
    assert Seconds().convert(written, None, None) == seconds


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--bake", "2"), "'2' is no length of time: write 2s, 1.5m or 1h"),
        (("--bake", "-2s"), "'-2s' is no length of time"),
        (("--steps", "5,x"), "'5,x' is no list of percentages: write 5,25,50,100"),
        (("--steps", "5,50"), "'5,50' must rise from above 0 and end at 100"),
        (("--steps", "50,25,100"), "must rise"),
        (("--steps", "50,100", "--bake", "1s,2s,3s"), "--bake takes one time, or one for each of the 2 steps"),
        (("--image", "latest"), "'latest' is not a digest"),
    ],
)
def test_a_wrong_call_says_what_is_right(teal: Teal, arguments: tuple[str, ...], told: str) -> None:
    ended = teal("release", "start", "dev", *arguments)
    assert ended.code == 2
    assert told in ended.told


def test_steps_need_not_be_even() -> None:
    assert Steps().convert("1,10,100", None, None) == (1, 10, 100)
