"""A nursery of engines: it imports everything once, then each job that it is given is a process of its own, a fork.

Jobs come on standard input, one a line. On standard output it says {"name", "pid"} when one has begun, and
{"name", "status", "said"} when one has ended, however that was.
"""

import json
import os
import selectors
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from cli.aws import PATIENT, client
from processes.engine_work import work
from processes.job import Ended, Job, job_of

SERVICES = ("dynamodb", "elbv2")


@dataclass(frozen=True)
class Child:
    """A process that was begun, and the end of the pipe on which it says how it ended."""

    name: str
    pid: int
    pipe: int


def main() -> None:
    """Serves until standard input ends; then its children have ended, too."""
    clients = {service: client(service, os.environ, PATIENT) for service in SERVICES}
    orders, rest = sys.stdin.fileno(), b""
    with selectors.DefaultSelector() as selector:
        selector.register(orders, selectors.EVENT_READ, None)
        while selector.get_map():
            for key, _ in selector.select():
                if key.data is not None:
                    selector.unregister(key.fd)
                    _bury(key.data)
                    continue
                part = os.read(orders, 65536)
                if not part:
                    selector.unregister(orders)
                *lines, rest = (rest + part).split(b"\n")
                for line in lines:
                    child = _bear(job_of(line.decode()), clients)
                    selector.register(child.pipe, selectors.EVENT_READ, child)


def _bear(job: Job, clients: dict[str, Any]) -> Child:
    heard, said = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(heard)
        _live(lambda: work(job, clients), said, job)
    os.close(said)
    _say({"name": job.name, "pid": pid})
    return Child(job.name, pid, heard)


def _live(life: Callable[[], Ended], pipe: int, job: Job) -> None:
    """The rest of a child's life."""
    code = 1
    try:
        time.sleep(max(0.0, job.start_at - time.time()))
        os.write(pipe, json.dumps(asdict(life())).encode())
        code = 0
    except (BotoCoreError, ClientError) as error:
        os.write(pipe, json.dumps(asdict(Ended(status=0, outcome=type(error).__name__, why=str(error)))).encode())
        code = 0
    finally:
        if code:
            sys.excepthook(*sys.exc_info())
        sys.stderr.flush()
        os._exit(code)


def _bury(child: Child) -> None:
    said = b""
    while part := os.read(child.pipe, 65536):
        said += part
    os.close(child.pipe)
    _, status = os.waitpid(child.pid, 0)
    told = json.loads(said) if said else {}
    _say({"name": child.name, "status": os.waitstatus_to_exitcode(status), "said": told})


def _say(document: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
