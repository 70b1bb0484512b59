"""What Docker's client library raises, as one line."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager

from docker.errors import APIError, DockerException
from requests import exceptions
from urllib3.exceptions import HTTPError

from localcloud.docker.errors import DockerError

NOT_FOUND, CONFLICT = 404, 409
HELD = ("in use", "active endpoints")
GOING = "not found"
TROUBLES = (DockerException, exceptions.RequestException, HTTPError, OSError, struct.error)
"""What its client library raises when the engine goes away: in the middle of a stream, too."""


@contextmanager
def explained(doing: str) -> Iterator[None]:
    """Turns what the client library raises into a DockerError."""
    try:
        yield
    except TROUBLES as trouble:
        raise DockerError(f"{doing} failed: {short(trouble)}") from trouble


@contextmanager
def gone_is_fine() -> Iterator[None]:
    """Lets pass that something is gone already, or on its way, or held by somebody else."""
    try:
        yield
    except APIError as error:
        if error.status_code not in (CONFLICT, NOT_FOUND):
            raise


def is_held(error: APIError) -> bool:
    """Whether a network can't be removed yet, since something is still in it: engines say so with several statuses."""
    return any(word in str(error.explanation) for word in HELD)


def is_going(error: APIError) -> bool:
    """Whether what is to be removed is gone, or will be: a swarm forgets a network before its engine does."""
    return error.status_code == NOT_FOUND or GOING in str(error.explanation)


def short(trouble: BaseException) -> str:
    """One line: the engine's own explanation where it gave one."""
    if isinstance(trouble, exceptions.ConnectionError):
        return "the Docker engine does not answer"
    told = trouble.explanation if isinstance(trouble, APIError) and trouble.explanation else trouble
    return " ".join(str(told).split())
