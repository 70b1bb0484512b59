"""What can be wrong with Docker."""

from localcloud.errors import LocalCloudError


class DockerError(LocalCloudError):
    """The Docker engine refused, or cannot be reached; the text says what was asked and why not, in one line."""


class NoDocker(DockerError):
    """No Docker engine answers, or no client here can build with BuildKit; the text says which."""


class NoSwarm(DockerError):
    """The Docker engine manages no swarm; the text says how to begin one."""
