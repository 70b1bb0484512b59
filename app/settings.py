"""What the service is told by its environment, read once at start."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DEFAULT_BIND = "127.0.0.1:8000"


class SettingsError(ValueError):
    """A TEAL_ variable has a value that the service cannot work with; the text names both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who this process is: the version it runs and where it runs."""

    version: str = "0"
    digest: str = ""
    colour: str = ""
    instance: str = ""
    zone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything the service reads from its environment."""

    identity: Identity
    bind: str
    """host:port, or unix:PATH, that Gunicorn listens on."""
    trusted_hops: int
    """Proxies in front that each append to X-Forwarded-For: 1 is the load balancer alone, 2 is it and NGINX."""
    stop_grace_seconds: float
    """Seconds between SIGTERM and the closing of the listener, in which /readyz answers 503 and all else works."""
    drain_file: Path | None
    """While this file exists, /readyz answers 503."""
    is_demo: bool
    """Serves /slow as well."""
    data_folder: Path | None
    """Where the data volume is; None without one."""
    logs_requests: bool
    """Whether Gunicorn logs requests; not where NGINX in front of it does."""
    workers: int
    threads: int

    @property
    def is_behind_nginx(self) -> bool:
        """Whether NGINX hands requests over, as in the image; else clients come by themselves, over TCP."""
        return self.bind.startswith("unix:")


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings that environment gives, defaults for the rest. Raises SettingsError for a number out of range."""
    drain_file = environment.get("TEAL_DRAIN_FILE", "")
    return Settings(
        identity=Identity(
            version=environment.get("TEAL_VERSION") or "0",
            digest=environment.get("TEAL_DIGEST", ""),
            colour=environment.get("TEAL_COLOUR", ""),
            instance=environment.get("TEAL_INSTANCE", ""),
            zone=environment.get("TEAL_ZONE", ""),
        ),
        bind=environment.get("TEAL_BIND") or DEFAULT_BIND,
        trusted_hops=int(_number(environment, "TEAL_TRUSTED_HOPS", 1, 0, 5)),
        stop_grace_seconds=_number(environment, "TEAL_STOP_GRACE_SECONDS", 1, 0, 300),
        drain_file=Path(drain_file) if drain_file else None,
        is_demo=environment.get("TEAL_DEMO") == "1",
        data_folder=Path(environment["TEAL_DATA"]) if environment.get("TEAL_DATA") else None,
        logs_requests=environment.get("TEAL_ACCESS_LOG") != "0",
        workers=int(_number(environment, "TEAL_WORKERS", 2, 1, 64)),
        threads=int(_number(environment, "TEAL_THREADS", 8, 1, 256)),
    )


def _number(environment: Mapping[str, str], name: str, default: float, low: float, high: float) -> float:
    text = environment.get(name) or str(default)
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not low <= number <= high:  # not a number is never within
        raise SettingsError(f"{name} must be a number from {low:g} to {high:g}, got {text!r}")
    return number
