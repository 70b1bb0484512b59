import json
from collections.abc import Callable
from typing import Any

import pytest

from localcloud import status
from localcloud.errors import CloudNotRunning, LocalCloudError
from localcloud.home import CloudRecord
from localcloud.status import InstanceStatus, StackStatus, await_serving, plane_status

RECORD = CloudRecord(pid=1, started=0, mark="m", api_url="http://127.0.0.1:9", providers={})


def instance(number: int, health: str = "healthy", zone: str = "a", reason: str = "") -> InstanceStatus:
    return InstanceStatus(
        id=f"i-{number}", scaling_group="blue", colour="blue", zone=zone, address="127.16.0.1:8080", health=health,
        state="InService", reason=reason,
    )  # fmt: skip


def stack(*instances: InstanceStatus) -> StackStatus:
    return StackStatus("http://127.0.0.1:4000", instances)


def reading(*found: StackStatus) -> Callable[[], StackStatus]:
    """Each in turn, the last one for ever."""
    left = list(found)
    return lambda: left.pop(0) if len(left) > 1 else left[0]


def nobody(_: str) -> None:
    """Hears nothing."""


def test_only_healthy_instances_count() -> None:
    found = stack(instance(1), instance(2, "initial"), instance(3, "none"), instance(4, "unhealthy"))
    assert [one.id for one in found.healthy] == ["i-1"]


def test_a_stack_serves_once_enough_are_healthy_in_enough_zones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "POLL_SECONDS", 0.01)
    told: list[str] = []
    last = stack(instance(1), instance(2), instance(3, zone="b"))
    read = reading(stack(), stack(instance(1), instance(2)), last)
    assert await_serving(read, 2, 2, 5, told.append) is last
    assert told == ["0 of 2 instances healthy, in 0 of 2 zones", "2 of 2 instances healthy, in 1 of 2 zones"]


def test_where_nothing_is_released_nothing_is_waited_for() -> None:
    assert await_serving(reading(stack()), 0, 0, 0, nobody).healthy == ()


def test_past_the_deadline_the_reasons_are_told_each_once() -> None:
    found = stack(
        instance(1),
        *(instance(number, "unhealthy", reason="Health checks failed") for number in (2, 3)),
        instance(4, "initial", reason="its process ended"),
    )
    with pytest.raises(LocalCloudError) as caught:
        await_serving(reading(found), 4, 2, 0, nobody)
    assert str(caught.value) == (
        "after 0 s only 1 of 4 instances healthy, in 1 of 2 zones: Health checks failed; its process ended"
    )


def test_past_the_deadline_without_a_reason_the_log_is_named() -> None:
    with pytest.raises(LocalCloudError, match=r"in 0 of 1 zones: see `teal local logs`$"):
        await_serving(reading(stack(instance(1, "initial"))), 1, 1, 0, nobody)


def test_a_cloud_that_does_not_answer_is_no_running_cloud() -> None:
    with pytest.raises(CloudNotRunning, match=r"the embedded cloud does not answer at http://127\.0\.0\.1:9: "):
        plane_status(RECORD)


def test_what_the_daemon_tells_is_what_is_read() -> None:
    told: dict[str, Any] = {**instance(1).model_dump(), "what_a_later_one_tells": 17}
    assert InstanceStatus.model_validate_json(json.dumps(told)) == instance(1)
