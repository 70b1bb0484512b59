import time
from collections.abc import Callable

from processes.environment import Environment
from processes.job import Do
from processes.nursery import Nursery

ENGINES = 20
READY_SECONDS = 2.0
"""Within which all are forked, and wait for the start."""


def test_twenty_engines_that_start_at_once_make_one_release(
    new: Callable[..., Environment], nursery: Nursery, record_property: Callable[[str, object], None]
) -> None:
    environment, start_at = new(), time.time() + READY_SECONDS
    jobs = [
        environment.job(f"engine-{number}", Do.RELEASE, start_at=start_at, bake_seconds=40.0)
        for number in range(ENGINES)
    ]
    ended = [running.wait() for running in [nursery.start(job) for job in jobs]]
    winners = [each.name for each, end in zip(jobs, ended, strict=True) if end.outcome == "DONE"]
    assert len(winners) == 1
    refusals = [end for end in ended if end.outcome != "DONE"]
    assert {end.outcome for end in refusals} <= {"LockHeld", "Refused"}  # Refused: by the release that it began
    assert all(winners[0] in end.why for end in refusals)
    assert {write.engine for write in environment.writes} == set(winners)
    assert {entry.by for entry in environment.history()} == set(winners)
    environment.check()
    record_property("20 engines", f"1 winner, {len(refusals)} refusals that name it")
