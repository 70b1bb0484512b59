import doctest

import pytest

from bench import samples
from bench.samples import Badness, Kind, Sample, badness, between, last_answer, percentile, sample_of, waits

GOOD, BAD = "sha256:" + "a" * 64, "sha256:" + "b" * 64


def sample(due: float, seconds: float = 0.01, **changes: object) -> Sample:
    values: dict[str, object] = {
        "kind": Kind.KEPT, "due": due, "ended": due + seconds, "status": 200, "digest": GOOD, "problem": "",
    }  # fmt: skip
    return Sample(**{**values, **changes})  # type: ignore[arg-type]  # the test says which fields


def failed(due: float) -> Sample:
    return sample(due, status=500, digest="", problem="status 500: out of order")


def test_the_examples_in_the_texts_are_true() -> None:
    assert doctest.testmod(samples).failed == 0


@pytest.mark.parametrize(
    ("percent", "value"), [(0, 1), (1, 1), (50, 50), (50.1, 51), (99, 99), (99.5, 100), (100, 100)]
)
def test_a_percentile_is_one_of_the_values(percent: float, value: float) -> None:
    assert percentile(range(100, 0, -1), percent) == value


def test_of_few_values_the_99th_percentile_is_the_greatest() -> None:
    assert percentile([0.3, 0.9, 0.4], 99) == 0.9


def test_of_no_values_there_is_none() -> None:
    assert str(percentile([], 99)) == "nan"
    assert waits([]).count == 0


def test_a_sample_is_read_as_it_was_written() -> None:
    for one in (sample(1.25), failed(2.5), sample(3.0, kind=Kind.SLOW, problem="no\tanswer\nat all")):
        again = sample_of(one.line() + "\n")
        assert again.line() == one.line()
        assert (again.kind, again.due, again.ended, again.status) == (one.kind, one.due, one.ended, one.status)


def test_slow_requests_count_neither_in_waits_nor_as_last_answers() -> None:
    found = [sample(0, 0.2), sample(1, 0.4), sample(2, 5.0, kind=Kind.SLOW)]
    assert (waits(found).count, round(waits(found).p50), round(waits(found).p99)) == (2, 200, 400)
    assert last_answer(found, GOOD) == 1.4
    assert last_answer(found, BAD) is None


def test_a_failed_or_late_answer_is_bad_and_a_slow_request_is_not() -> None:
    assert failed(0).is_bad
    assert sample(0, 1.5).is_bad
    assert not sample(0, 0.9).is_bad
    assert not sample(0, 5.0, kind=Kind.SLOW).is_bad
    assert sample(0, 5.0, kind=Kind.SLOW, problem="status 503").is_bad


def test_badness_goes_from_the_first_bad_answer_to_the_last_one() -> None:
    found = [sample(0), failed(1), sample(2), sample(3), failed(4), sample(5)]
    told = badness(found, GOOD)
    assert (told.bad, told.answers, round(told.seconds, 6), told.share) == (2, 4, 3.0, 0.5)
    assert badness([sample(0)], GOOD) == Badness(0, 0, 0.0)
    assert Badness(0, 0, 0.0).share == 0


def test_late_answers_of_the_sound_image_are_nobodys_fault() -> None:
    found = [sample(0, 1.5), sample(1, 3.0, digest=BAD), sample(2, 1.5), sample(3)]
    assert badness(found, GOOD) == Badness(1, 1, 0.0)
    assert badness(found, BAD).bad == 2


def test_a_stretch_of_time_has_what_was_due_in_it() -> None:
    assert [one.due for one in between([sample(due) for due in (0, 1, 2, 3)], 1, 3)] == [1, 2]
