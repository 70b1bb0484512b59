import json
import subprocess
import sys
from pathlib import Path

import psutil

from cli_world import FakeCloud, Teal, record_of


def test_without_a_cloud_it_says_so_and_exits_with_3(teal: Teal) -> None:
    ended = teal("local", "status")
    assert (ended.code, ended.out) == (3, "")
    assert ended.told == "teal: no embedded cloud runs here: start one with `teal local up`"


def test_without_a_cloud_the_json_says_so_too(teal: Teal) -> None:
    ended = teal("local", "status", "--json")
    assert ended.code == 3
    assert json.loads(ended.out) == {"running": False, "stacks": {}, "left": []}


def test_a_killed_cloud_is_no_running_cloud(teal: Teal, cloud: FakeCloud) -> None:
    killed = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE)
    with killed:
        cloud.home.write_record(record_of(psutil.Process(killed.pid)))
        killed.kill()
    ended = teal("local", "status", "--json")
    assert ended.code == 3
    assert json.loads(ended.out) == {"running": False, "stacks": {}, "left": []}
    assert ended.told == "teal: the embedded cloud is gone (it was killed): start a new one with `teal local up`"


def test_a_cloud_that_does_not_answer_is_none_either(teal: Teal, cloud: FakeCloud) -> None:
    cloud.home.write_record(record_of(psutil.Process()))
    ended = teal("local", "status")
    assert ended.code == 3
    assert ended.told.startswith("teal: the embedded cloud does not answer at http://127.0.0.1:9: ")


def test_the_json_has_url_and_instances_by_stack(teal: Teal, cloud: FakeCloud) -> None:
    url = cloud.add_stack("dev", "ca-central-1a", "ca-central-1b")
    other = cloud.add_stack("prod")
    ended = teal("local", "status", "--json")
    assert (ended.code, ended.err) == (0, "")
    assert json.loads(ended.out) == {
        "running": True,
        "stacks": {
            "dev": {
                "url": url,
                "instances": [
                    {
                        "id": f"i-{number:017x}",
                        "colour": "blue",
                        "zone": f"ca-central-1{zone}",
                        "address": f"127.16.0.{number}:8080",
                        "health": "healthy",
                    }
                    for number, zone in ((1, "a"), (2, "b"))
                ],
            },
            "prod": {"url": other, "instances": []},
        },
        "left": [],
    }


def test_people_get_a_table(teal: Teal, cloud: FakeCloud) -> None:
    url = cloud.add_stack("dev", "ca-central-1a")
    cloud.add_instance(7, "dev-blue", "ca-central-1b", health="unhealthy", reason="its process [ended]: exit code 3")
    head, first, second = teal("local", "status").out.splitlines()
    assert head == f"dev  {url}  1 of 2 instances healthy"
    assert first.split() == ["i-00000000000000001", "blue", "ca-central-1a", "127.16.0.1:8080", "healthy"]
    assert second.endswith("unhealthy  its process [ended]: exit code 3")


def test_a_cloud_without_stacks_says_what_to_do(teal: Teal, cloud: FakeCloud) -> None:
    assert cloud.home.record()
    assert teal("local", "status").out == "The embedded cloud runs; no stack is up: `teal local up dev`.\n"


LEFT = {"id": "vol-01", "environment": "dev", "name": "data-volume", "zone": "ca-central-1a", "size_gib": 8}


def test_what_a_killed_cloud_left_and_nobody_took_over_is_told(teal: Teal, cloud: FakeCloud) -> None:
    stray = {"id": "snap-01", "environment": "", "name": "", "zone": "", "size_gib": None}
    cloud.status["left"] = [LEFT, {"id": "snap-01"}]
    assert teal("local", "status").out.splitlines()[1:] == [
        "left by a killed cloud: vol-01 (dev data-volume), ca-central-1a, 8 GiB",
        "left by a killed cloud: snap-01 (of nobody that is known)",
        "A stack that comes up without its data volume takes it over; `teal local down` removes what is left.",
    ]
    assert json.loads(teal("local", "status", "--json").out)["left"] == [LEFT, stray]


def test_it_is_told_before_there_is_a_new_cloud_too(teal: Teal, home: Path) -> None:
    (home / "volumes" / "vol-01").mkdir(parents=True)
    ended = teal("local", "status")
    assert (ended.code, ended.out.splitlines()[0]) == (3, "left by a killed cloud: vol-01 (of nobody that is known)")
    assert json.loads(teal("local", "status", "--json").out)["left"][0]["id"] == "vol-01"


def test_a_living_cloud_that_does_not_answer_has_left_nothing(teal: Teal, cloud: FakeCloud) -> None:
    cloud.home.write_record(record_of(psutil.Process()))
    (cloud.home.volumes / "vol-01").mkdir(parents=True)
    ended = teal("local", "status")
    assert (ended.code, ended.out) == (3, "")


def test_an_api_that_answers_with_an_error_is_one_line(teal: Teal, cloud: FakeCloud) -> None:
    cloud.is_broken = True
    ended = teal("local", "status")
    assert (ended.code, ended.out) == (1, "")
    assert ended.told.startswith("teal: ")
    assert "Unable to parse response" in ended.told


def test_an_unwritable_home_is_one_line(teal: Teal, home: Path) -> None:
    home.write_text("a file where the folder should be")
    ended = teal("local", "status")
    assert ended.code == 1
    assert ended.told == f"teal: cannot write to {home} (File exists): set TEAL_HOME"
