"""Docker's containers by hand, through whatever shell reaches the machine that they run on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from containers import docker
from containers.errors import ContainersError, NotRunning, Unanswered
from containers.model import Inside, Instance, Line, Usage
from containers.ports import Log

ASK_SECONDS = 30.0
STOP_SECONDS = docker.STOP_SECONDS + 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of a script on one instance."""

    code: int = 0
    out: str = ""
    err: str = ""
    problem: str = ""
    """Why there is no answer; then the others mean nothing."""

    @property
    def complaint(self) -> str:
        """What a script that failed said last."""
        lines = (self.err.strip() or self.out.strip()).splitlines()
        return lines[-1] if lines else f"the command ended with status {self.code}"


class Shell(Protocol):
    """Runs scripts of a POSIX shell where containers run."""

    def run(self, scripts: Mapping[str, str], seconds: float) -> Mapping[str, Answer]:
        """The answer of each, by server, all at once. One that does not come within seconds is a problem."""


class DockerHands:
    """The parts of Hands that are the same wherever Docker runs."""

    def __init__(self, shell: Shell, name_of: Callable[[Instance], str] = lambda _: docker.CONTAINER) -> None:
        """`name_of` says what an instance calls its container."""
        self._shell, self._name_of = shell, name_of

    def look(self, instances: Sequence[Instance]) -> Mapping[str, Inside]:
        """What each says of its container, by id."""
        scripts = {each.id: docker.inspect(self._name_of(each)) for each in instances}
        return {name: _inside(answer) for name, answer in self._shell.run(scripts, ASK_SECONDS).items()}

    def usage(self, instances: Sequence[Instance]) -> Mapping[str, Usage]:
        """What the containers take, by id; those that do not run are left out."""
        scripts = {each.id: docker.stats(self._name_of(each)) for each in instances}
        answers = self._shell.run(scripts, ASK_SECONDS)
        return {name: docker.usage(each.out) for name, each in answers.items() if not each.problem and not each.code}

    def log(self, instance: Instance, since: datetime | None, tail: int | None) -> Log:
        """Its log."""
        return _DockerLog(self, instance, since, tail)

    def stop(self, instance: Instance) -> None:
        """Has the container finish its requests and end. Raises ContainersError."""
        self.ask(instance, docker.stop(self._name_of(instance)), STOP_SECONDS)

    def kill(self, instance: Instance) -> None:
        """Ends the container at once. Raises ContainersError."""
        self.ask(instance, docker.kill(self._name_of(instance)), ASK_SECONDS)

    def log_lines(self, instance: Instance, since: datetime | None, tail: int | None) -> list[Line]:
        """The end of its log. Raises ContainersError."""
        return docker.lines(self.ask(instance, docker.logs(since, tail, self._name_of(instance)), ASK_SECONDS))

    def ask(self, instance: Instance, script: str, seconds: float) -> str:
        """What a script says on one instance. Raises NotRunning without a container, Unanswered for any other no."""
        answer = self._shell.run({instance.server: script}, seconds)[instance.server]
        if answer.problem:
            raise Unanswered(f"{instance.id}: {answer.problem}")
        if answer.code:
            raise _refused(instance.id, answer)
        return answer.out


class _DockerLog:
    """Implements Log: asks again from the last line on. Lines of the very same moment as that one are told once."""

    def __init__(self, hands: DockerHands, instance: Instance, since: datetime | None, tail: int | None) -> None:
        self._hands, self._instance, self._since, self._tail = hands, instance, since, tail
        self._last: list[Line] = []

    def read(self) -> Sequence[Line]:
        """What was added."""
        found = self._hands.log_lines(self._instance, self._since, self._tail)
        new = [line for line in found if line not in self._last]
        times = [line.at for line in found if line.at]
        if times:
            self._since, self._tail = max(times), None
            self._last = [line for line in found if line.at and line.at >= max(times) - timedelta(microseconds=1)]
        return new


def _inside(answer: Answer) -> Inside:
    if answer.problem:
        return Inside(problem=answer.problem)
    if answer.code:
        is_gone = docker.GONE in answer.err.lower()
        return Inside(state="none" if is_gone else "unknown", problem="" if is_gone else answer.complaint)
    try:
        return docker.inside(answer.out)
    except Unanswered as error:
        return Inside(problem=str(error))


def _refused(instance_id: str, answer: Answer) -> ContainersError:
    if docker.GONE in answer.err.lower():
        return NotRunning(f"{instance_id} runs no container now: `teal containers ps` shows what it does")
    return Unanswered(f"{instance_id}: {answer.complaint}")
