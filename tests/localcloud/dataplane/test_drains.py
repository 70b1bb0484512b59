import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from localcloud.dataplane import drains as drains_module
from localcloud.dataplane.drains import Drains, connections_to, placed
from localcloud.dataplane.fleet import Place
from localcloud.dataplane.snapshot import Snapshot, Target, TargetState
from traffic_world import group, snapshot, split

READY = Target("i-1", "127.16.0.9", 8080, TargetState.READY)
DRAINING = replace(READY, state=TargetState.DRAINING)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    made: SimpleNamespace = SimpleNamespace(now=1000.0, connections=1, monotonic=lambda: made.now)
    monkeypatch.setattr(drains_module, "time", made)
    monkeypatch.setattr(drains_module, "connections_to", lambda *_: made.connections)
    return made


def served(*targets: Target) -> Snapshot:
    web = group("web", *targets, drain=timedelta(seconds=20))
    return snapshot(web, default=split((web, 1)))


def targets_of(found: Snapshot) -> tuple[Target, ...]:
    [web] = found.groups.values()
    return web.targets


def test_a_target_that_leaves_drains_until_its_last_connection_is_closed(world: SimpleNamespace) -> None:
    drains = Drains()
    assert targets_of(drains.follow(served(READY))) == (READY,)
    assert targets_of(drains.follow(served())) == (DRAINING,)
    world.now += 5
    drains.follow(served())
    assert drains.is_draining("i-1")
    world.connections = 0
    assert targets_of(drains.follow(served())) == ()
    assert not drains.is_draining("i-1")


def test_no_connection_counts_before_envoy_can_have_followed(world: SimpleNamespace) -> None:
    drains, world.connections = Drains(), 0
    drains.follow(served(READY))
    drains.follow(served())
    assert drains.is_draining("i-1")
    world.now += drains_module.SETTLE_SECONDS
    drains.follow(served())
    assert not drains.is_draining("i-1")


def test_the_deregistration_delay_ends_a_drain(world: SimpleNamespace) -> None:
    drains = Drains()
    drains.follow(served(READY))
    drains.follow(served())
    world.now += 20
    drains.follow(served())
    assert not drains.is_draining("i-1")


def test_a_target_that_comes_back_drains_no_more(world: SimpleNamespace) -> None:
    drains = Drains()
    drains.follow(served(READY))
    drains.follow(served())
    assert targets_of(drains.follow(served(READY))) == (READY,)
    assert not drains.is_draining("i-1")


def test_a_target_that_never_was_ready_has_nothing_to_drain(world: SimpleNamespace) -> None:
    drains = Drains()
    drains.follow(served(replace(READY, state=TargetState.REGISTERED)))
    assert targets_of(drains.follow(served())) == ()


def test_targets_get_the_places_of_their_instances() -> None:
    unplaced = [Target(name, "", 8080, TargetState.REGISTERED) for name in ("i-1", "i-2", "i-3", "127.0.0.7")]
    places = {"i-1": Place("127.16.0.9", TargetState.READY), "i-2": Place("127.16.0.8", TargetState.DRAINING)}
    found = targets_of(placed(served(*unplaced), places))
    assert found == (READY, unplaced[2], Target("127.0.0.7", "127.0.0.7", 8080, TargetState.READY))


@pytest.fixture
def connected() -> Iterator[tuple[str, int]]:
    with socket.create_server(("127.0.0.3", 0)) as server, socket.create_connection(server.getsockname()):
        accepted, _ = server.accept()
        with accepted:
            yield server.getsockname()


def test_a_connection_counts_whose_other_end_is_nobodys_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the kernel tells of one into a container's namespace: only the end of whoever asks is in the table."""
    line = "   0: 0100007F:C5A8 0200107F:1F90 01 00000000:00000000 00:00000000 00000000 0 0 1 1 0000000000000000"
    table = tmp_path / "tcp"
    table.write_text(f"  sl  local_address rem_address   st\n{line}\n")
    monkeypatch.setattr(drains_module, "PROC_NET_TCP", table)
    assert connections_to("127.16.0.2", 8080) == 1
    assert connections_to("127.0.0.1", 50_600) == 0


def test_open_connections_are_counted(connected: tuple[str, int]) -> None:
    assert connections_to(*connected) == 1
    assert connections_to("127.0.0.4", connected[1]) == 0


def test_connections_into_a_container_are_counted_at_our_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told = tmp_path / "tcp"
    lines = ["  sl  local_address rem_address   st", "   0: 010011AC:C350 030011AC:1F90 01 00000000:00000000"]
    told.write_text("\n".join([*lines, "   1: 010011AC:C351 030011AC:1F90 06 00000000:00000000"]))
    monkeypatch.setattr(drains_module, "PROC_NET_TCP", told)
    assert connections_to("172.17.0.3", 8080) == 1
    assert connections_to("172.17.0.4", 8080) == 0
