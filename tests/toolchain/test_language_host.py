"""The Python language host as the engine sees it: started by its script, asked over gRPC. No engine needed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import grpc
import pytest
from pulumi.runtime.proto import language_pb2 as messages
from pulumi.runtime.proto import language_pb2_grpc

from fake_machine import has_ended, wait_for
from toolchain import language_host, pins

pytestmark = pytest.mark.process

REPORT = "import json, os, sys; print(json.dumps([sys.argv[1:], os.getcwd(), os.getenv('GIVEN')]))"
SLEEP = "import os, time; open('pid', 'w').write(str(os.getpid())); print('up', flush=True); time.sleep(60)"
SDK_SCRIPT = "import os, pathlib, sys\nexec((pathlib.Path(sys.argv[-1]) / '__main__.py').read_text())\n"
ENVIRONMENT = {**os.environ, "TEAL_PYTHON": sys.executable, "TEAL_LANGUAGE_HOST": str(pins.LANGUAGE_HOST)}


@pytest.fixture(scope="module")
def starter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The script that the engine starts, beside a stand-in for the SDK's that ends as the program's text says."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "pulumi-language-python-exec").write_text(SDK_SCRIPT)
    return Path(shutil.copy(pins.LANGUAGE_HOST_STARTER, folder))


def start(starter: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([starter, "127.0.0.1:1"], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)


@pytest.fixture(scope="module")
def host(starter: Path) -> Iterator[subprocess.Popen[str]]:
    """One host for all tests that leave it running."""
    with start(starter) as process:
        yield process
        process.send_signal(signal.SIGINT)
        assert process.wait(4) == 0, "the engine waits for five seconds"


@contextmanager
def connected(host: subprocess.Popen[str]) -> Iterator[language_pb2_grpc.LanguageRuntimeStub]:
    assert host.stdout
    with grpc.insecure_channel(f"127.0.0.1:{int(host.stdout.readline())}") as channel:
        yield language_pb2_grpc.LanguageRuntimeStub(channel)


@pytest.fixture(scope="module")
def engine(host: subprocess.Popen[str]) -> Iterator[language_pb2_grpc.LanguageRuntimeStub]:
    """The engine's side of the connection."""
    with connected(host) as stub:
        yield stub


@pytest.fixture
def program(tmp_path: Path) -> messages.ProgramInfo:
    folder = tmp_path / "program"
    folder.mkdir()
    return messages.ProgramInfo(root_directory=str(folder), program_directory=str(folder), entry_point=".")


def write(program: messages.ProgramInfo, text: str) -> None:
    Path(program.program_directory, "__main__.py").write_text(text)


def run(engine: Any, program: messages.ProgramInfo) -> messages.RunResponse:
    asked = messages.RunRequest(info=program, pwd=program.program_directory, config={"shop:size": "4"})
    answer: messages.RunResponse = engine.Run(asked, timeout=20)
    return answer


@pytest.mark.parametrize(
    ("text", "error", "bails"),
    [
        ("pass", "", False),
        ("sys.exit(32)", "", True),
        ("sys.exit(3)", "the Python program exited with code 3", False),
        ("os.kill(os.getpid(), 9)", "the Python program was killed by signal 9", False),
    ],
)
def test_how_a_program_ended_is_told(
    engine: Any, program: messages.ProgramInfo, text: str, error: str, bails: bool
) -> None:
    write(program, text)
    answer = run(engine, program)
    assert (answer.error, answer.bail) == (error, bails)


def test_configuration_reaches_the_program_and_its_output_the_engine(
    engine: Any, host: subprocess.Popen[str], program: messages.ProgramInfo
) -> None:
    write(program, "print(os.environ['PULUMI_CONFIG'], flush=True)")
    run(engine, program)
    assert host.stdout
    assert json.loads(host.stdout.readline()) == {"shop:size": "4"}


def test_a_plugin_gets_its_arguments_folder_and_variables_and_its_output_is_streamed(
    engine: Any, program: messages.ProgramInfo, tmp_path: Path
) -> None:
    write(program, f"{REPORT}; sys.stdout.close(); print('oops', file=sys.stderr); sys.exit(4)")
    asked = messages.RunPluginRequest(
        info=program, kind="resource", pwd=str(tmp_path), args=["127.0.0.1:1", "-v=9"], env=["GIVEN=a=b"]
    )
    answers = list(engine.RunPlugin(asked, timeout=20))
    assert json.loads(b"".join(answer.stdout for answer in answers)) == [["127.0.0.1:1", "-v=9"], str(tmp_path), "a=b"]
    assert b"".join(answer.stderr for answer in answers) == b"oops\n"
    assert (answers[-1].WhichOneof("output"), answers[-1].exitcode) == ("exitcode", 4)


def started_plugin(engine: Any, program: messages.ProgramInfo) -> tuple[Any, int]:
    write(program, SLEEP)
    call = engine.RunPlugin(messages.RunPluginRequest(info=program, pwd=program.program_directory), timeout=20)
    assert next(call).stdout == b"up\n"
    return call, int(Path(program.program_directory, "pid").read_text())


def test_a_plugin_ends_when_the_engine_cancels_its_request(engine: Any, program: messages.ProgramInfo) -> None:
    call, plugin = started_plugin(engine, program)
    call.cancel()
    wait_for(lambda: has_ended(plugin))


def test_a_plugin_ends_with_the_host(starter: Path, program: messages.ProgramInfo) -> None:
    with start(starter) as host, connected(host) as engine:
        _, plugin = started_plugin(engine, program)
        host.terminate()
        assert host.wait(4) == 0
    wait_for(lambda: has_ended(plugin))


def test_the_host_ends_when_the_engine_is_killed(starter: Path) -> None:
    stand_in = f"import subprocess, time; print(subprocess.Popen({str(starter)!r}).pid, flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", stand_in], stdout=subprocess.PIPE, env=ENVIRONMENT) as engine:
        assert engine.stdout
        host = int(engine.stdout.readline())
        assert int(engine.stdout.readline())  # the port: it serves
        engine.kill()
    wait_for(lambda: has_ended(host))


def options(program: messages.ProgramInfo, **given: str) -> messages.ProgramInfo:
    program.options.update(given)
    return program


def test_the_host_ends_when_the_engine_was_killed_before_it_could_look(starter: Path) -> None:
    """Whose child it was is not to be told any more then; its standard input is."""
    with subprocess.Popen(
        [starter, "127.0.0.1:1"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=ENVIRONMENT
    ) as host:
        assert host.stdin
        host.stdin.close()
        assert host.wait(10) == 0


def test_a_missing_virtualenv_is_one_clear_error(engine: Any, program: messages.ProgramInfo) -> None:
    with pytest.raises(grpc.RpcError, match=r"program/venv of options.virtualenv does not exist: run 'pulumi install'"):
        run(engine, options(program, virtualenv="venv"))


@pytest.mark.parametrize("given", [{"toolchain": "poetry"}, {"typechecker": "mypy"}])
def test_an_option_that_the_host_does_not_know_is_refused(
    engine: Any, program: messages.ProgramInfo, given: dict[str, str]
) -> None:
    with pytest.raises(grpc.RpcError, match="needs the official Pulumi CLI"):
        run(engine, options(program, **given))


@pytest.mark.engine  # for its seconds: it makes a whole virtual environment
def test_installing_makes_the_named_virtualenv_and_fills_it(engine: Any, program: messages.ProgramInfo) -> None:
    Path(program.program_directory, "requirements.txt").write_text("--no-index\n./greeting-1-py3-none-any.whl\n")
    with ZipFile(Path(program.program_directory, "greeting-1-py3-none-any.whl"), "w") as wheel:
        wheel.writestr("greeting-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: greeting\nVersion: 1\n")
        wheel.writestr("greeting-1.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("greeting-1.dist-info/RECORD", "")
    request = messages.InstallDependenciesRequest(info=options(program, virtualenv="venv"))
    assert any(b"installed greeting-1" in answer.stdout for answer in engine.InstallDependencies(request, timeout=100))
    asked = messages.GetProgramDependenciesRequest(info=program, transitiveDependencies=True)
    assert "greeting" in {found.name for found in engine.GetProgramDependencies(asked, timeout=20).dependencies}


def test_a_failing_installation_is_streamed_and_fails(engine: Any, program: messages.ProgramInfo) -> None:
    Path(program.program_directory, "requirements.txt").write_text("./not-there\n")
    answers = engine.InstallDependencies(messages.InstallDependenciesRequest(info=program), timeout=60)
    assert b"not-there" in next(answers).stderr
    with pytest.raises(grpc.RpcError, match=r"pip install -r requirements.txt failed: 1"):
        list(answers)


def test_direct_dependencies_are_those_that_nothing_else_asks_for(engine: Any, program: messages.ProgramInfo) -> None:
    every, direct = (
        {dependency.name for dependency in engine.GetProgramDependencies(asked, timeout=20).dependencies}
        for asked in (
            messages.GetProgramDependenciesRequest(info=program, transitiveDependencies=True),
            messages.GetProgramDependenciesRequest(info=program),
        )
    )
    assert direct < every
    assert "grpcio" in every - direct


def test_about_names_the_python_that_runs_programs(engine: Any, program: messages.ProgramInfo) -> None:
    answer = engine.About(messages.AboutRequest(info=program), timeout=20)
    assert (answer.executable, answer.version) == (sys.executable, ".".join(map(str, sys.version_info[:3])))


def test_the_host_serves_soon_since_every_run_waits_for_it(starter: Path) -> None:
    started = time.monotonic()
    with start(starter) as process:
        assert process.stdout
        assert process.stdout.readline()
        taken = time.monotonic() - started
        process.terminate()
    assert taken < 1.5, "usually 0.2 s; importing all of the SDK would add 0.4 s"


def test_generating_an_sdk_is_refused_with_what_it_takes(engine: Any) -> None:
    with pytest.raises(grpc.RpcError, match="needs the official Pulumi CLI"):
        engine.GeneratePackage(messages.GeneratePackageRequest(), timeout=20)


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["pulumi", "up", "--yes"], False),
        (["pulumi", "up", "--debug"], True),
        (["pulumi", "up", "-d"], True),
        (["pulumi", "up", "-v=9", "--logtostderr"], True),
        ([], True),
    ],
)
def test_debug_messages_are_dropped_only_where_nobody_would_see_them(words: list[str], shown: bool) -> None:
    assert language_host.shows_debug(words) is shown
