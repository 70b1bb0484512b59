"""What a change is compared with: the project as a branch, or a folder, has it."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.stack_files import read_yaml
from localcloud.errors import LocalCloudError

GIT_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Base:
    """A project to bring up, and what it is called."""

    root: Path
    name: str


@contextmanager
def base_of(project: Path, wanted: str, room: Path) -> Iterator[Base]:
    """The base of a project in a folder, or as a commit, branch or tag of its repository has it.

    `room` is an empty folder for what has to be made for it. The program runs with the project's own virtual
    environment where the base has none. Raises LocalCloudError for a base that is none.
    """
    folder = Path(wanted).absolute()
    if wanted and folder.is_dir():  # an empty one, of a variable that is not set, is no folder
        yield Base(_with_environment(folder, project, room), wanted)
        return
    commit = _commit(project, wanted)
    tree = room / "tree"
    below = _git(project, "rev-parse", "--show-prefix")
    _git(project, "-c", "core.hooksPath=/dev/null", "worktree", "add", "--quiet", "--detach", str(tree), commit)
    try:
        yield Base(_with_environment(tree / below, project, room), f"{wanted} ({commit[:10]})")
    finally:
        with suppress(LocalCloudError):  # git forgets by itself what is in no folder any more
            _git(project, "worktree", "remove", "--force", str(tree))


def _commit(project: Path, wanted: str) -> str:
    try:
        return _git(project, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{wanted}^{{commit}}")
    except LocalCloudError as error:
        raise LocalCloudError(
            f"--base {wanted}: there is no such folder, and no such branch, tag or commit here: fetch it first"
        ) from error


def _git(project: Path, *arguments: str) -> str:
    """What git printed. Raises LocalCloudError, also past its deadline."""
    try:
        done = subprocess.run(
            ["git", "-C", str(project), *arguments],
            capture_output=True, text=True, timeout=GIT_SECONDS, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise LocalCloudError("there is no git here: give --base a folder instead of a branch") from error
    except subprocess.TimeoutExpired as error:
        raise LocalCloudError(f"git {arguments[0]} was not done within {GIT_SECONDS:.0f} s") from error
    if done.returncode:
        raise LocalCloudError(f"git {arguments[0]}: {' '.join(done.stderr.split()) or f'exit {done.returncode}'}")
    return done.stdout.strip()


def _with_environment(base: Path, project: Path, room: Path) -> Path:
    """The base, or, where it lacks the virtual environment that it names, a folder of links to it and to the project's.

    Nothing is written into a folder that somebody gave us.
    """
    named, own = _virtualenv(base), _virtualenv(project)
    if named is None or own is None or (base / named).exists():
        return base
    linked = room / "linked"
    linked.mkdir(parents=True)
    for entry in base.iterdir():
        (linked / entry.name).symlink_to(entry)
    (linked / named).symlink_to((project / own).absolute())
    return linked


def _virtualenv(project: Path) -> str | None:
    """The virtual environment that a project names in Pulumi.yaml. Raises LocalCloudError, SettingsError."""
    try:
        about: Any = read_yaml(project / "Pulumi.yaml", str(project / "Pulumi.yaml"))
    except FileNotFoundError:
        raise LocalCloudError(f"--base: there is no Pulumi.yaml in {project}") from None
    runtime = about.get("runtime") if isinstance(about, dict) else None
    options = runtime.get("options") if isinstance(runtime, dict) else None
    return str(options["virtualenv"]) if isinstance(options, dict) and "virtualenv" in options else None
