import signal
from collections.abc import Iterator
from queue import SimpleQueue
from types import SimpleNamespace

import pytest

from app import gunicorn_conf


@pytest.fixture(autouse=True)
def sigterm_restored() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def master(*signals: int) -> SimpleNamespace:
    queue: SimpleQueue[int] = SimpleQueue()
    for number in signals:
        queue.put(number)
    return SimpleNamespace(SIG_QUEUE=queue)


def test_an_order_to_stop_that_a_starting_worker_inherited_is_followed() -> None:
    with pytest.raises(SystemExit) as ended:
        gunicorn_conf.post_fork(master(signal.SIGCHLD, signal.SIGTERM), None)
    assert ended.value.code == 0


def test_until_it_has_handlers_of_its_own_sigterm_just_ends_a_worker() -> None:
    gunicorn_conf.post_fork(master(signal.SIGCHLD), None)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_idle_connections_outlive_the_load_balancers_timeout() -> None:
    assert gunicorn_conf.keepalive > 60


def test_gunicorn_waits_longer_than_grace_and_longest_request() -> None:
    assert gunicorn_conf.graceful_timeout >= 30 + gunicorn_conf.settings.stop_grace_seconds
