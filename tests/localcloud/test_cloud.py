import importlib.util
import os
import platform
from pathlib import Path

import httpx
import pytest

from localcloud import cloud as module
from localcloud.cloud import Cloud
from localcloud.dataplane.plane import DataPlane
from localcloud.errors import CloudStartFailed, LocalCloudError
from localcloud.home import MARK, Home
from localcloud.launch import STATUS_PATH


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.prepare()
    return made


class FakeApiServer:
    """Nothing that would have to be stopped, which takes half a second."""

    url = "http://127.0.0.1:9"

    def __init__(self, around: object) -> None: ...

    def __enter__(self) -> "FakeApiServer":
        return self

    def __exit__(self, *_: object) -> None: ...


@pytest.fixture
def without_api(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ApiServer", FakeApiServer)


def cloud_in(home: Home, tmp_path: Path) -> Cloud:
    return Cloud(home, tmp_path, ["ca-central-1"])


@pytest.mark.usefixtures("without_api")
def test_no_envoy_for_this_platform_is_one_line(home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(platform, "system", lambda: "Plan9")
    with (
        pytest.raises(LocalCloudError, match=r"load balancer is Envoy, and .* has no program for Plan9 on "),
        cloud_in(home, tmp_path),
    ):
        pass


def test_a_start_that_fails_is_one_line_and_leaves_nothing_running(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(plane: object) -> None:
        raise PermissionError(13, "Permission denied", "envoy")

    monkeypatch.setattr(DataPlane, "start", start)
    cloud = cloud_in(home, tmp_path)
    with pytest.raises(CloudStartFailed, match=r"the load balancer did not start: .*Permission denied: 'envoy'"), cloud:
        pass
    with pytest.raises(httpx.ConnectError):
        httpx.get(cloud.api_url + STATUS_PATH, trust_env=False)


@pytest.mark.usefixtures("without_api")
@pytest.mark.parametrize("mark", ["0a0b", None])
def test_instances_carry_the_clouds_mark(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str | None
) -> None:
    given: list[dict[str, str]] = []

    def driver(environment: dict[str, str]) -> None:
        given.append(environment)
        raise LocalCloudError("enough")

    monkeypatch.delenv(MARK, raising=False)
    if mark:
        monkeypatch.setenv(MARK, mark)
    monkeypatch.setattr(module, "ProcessDriver", driver)
    with pytest.raises(LocalCloudError, match="enough"), cloud_in(home, tmp_path):
        pass
    assert given == [{MARK: mark} if mark else {}]
    assert os.environ.get(MARK) == mark


@pytest.mark.engine  # starts Envoy
def test_a_cloud_answers_as_long_as_the_block_lasts(home: Home, tmp_path: Path) -> None:
    with cloud_in(home, tmp_path) as cloud:
        told = httpx.get(cloud.api_url + STATUS_PATH, trust_env=False).json()
        assert told == {"instances": [], "listeners": [], "left": []}
        assert sorted(cloud.providers) == ["aws", "docker"]
    with pytest.raises(httpx.ConnectError):
        httpx.get(cloud.api_url + STATUS_PATH, trust_env=False)
