"""The counter on the data volume: one count for all processes and threads, and no count lost."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app.counter import Counter
from app.factory import create_app

THREADS, TIMES = 4, 10


@pytest.fixture
def served(tmp_path: Path) -> FlaskClient:
    return create_app({"TEAL_DATA": str(tmp_path)}).test_client()


def count_much(folder: str) -> list[int]:
    """What several threads of one process were answered, each with a counter of its own."""
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(lambda _: Counter(Path(folder)).add(), range(TIMES)))


def test_it_counts_and_tells(served: FlaskClient) -> None:
    assert served.get("/counter").get_json() == {"count": 0}
    assert [served.post("/counter").get_json() for _ in range(2)] == [{"count": 1}, {"count": 2}]
    assert served.get("/counter").get_json() == {"count": 2}
    assert "<dt>Counted so far</dt><dd>2</dd>" in served.get("/").text


def test_another_process_goes_on_counting(served: FlaskClient, tmp_path: Path) -> None:
    served.post("/counter")
    later = create_app({"TEAL_DATA": str(tmp_path)}).test_client()
    assert later.post("/counter").get_json() == {"count": 2}


def test_without_a_data_volume_there_is_no_counter(client: FlaskClient) -> None:
    for answer in (client.get("/counter"), client.post("/counter")):
        assert (answer.status_code, "dataVolumeGib" in answer.get_json()["detail"]) == (404, True)
    assert "Counted" not in client.get("/").text


def test_many_threads_of_many_processes_lose_no_count_and_see_none_twice(tmp_path: Path) -> None:
    with ProcessPoolExecutor(3, mp_context=multiprocessing.get_context("spawn")) as pool:
        answers = [count for part in pool.map(count_much, [str(tmp_path)] * 3) for count in part]
    assert sorted(answers) == list(range(1, 3 * TIMES + 1))
    assert Counter(tmp_path).value() == 3 * TIMES


def test_a_write_that_was_cut_short_leaves_the_count_as_it_was(tmp_path: Path) -> None:
    counter = Counter(tmp_path)
    counter.add()
    (tmp_path / "counter.new").write_text("")  # as a server that lost its power would leave it
    assert (counter.value(), counter.add()) == (1, 2)


@pytest.mark.parametrize("content", ["", "many", "-1", "9" * 5000])
def test_a_file_that_holds_no_number_is_never_counted_on(tmp_path: Path, content: str) -> None:
    (tmp_path / "counter").write_text(content)
    with pytest.raises(ValueError, match="holds no number"):
        Counter(tmp_path).add()
    assert (tmp_path / "counter").read_text() == content
