"""The Python language host of our own engine build: runs Python programs, policy packs and component packages.

The engine starts it by hosts/pulumi-language-python with its address as the last argument, reads the port from the
first line of standard output, and then asks over gRPC.
"""

import argparse
import importlib.machinery
import importlib.util
import json
import os
import queue
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent import futures
from pathlib import Path
from types import ModuleType
from typing import Any, TypedDict

import grpc
from google.protobuf import empty_pb2

BRISK = Path(__file__).with_name("brisk.py")
BAIL = 32  # the exit code by which the SDK's script says that the user has seen the error
STDIN = 0
PARENT_CHECK_SECONDS = 0.5
STOP_SECONDS = 5.0
MAX_MESSAGE_BYTES = 400 * 1024 * 1024
WORKERS = 64  # every plugin that runs holds one
DIRECT_ONLY = "direct"
LIST_PACKAGES = """
import importlib.metadata, json, re, sys
plain = lambda name: re.sub("[-_.]+", "-", name).lower()
found = list(importlib.metadata.distributions())
needed = {plain(re.match(r"[\\w.-]+", line).group()) for each in found for line in each.requires or ()}
print(json.dumps(sorted({(each.name, each.version) for each in found
                         if sys.argv[1:] != ["direct"] or plain(each.name) not in needed})))
"""


def lighten_sdk() -> None:
    """Lets the SDK's protocol classes be imported without the SDK around them, which takes 0.4 s of every run."""
    spec = importlib.util.find_spec("pulumi")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"the Pulumi SDK is not installed in {sys.executable}: pip install pulumi")
    place = Path(next(iter(spec.submodule_search_locations)))
    for name in ("pulumi", "pulumi.runtime", "pulumi.runtime.proto"):
        package = ModuleType(name)
        package.__path__ = [str(place.joinpath(*name.split(".")[1:]))]
        package.__spec__ = importlib.machinery.ModuleSpec(name, None, is_package=True)
        sys.modules[name] = package


if __name__ == "__main__":
    lighten_sdk()

from pulumi.runtime.proto import language_pb2, language_pb2_grpc, plugin_pb2  # noqa: E402 - lightened first


class Children:
    """The processes that run for the engine; none outlives the host."""

    def __init__(self) -> None:
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()

    def start(self, context: Any, command: Sequence[str | Path], **how: Any) -> subprocess.Popen[bytes]:
        """Starts command; it is stopped when the engine gives up the request, or goes."""
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, **how)
        with self._lock:
            self._running.add(process)
        if not context.add_callback(lambda: self.stop(process)):
            self.stop(process)
        return process

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        """Ends process, by force if it does not follow."""
        with self._lock:
            self._running.discard(process)
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()

    def stop_all(self) -> None:
        """Ends every process."""
        for process in list(self._running):
            self.stop(process)


class PythonHost(language_pb2_grpc.LanguageRuntimeServicer):
    """Answers the engine. Messages are in the SDK's language.proto."""

    def __init__(self, script: Path, engine: str, children: Children) -> None:
        self._script = script
        self._engine = engine
        self._children = children

    def Handshake(self, request: Any, context: Any) -> Any:
        """Takes the engine's address."""
        self._engine = request.engine_address or self._engine
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        """Names no version: the host belongs to Teal, not to an SDK."""
        return plugin_pb2.PluginInfo()

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:
        """Names none: the engine could not download them here, and finds attached ones by itself."""
        return language_pb2.GetRequiredPackagesResponse()

    def Run(self, request: Any, context: Any) -> Any:
        """Runs the program. Its output is the host's own, which the engine shows."""
        info = request.info
        settings = {
            "monitor": request.monitor_address,
            "engine": self._engine,
            "project": request.project,
            "stack": request.stack,
            "pwd": request.pwd,
            "dry_run": "true" if request.dryRun else "false",
            "parallel": str(request.parallel),
            "organization": request.organization,
            "root_directory": info.root_directory,
        }
        flags = [part for name, value in settings.items() for part in (f"--{name}", value)]
        python = python_of(info, context)
        config = {
            "PULUMI_CONFIG": json.dumps(dict(request.config)),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
            "TEAL_WITHOUT_DEBUG_MESSAGES": "" if shows_debug(command_line(os.getppid())) else "1",
        }
        command = [python, "-u", BRISK, self._script, *flags, target_of(info), *request.args]
        process = self._children.start(context, command, env=environment_of(python, config))
        return outcome(process.wait())

    def RunPlugin(self, request: Any, context: Any) -> Iterator[Any]:
        """Runs a policy pack, or any other plugin written in Python, and streams what it prints."""
        python, target = python_of(request.info, context), target_of(request.info)
        if request.kind == "analyzer":
            engine, *rest = request.args or [self._engine]
            command = [python, "-u", "-m", "pulumi.policy", engine, target, *rest]
        else:
            command = [python, "-u", target, *request.args]
        given = dict(variable.split("=", 1) for variable in request.env if "=" in variable)
        process = self._start_piped(context, command, cwd=request.pwd or None, env=environment_of(python, given))
        for output in outputs(process):
            yield language_pb2.RunPluginResponse(**output)
        yield language_pb2.RunPluginResponse(exitcode=process.wait())

    def InstallDependencies(self, request: Any, context: Any) -> Iterator[Any]:
        """Makes the virtual environment that the options name, if need be, and installs requirements.txt into it."""
        info = request.info
        folder, environment = Path(info.program_directory or request.directory), virtualenv_of(info, context)
        commands: list[list[str | Path]] = []
        if environment and not (environment / "bin" / "python").exists():
            commands.append([default_python(), "-m", "venv", environment])
        if (folder / "requirements.txt").exists():
            python = environment / "bin" / "python" if environment else default_python()
            commands.append([python, "-m", "pip", "install", "-r", "requirements.txt"])
        for command in commands:
            process = self._start_piped(context, command, cwd=folder)
            for output in outputs(process):
                yield language_pb2.InstallDependenciesResponse(**output)
            if process.wait():
                context.abort(grpc.StatusCode.UNKNOWN, f"{' '.join(map(str, command))} failed: {process.returncode}")

    def GetProgramDependencies(self, request: Any, context: Any) -> Any:
        """What is installed in the program's Python; without transitive ones, what nothing else asks for."""
        wanted = "all" if request.transitiveDependencies else DIRECT_ONLY
        command: list[str | Path] = [python_of(request.info, context), "-c", LIST_PACKAGES, wanted]
        process = self._children.start(context, command, stdout=subprocess.PIPE)
        listed = json.loads(process.communicate()[0] or b"[]")
        found = [language_pb2.DependencyInfo(name=name, version=version) for name, version in listed]
        return language_pb2.GetProgramDependenciesResponse(dependencies=found)

    def About(self, request: Any, context: Any) -> Any:
        """Which Python runs the program."""
        python = python_of(request.info, context)
        process = self._children.start(context, [python, "-V"], stdout=subprocess.PIPE)
        version = process.communicate()[0].decode().removeprefix("Python").strip()
        return language_pb2.AboutResponse(executable=str(python), version=version)

    def Cancel(self, request: Any, context: Any) -> Any:
        """Stops everything that runs."""
        self._children.stop_all()
        return empty_pb2.Empty()

    def needs_official_cli(self, request: Any, context: Any) -> Any:
        """Refuses what takes the makers' code generator."""
        context.abort(
            grpc.StatusCode.UNIMPLEMENTED,
            "generating and packing SDKs needs the official Pulumi CLI: Teal's own build runs programs and plugins",
        )

    GenerateProgram = GenerateProject = GeneratePackage = Pack = Link = needs_official_cli

    def _start_piped(self, context: Any, command: Sequence[str | Path], **how: Any) -> subprocess.Popen[bytes]:
        return self._children.start(context, command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **how)


def virtualenv_of(info: Any, context: Any) -> Path | None:
    """The virtual environment of the runtime's options, below the project's root. Refuses options it does not know."""
    options = dict(info.options)
    named, installer = options.pop("virtualenv", None), options.pop("toolchain", "pip")
    if installer != "pip" or options:
        refused = ", ".join(options) or f"toolchain: {installer}"
        context.abort(
            grpc.StatusCode.INVALID_ARGUMENT,
            f"runtime options: {refused} needs the official Pulumi CLI; Teal's own build knows virtualenv, and pip",
        )
    return Path(info.root_directory or info.program_directory, named) if named else None


def command_line(process: int) -> list[str]:
    """The words that started a process; none where the system does not tell (Linux does)."""
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


def shows_debug(words: Sequence[str]) -> bool:
    """Whether an engine started so shows debug messages, or may: nobody tells the host."""
    asked = ("--debug", "-d", "--logtostderr", "--verbose", "-v")
    return not words or any(word.partition("=")[0] in asked for word in words)


def python_of(info: Any, context: Any) -> Path:
    """The Python to run info's program with; a named environment that is not there ends the request."""
    environment = virtualenv_of(info, context)
    if environment is None:
        return default_python()
    python = environment / "bin" / "python"
    if not python.exists():
        context.abort(
            grpc.StatusCode.FAILED_PRECONDITION,
            f"the virtual environment {environment} of options.virtualenv does not exist: run 'pulumi install'",
        )
    return python


def default_python() -> Path:
    """The Python of programs that name no virtual environment."""
    return Path(os.environ.get("TEAL_PYTHON", sys.executable))


def target_of(info: Any) -> str:
    """The folder or file to run."""
    return os.path.normpath(Path(info.program_directory, info.entry_point or "."))


def environment_of(python: Path, given: Mapping[str, str]) -> dict[str, str]:
    """The host's own variables, then given ones, as if python's virtual environment were active."""
    environment = {**os.environ, **given}
    environment.pop("PYTHONHOME", None)
    if (python.parent.parent / "pyvenv.cfg").exists():
        environment["VIRTUAL_ENV"] = str(python.parent.parent)
        environment["PATH"] = os.pathsep.join([str(python.parent), environment.get("PATH", os.defpath)])
    return environment


def outcome(code: int) -> Any:
    """What the engine is told of a program that ended with code."""
    if code in (0, BAIL):
        return language_pb2.RunResponse(bail=code == BAIL)
    how = f"was killed by signal {-code}" if code < 0 else f"exited with code {code}"
    return language_pb2.RunResponse(error=f"the Python program {how}")


class Output(TypedDict, total=False):
    """One line that a process wrote, under the name that the protocol has for its stream."""

    stdout: bytes
    stderr: bytes


def outputs(process: subprocess.Popen[bytes]) -> Iterator[Output]:
    """What process writes, line by line as it comes, until it has closed both streams."""
    written: queue.SimpleQueue[Output | None] = queue.SimpleQueue()

    def pump(stream: Any, wrap: Callable[[bytes], Output]) -> None:
        while line := stream.readline():
            written.put(wrap(line))
        written.put(None)

    pumps = [(process.stdout, lambda line: Output(stdout=line)), (process.stderr, lambda line: Output(stderr=line))]
    for arguments in pumps:
        threading.Thread(target=pump, args=arguments, daemon=True).start()
    closed = 0
    while closed < len(pumps):
        if line := written.get():
            yield line
        else:
            closed += 1


def _is_hung_up(stdin: int) -> bool:
    """Whether the other end of a pipe is closed: so the engine's end shows even if that was before our beginning."""
    poll = select.poll()
    poll.register(stdin, 0)  # hanging up is told without asking
    return any(event & select.POLLHUP for _, event in poll.poll(0))


def main() -> None:
    """Serves until told to stop, or until the engine is gone."""
    parent, children, stopped = os.getppid(), Children(), threading.Event()
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--exec", type=Path, required=True, help="the SDK's script that runs a program")
    arguments.add_argument("engine", nargs="?", default="", help="the engine's address")
    given, _ = arguments.parse_known_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    limits = [("grpc.max_receive_message_length", MAX_MESSAGE_BYTES), ("grpc.so_reuseport", 0)]
    server = grpc.server(futures.ThreadPoolExecutor(WORKERS), options=limits)
    host = PythonHost(given.exec, given.engine, children)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    sys.stdout.write(f"{server.add_insecure_port('127.0.0.1:0')}\n")
    sys.stdout.flush()
    server.start()
    while not stopped.wait(PARENT_CHECK_SECONDS) and os.getppid() == parent and not _is_hung_up(STDIN):
        continue
    children.stop_all()
    os._exit(0)  # the engine waits for our end, and gRPC's own takes its time


if __name__ == "__main__":
    main()
