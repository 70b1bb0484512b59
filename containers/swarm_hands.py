"""Tasks of a swarm on AWS, by Systems Manager to each worker: no manager is asked, and none need be in reach."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from containers import docker, tasks
from containers.docker_hands import Answer, Shell
from containers.errors import Unanswered
from containers.model import HEALTHY, Inside, Instance, Usage
from containers.roster import IN_SERVICE, NOT_A_TARGET, Worker, WorkerRoster
from containers.ssm import SessionHands, Ssm

LOOK_SECONDS = 20.0
"""How long workers have for their answer, all together."""
SILENT_SECONDS = 30.0
"""How long one that has not answered is left alone: who looks again and again does not wait for it each time."""
INITIAL = "initial"
Told = TypeVar("Told")


class SwarmHands(SessionHands):
    """Implements Hands for an environment on AWS whose orchestrator is a swarm: an instance is a task there."""

    comes_back = "Swarm starts another task"

    def __init__(
        self,
        roster: WorkerRoster,
        client: Ssm,
        environment: str,
        shell: Shell | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(client, shell, lambda task: task.id)
        self._roster, self._environment, self._clock = roster, environment, clock
        self._inside: dict[str, Inside] = {}
        self._silent: dict[str, str] = {}
        self._asked_again: dict[str, float] = {}

    @property
    def silent(self) -> Mapping[str, str]:
        """What was wrong with workers that did not say what they run, by id."""
        return self._silent

    def instances(self) -> Sequence[Instance]:
        """The tasks of both colours that Swarm wants, as far as workers have said which they run."""
        workers = {each.id: each for each in self._roster.workers()}
        self._silent = {name: problem for name, problem in self._silent.items() if name in workers}
        told = self._ask_all(workers, tasks.listing(), lambda out: tasks.found(out, self._environment))
        at = {each.name: workers[worker] for worker, some in told.items() for each in some}
        there = tasks.standing(each for some in told.values() for each in some)
        self._inside = {each.name: each.inside for each in there}
        found = [_task(each, at[each.name]) for each in there]
        return sorted(found, key=lambda each: (each.colour, each.zone, each.id))

    def look(self, instances: Sequence[Instance]) -> Mapping[str, Inside]:
        """What their workers said of their containers when tasks were listed last: that was a moment ago."""
        return {each.id: self._inside.get(each.id, Inside(state="none")) for each in instances}

    def usage(self, instances: Sequence[Instance]) -> Mapping[str, Usage]:
        """What the tasks take, by name; those that do not run are left out."""
        wanted = {each.id for each in instances}
        told = self._ask_all({each.worker for each in instances}, tasks.stats(), tasks.usages)
        return {name: usage for some in told.values() for name, usage in some.items() if name in wanted}

    def _ask_all(self, workers: Iterable[str], script: str, read: Callable[[str], Told]) -> dict[str, Told]:
        """What workers say, by id, all asked at once; those that do not are silent from now on."""
        now = self._clock()
        asked = [each for each in sorted(workers) if self._asked_again.get(each, now) <= now]
        found: dict[str, Told] = {}
        for worker, answer in self._shell.run(dict.fromkeys(asked, script), LOOK_SECONDS).items():
            self._silent.pop(worker, None)
            try:
                found[worker] = read(_said(answer))
            except Unanswered as problem:
                self._silent[worker], self._asked_again[worker] = str(problem), self._clock() + SILENT_SECONDS
        return found


def _said(answer: Answer) -> str:
    """What a worker says; all the same where a container of which it was to speak has just gone. Raises Unanswered."""
    if answer.problem or (answer.code and docker.GONE not in answer.err.lower()):
        raise Unanswered(answer.problem or answer.complaint)
    return answer.out


def _task(task: tasks.Found, worker: Worker) -> Instance:
    runs = task.inside.state in tasks.LIVING
    health, why = worker.health.get(task.port, NOT_A_TARGET) if runs else NOT_A_TARGET
    is_news = task.is_starting and health == HEALTHY  # what the load balancer knows is of the task before it there
    elsewhere = "" if worker.state == IN_SERVICE else f"its worker is {worker.state}"
    is_out = runs and not elsewhere and task.port and task.port not in worker.health  # a stop was killed
    left_out = f"no load balancer sends to port {task.port} there: `stop` puts it back" if is_out else ""
    return Instance(
        id=task.name,
        colour=task.colour,
        zone=worker.zone,
        address=f"{worker.address}:{task.port}" if runs and worker.address else "",
        health=INITIAL if is_news else health,
        state=task.inside.state,
        reason="; ".join(filter(None, (task.reason, why, elsewhere, left_out))),
        worker=worker.id,
        port=task.port if runs else 0,
    )
