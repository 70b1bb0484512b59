"""What every release command starts from: an environment, in the embedded cloud or on AWS."""

from collections.abc import Iterator
from contextlib import contextmanager

from cli.access import access
from cli.project import find_project
from cli.release.place_base import Place, caller
from localcloud.environment import stack_names
from localcloud.errors import LocalCloudError

__all__ = ["Place", "caller", "place_of"]


@contextmanager
def place_of(name: str, *, tells_json: bool = False) -> Iterator[Place]:
    """The environment of that name, where the command's options say that it is, with progress on the screen.

    Raises LocalCloudError for an unknown one, CloudNotRunning where no embedded cloud runs.
    """
    project, way = find_project(), access()
    known = stack_names(project.root)
    if name not in known:
        raise LocalCloudError(f"there is no environment {name!r}: there are {', '.join(known) or 'none'}")
    with project.steps() as steps:
        if way.is_on_aws:
            from cli.release.place_aws import AwsPlace

            yield AwsPlace(project.root, steps, name, way.url, tells_json=tells_json)
        else:
            from cli.release.place_embedded import EmbeddedPlace

            yield EmbeddedPlace(project.root, steps, name, project.home, project.home.running(), tells_json=tells_json)
