"""The hooks of an environment's releases, by its settings."""

from cli.release.place_base import Place
from release.adapters.hook_run import Hook
from release.adapters.hooks import Executables, Surroundings
from release.machine import Phase


def hooks_of(place: Place) -> Executables:
    """The user's executables. They learn where the service answers when the first one starts."""

    def surroundings() -> Surroundings:
        return Surroundings(
            environment=place.name, folder=place.root, url=place.url, secret=place.secret, variables=place.variables
        )

    hooks = {
        Phase[phase.upper()]: tuple(
            Hook(command=each.command, timeout_seconds=each.timeout_seconds, wait_seconds=each.wait_seconds)
            for each in listed
        )
        for phase, listed in place.settings.hooks.items()
    }
    return Executables(hooks, surroundings)
