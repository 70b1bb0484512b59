"""Whether a stack whose tasks run in a swarm can be brought up here, told before anything is started for it."""

from contextlib import closing

from config.settings import Orchestrator, Settings
from localcloud.errors import LocalCloudError
from localcloud.home import DriverName, Home
from localcloud.provider.swarm import NEEDS_DOCKER


def check_swarm(home: Home, driver: DriverName | None, wanted: Settings) -> None:
    """Raises LocalCloudError where the stack needs a swarm and the cloud, running or to be started, has none."""
    if wanted.orchestrator is not Orchestrator.SWARM:
        return
    record = home.record()
    running = record if record and record.is_alive else None
    chosen = running.driver if running else driver
    if chosen is not DriverName.DOCKER:
        raise LocalCloudError(NEEDS_DOCKER if running else NEEDS_DOCKER.replace("`teal local down`, then ", ""))
    from localcloud.docker.engine import Engine  # here, since most stacks do without Docker
    from localcloud.docker.services import Services

    with closing(Engine("", running.docker_host if running else "")) as engine:
        Services(engine).require_swarm()
