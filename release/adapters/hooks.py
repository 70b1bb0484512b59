"""The user's executables as port Hooks: what they are told, and what their exit codes mean.

All hooks of a phase run at once. Exit code 0 is go; 75 (EX_TEMPFAIL) is wait, and the hook is asked again after a
while; anything else is stop, and so are a hook that cannot be started, one that takes too long, and one that says wait
for too long. What a hook answered is known to this engine alone: after a crash hooks are asked anew, and must not mind.
"""

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from release.adapters.hook_run import Ended, Hook, Run, Told
from release.errors import ReleaseError
from release.ledger import RELEASE_VARIABLE, InFlight
from release.machine import Phase
from release.shots import TEST_HEADER
from release.verdict import NO_HOOK, Answer, HookAnswer, HookRun

WAIT_CODE = 75
"""Exit code of a hook that wants to be asked again."""
AGAIN_SECONDS = 10.0
"""Between two runs of a hook that said wait."""
GRACE_SECONDS = 2.0
"""Between SIGTERM and SIGKILL for a hook that is to end."""
_SECRET_NAME = re.compile(r"(SECRET|TOKEN|PASSWORD|PASSPHRASE)(?!.*_FILE$)", re.IGNORECASE)
_SECRET_LENGTH = 12
"""Shorter values are no secrets, and masking them would make the output unreadable."""
_NAME_CHARACTERS, _LINE_CHARACTERS = 80, 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What hooks of an environment get to know whatever the release."""

    environment: str
    folder: Path
    """The project: where commands are run, and what their paths are relative to."""
    url: str
    """Where the service answers."""
    secret: str
    """Value of the header that opens the test route."""
    variables: Mapping[str, str]
    """What they inherit."""


@dataclass
class _Asked:
    """One hook of the current phase and step."""

    hook: Hook
    since: float
    run: Run | None = None
    answer: Answer = Answer.WAIT
    words: str = ""
    again_at: float = 0.0


class Executables:
    """Hooks by phase. `around` is asked once, when the first hook is to start; it may raise ReleaseError."""

    def __init__(
        self,
        hooks: Mapping[Phase, tuple[Hook, ...]],
        around: Callable[[], Surroundings],
        *,
        again_seconds: float = AGAIN_SECONDS,
        grace_seconds: float = GRACE_SECONDS,
    ) -> None:
        self._hooks, self._around, self._again, self._grace = hooks, around, again_seconds, grace_seconds
        self._surroundings: Surroundings | None = None
        self._about: tuple[str, Phase, int] | None = None
        self._release: InFlight | None = None
        self._asked: list[_Asked] = []
        self._leaving: list[tuple[Phase, Hook, Run]] = []

    def ask(self, release: InFlight) -> HookAnswer:
        """Starts the hooks of the release's phase and step unless they run or have ended; answers at once."""
        about = (release.release_id, release.phase, release.step)
        if about != self._about:
            self._leave()
            self._about, self._release, now = about, release, time.monotonic()
            self._asked = [_Asked(hook, now) for hook in self._hooks.get(release.phase, ())]
        ended = list(self._left())
        if self._leaving:
            names = ", ".join(_short(hook.name) for _, hook, _ in self._leaving)
            return HookAnswer(answer=Answer.WAIT, why=f"hooks of the phase before end: {names}", ended=tuple(ended))
        if not self._asked:
            return HookAnswer(answer=NO_HOOK.answer, why=NO_HOOK.why, ended=tuple(ended))
        document = _document(release)
        for asked in self._asked:
            ended += self._look_after(asked, release.phase, document)
        return _together(self._asked, tuple(ended))

    def tell(self, release_id: str, phase: Phase) -> tuple[HookRun, ...]:
        """Runs the hooks of a phase that is the end, once each; returns within the longest one's time and the grace.

        Hooks of the phase before are ended; those of ROLLING_BACK, which nobody waited for, are let come to their end.
        """
        self._leave(ends=self._about is None or self._about[1] is not Phase.ROLLING_BACK)
        known = self._release is not None and self._release.release_id == release_id
        document = _document(self._release, phase) if known and self._release else _bare_document(release_id, phase)
        now = time.monotonic()
        self._about, self._asked = (release_id, phase, 0), [_Asked(hook, now) for hook in self._hooks.get(phase, ())]
        ended = [run for asked in self._asked for run in self._start(asked, phase, document)]
        for _, _, leaving in self._leaving:
            leaving.wait()
        for asked in self._asked:
            if asked.run:
                asked.run.wait()
                ended += self._take(asked, phase)
        return (*self._left(), *ended)

    def close(self) -> None:
        """Ends whatever runs, and waits until it has ended: a little longer than the grace."""
        self._leave()
        self._asked, self._about = [], None
        for _, _, run in self._leaving:
            run.end()
        for _, _, run in self._leaving:
            run.wait()
        self._leaving = []

    def _look_after(self, asked: _Asked, phase: Phase, document: Mapping[str, object]) -> Iterator[HookRun]:
        if asked.run is None and asked.answer is Answer.WAIT and time.monotonic() >= asked.again_at:
            yield from self._start(asked, phase, document)
        if asked.run and asked.run.result:
            yield from self._take(asked, phase)

    def _start(self, asked: _Asked, phase: Phase, document: Mapping[str, object]) -> Iterator[HookRun]:
        """Gives it a run; where there can be none, that is a stop, and a run that ended at once."""
        try:
            asked.run = Run(asked.hook, self._told(phase, document), self._grace)
        except (ReleaseError, BotoCoreError, ClientError, OSError) as error:
            words = f"cannot be started: {' '.join(str(error).split())}"
            asked.answer, asked.words = Answer.STOP, f"hook {_short(asked.hook.name)} {words}"
            yield HookRun(command=asked.hook.name, phase=phase, answer=Answer.STOP, seconds=0.0, output=words)

    def _take(self, asked: _Asked, phase: Phase) -> Iterator[HookRun]:
        """Takes the answer of a run that has ended."""
        assert asked.run is not None  # noqa: S101  # narrows: the caller looked
        ended, asked.run = asked.run.wait(), None
        now = time.monotonic()
        asked.answer, told = _answer(ended, asked.hook, now - asked.since)
        asked.again_at = now + self._again
        last = ended.output.rpartition("\n")[2][:_LINE_CHARACTERS]
        asked.words = ": ".join(part for part in (f"hook {_short(asked.hook.name)} {told}", last) if part)
        yield _run_of(asked.hook, phase, asked.answer, ended)

    def _leave(self, *, ends: bool = True) -> None:
        for asked in self._asked:
            if asked.run and self._about:
                if ends:
                    asked.run.end()
                self._leaving.append((self._about[1], asked.hook, asked.run))
                asked.run = None

    def _left(self) -> Iterator[HookRun]:
        """Runs of a phase that is over, once they have ended; those that were ended had not answered."""
        for phase, hook, run in [each for each in self._leaving if each[2].result]:
            self._leaving.remove((phase, hook, run))
            ended = run.wait()
            answer = Answer.WAIT if ended.is_ended_by_us else _answer(ended, hook, 0.0)[0]
            yield _run_of(hook, phase, answer, ended)

    def _told(self, phase: Phase, document: Mapping[str, object]) -> Told:
        if self._surroundings is None:
            self._surroundings = self._around()
        around = self._surroundings
        whole = {"environment": around.environment, "phase": phase.value, "url": around.url, **document}
        inherited = {name: value for name, value in around.variables.items() if name != RELEASE_VARIABLE}
        return Told(
            folder=around.folder,
            variables={**inherited, **dict(_variables(whole))},
            document=json.dumps(whole),
            header=f"{TEST_HEADER}: {around.secret}\n",
            secrets=frozenset({around.secret, *_secrets(inherited)} - {""}),
        )


def _run_of(hook: Hook, phase: Phase, answer: Answer, ended: Ended) -> HookRun:
    return HookRun(command=hook.name, phase=phase, answer=answer, seconds=ended.seconds, output=ended.output)


def _answer(ended: Ended, hook: Hook, waited_seconds: float) -> tuple[Answer, str]:
    if ended.is_timed_out:
        return Answer.STOP, f"gave no answer within {hook.timeout_seconds:g} s"
    if ended.code == 0:
        return Answer.GO, "says go"
    if ended.code != WAIT_CODE:
        return Answer.STOP, f"says stop (exit code {ended.code})"
    if waited_seconds >= hook.wait_seconds:
        return Answer.STOP, f"says wait for longer than {hook.wait_seconds:g} s"
    return Answer.WAIT, "says wait"


def _together(asked: Iterable[_Asked], ended: tuple[HookRun, ...]) -> HookAnswer:
    every = tuple(asked)
    for answer in (Answer.STOP, Answer.WAIT):
        words = [each.words or f"hook {_short(each.hook.name)} runs" for each in every if each.answer is answer]
        if words:
            return HookAnswer(answer=answer, why="; ".join(words), ended=ended)
    return HookAnswer(answer=Answer.GO, why="every hook says go", ended=ended)


def _document(release: InFlight, phase: Phase | None = None) -> dict[str, object]:
    plan, at = release.plan, phase or release.phase
    weights = {Phase.SHIFTING: plan.steps[release.step], Phase.SETTLING: 100, Phase.DONE: 100}
    return {
        "release": release.release_id,
        "phase": at.value,
        "step": release.step + 1,
        "steps": list(plan.steps),
        "weight": weights.get(at, 0),
        "targetColour": plan.target.value,
        "digest": plan.digest,
        "startedBy": release.started_by,
        "startedAt": release.started_at.isoformat(),
    }


def _bare_document(release_id: str, phase: Phase) -> dict[str, object]:
    """Where this engine has not seen the release but at its end."""
    return {"release": release_id, "phase": phase.value}


def _variables(document: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    names = {
        "TEAL_ENVIRONMENT": "environment",
        "TEAL_RELEASE_ID": "release",
        "TEAL_PHASE": "phase",
        "TEAL_STEP": "step",
        "TEAL_WEIGHT": "weight",
        "TEAL_TARGET_COLOUR": "targetColour",
        "TEAL_DIGEST": "digest",
        "TEAL_URL": "url",
    }
    return ((name, str(document[key])) for name, key in names.items() if key in document)


def _secrets(variables: Mapping[str, str]) -> Iterator[str]:
    return (value for name, value in variables.items() if _SECRET_NAME.search(name) and len(value) >= _SECRET_LENGTH)


def _short(name: str) -> str:
    return name if len(name) <= _NAME_CHARACTERS else f"{name[: _NAME_CHARACTERS - 1]}…"
