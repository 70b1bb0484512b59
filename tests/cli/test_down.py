import subprocess
import sys

import psutil

from cli_world import FakeCloud, Teal, record_of


def test_without_a_cloud_there_is_nothing_to_do(teal: Teal) -> None:
    ended = teal("local", "down")
    assert (ended.code, ended.out, ended.err) == (0, "", "No embedded cloud was running.\n")


def test_a_running_cloud_is_stopped_and_forgotten(teal: Teal, cloud: FakeCloud) -> None:
    with subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE) as daemon:
        cloud.home.write_record(record_of(psutil.Process(daemon.pid)))
        ended = teal("local", "down")
        assert daemon.wait(5) is not None
    assert (ended.code, ended.out, ended.err) == (0, "", "The embedded cloud is down.\n")
    assert cloud.home.record() is None
    assert teal("local", "down").err == "No embedded cloud was running.\n"
