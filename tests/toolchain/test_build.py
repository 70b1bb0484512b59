"""Building the engine, with a fake Go: what is kept, what is cleared away, what is said when it fails."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

import toolchain
from fake_machine import Machine, Reported, has_ended, wait_for
from toolchain import errors, pins

pytestmark = pytest.mark.usefixtures("only_build")
REPOSITORY = pins.ROOM.parent


@pytest.mark.usefixtures("fake_go")
def test_a_build_is_made_once_and_found_again(machine: Machine) -> None:
    first, second = toolchain.ensure(), toolchain.ensure()
    assert (first.source, second.source) == ("built", "cached")
    assert first.pulumi == second.pulumi == machine.cache / "toolchain" / pins.version_key() / "bin" / "pulumi"
    assert machine.builds == 1
    assert machine.kept == [pins.version_key()]


@pytest.mark.usefixtures("fake_go")
def test_the_two_python_host_files_lie_beside_the_engine_ready_to_run() -> None:
    beside = toolchain.ensure().pulumi.parent
    assert {path.name for path in beside.iterdir() if os.access(path, os.X_OK)} == {
        "pulumi",
        "pulumi-language-yaml",
        "pulumi-language-python",
        "pulumi-language-python-exec",
    }


@pytest.mark.usefixtures("fake_go")
def test_a_damaged_build_is_made_again(machine: Machine) -> None:
    toolchain.ensure().pulumi.write_text("half")
    assert toolchain.ensure().source == "built"
    assert machine.kept == [pins.version_key()]


@pytest.mark.usefixtures("fake_go")
def test_two_at_once_make_one_build_and_the_second_says_what_it_waits_for(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, reported: Reported
) -> None:
    monkeypatch.setenv("FAKE_GO_SECONDS", "1.5")
    sources: list[str] = []
    first = threading.Thread(target=lambda: sources.append(toolchain.ensure().source))
    first.start()
    wait_for((machine.binaries / "building").exists)
    sources.append(toolchain.ensure(reported).source)
    first.join(10)
    assert sorted(sources) == ["built", "cached"]
    assert machine.builds == 1
    assert f"Waiting for process {os.getpid()}, which builds the engine too" in reported.steps


@pytest.mark.usefixtures("fake_go")
def test_a_killed_builder_takes_its_compiler_along_and_leaves_nothing_half_made(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_GO_SECONDS", "60")
    program = [sys.executable, "-c", "import toolchain; toolchain.ensure()"]
    with subprocess.Popen(program, cwd=REPOSITORY) as builder:
        wait_for((machine.binaries / "building").exists)
        builder.kill()
    compiler = int((machine.binaries / "building").read_text())
    wait_for(lambda: has_ended(compiler))
    assert [name.startswith("unfinished-") for name in machine.kept] == [True]
    monkeypatch.setenv("FAKE_GO_SECONDS", "0")
    assert toolchain.ensure().source == "built"
    assert machine.kept == [pins.version_key()]


@pytest.mark.usefixtures("fake_go")
def test_an_interrupted_build_is_cleared_away_at_once(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_GO_SECONDS", "60")
    # A shell's background job ignores Ctrl-C, and so would whatever these tests start there.
    heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    program = [sys.executable, "-c", f"{heed}; import toolchain; toolchain.ensure()"]
    with subprocess.Popen(program, cwd=REPOSITORY, stderr=subprocess.DEVNULL) as builder:
        wait_for((machine.binaries / "building").exists)
        builder.send_signal(signal.SIGINT)
        builder.wait(10)
    assert machine.kept == []


@pytest.mark.usefixtures("fake_go")
def test_progress_names_each_step_and_how_long_it_usually_takes(reported: Reported) -> None:
    toolchain.ensure(reported)
    assert reported.steps == ["Downloading the engine's Go modules", "Building the Pulumi engine"]
    assert all(progress.usual_seconds > 0 for progress in reported)


@pytest.mark.usefixtures("fake_go")
@pytest.mark.parametrize(
    ("variable", "value", "error", "says"),
    [
        (
            "FAKE_GO_ERROR",
            "x.go:1: syntax error",
            errors.BuildFailed,
            r"failed \(exit code 1\): install",
        ),
        ("FAKE_GO_ERROR", "write: no space left on device", errors.DiskFull, "became full.*TEAL_CACHE_HOME"),
        ("FAKE_GO_OFFLINE", "1", errors.ModulesUnreachable, "GOPROXY.*TEAL_TOOLCHAIN_MIRROR"),
        ("FAKE_ENGINE_VERSION", "1.0.0", errors.BuildFailed, "does not run: it answers 'v1.0.0'"),
    ],
)
def test_a_failure_is_one_line_that_names_the_log_and_leaves_only_that(
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    error: type[errors.ToolchainError],
    says: str,
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(error, match=says) as raised:
        toolchain.ensure()
    log = Path(str(raised.value).rpartition("log: ")[2])
    assert "== Downloading" in log.read_text()
    assert "\n" not in str(raised.value)
    assert machine.kept == []


@pytest.mark.usefixtures("machine")
def test_without_go_and_its_package_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    with pytest.raises(errors.GoMissing, match=r"no Go >= 1\.25\.11.*install Go.*TEAL_TOOLCHAIN_MIRROR"):
        toolchain.ensure()


@pytest.mark.usefixtures("fake_go")
def test_a_go_that_is_too_old_is_not_used(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_GO_VERSION", "1.22.1")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    with pytest.raises(errors.GoMissing):
        toolchain.ensure()
    assert machine.go_calls == ["env GOVERSION"]


@pytest.mark.usefixtures("fake_go")
def test_a_cold_build_is_not_even_begun_on_a_disk_with_too_little_room(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1_200_000_000))
    with pytest.raises(errors.DiskFull, match=r"needs 5\.5 GB for a while and .* has 1\.2 GB free"):
        toolchain.ensure()
    assert machine.builds == 0


@pytest.mark.usefixtures("fake_go")
def test_a_disk_that_fills_up_at_the_last_moment_is_one_clear_error(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(errors.DiskFull, match="no space left for the engine"):
        toolchain.ensure()
    assert machine.kept == []


@pytest.mark.usefixtures("fake_go")
def test_an_unwritable_cache_is_one_clear_error(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.cache.write_text("a file where the folder should be")
    with pytest.raises(errors.CacheUnusable, match=r"cannot be used \(Not a directory\).*TEAL_CACHE_HOME"):
        toolchain.ensure()


@pytest.mark.usefixtures("fake_go")
def test_the_users_own_go_caches_are_used_only_where_the_modules_are_in_them_already(machine: Machine) -> None:
    toolchain.ensure()
    assert not (machine.binaries / "none").exists()


@pytest.mark.usefixtures("fake_go")
def test_older_builds_give_way_once_all_of_them_would_take_too_much(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for age, name in enumerate(("3.1.0-older", "3.2.0-newer")):
        old = machine.cache / "toolchain" / name / "bin"
        old.mkdir(parents=True)
        (old / "pulumi").write_bytes(bytes(1000))
        os.utime(old.parent, (age, age))
    monkeypatch.setattr("toolchain.cache.LIMIT_BYTES", 3000)
    toolchain.ensure()
    assert machine.kept == ["3.2.0-newer", pins.version_key()]
