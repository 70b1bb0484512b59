"""The load balancer as one thing: Envoy, the files that it follows, its ports and certificates."""

import time
from collections.abc import Sequence
from pathlib import Path

import structlog

from localcloud.dataplane.admin import Admin, AdminUnavailable
from localcloud.dataplane.certificates import Certificates
from localcloud.dataplane.envoy import Envoy
from localcloud.dataplane.envoy_config import EnvoyConfig, envoy_config
from localcloud.dataplane.health import Hosts
from localcloud.dataplane.ports import PortBook
from localcloud.dataplane.snapshot import Listener, Snapshot
from localcloud.dataplane.xds import XdsFiles

LOG = structlog.get_logger(__name__)

WARM_SECONDS = 0.7
POLL_SECONDS = 0.02


class Balancer:
    """Makes Envoy do what a snapshot says. Belongs to one thread, but for admin and local_url."""

    def __init__(self, home: Path, leash: Sequence[str]) -> None:
        self._envoy = Envoy(home, leash)
        self._files = XdsFiles(self._envoy.layout)
        self._certificates = Certificates(home / "certificates")
        self._ports = PortBook()
        self._published: Snapshot | None = None
        self._rejected = 0

    @property
    def admin(self) -> Admin:
        """Envoy's admin interface. Raises AdminUnavailable while Envoy is down."""
        return self._envoy.admin

    @property
    def pid(self) -> int | None:
        """Envoy's process."""
        return self._envoy.pid

    def start(self) -> None:
        """Starts Envoy with nothing to serve. Raises NoEnvoy, OSError."""
        self._files.reset()
        self._envoy.start()

    def stop(self) -> None:
        """Stops Envoy and gives its ports back."""
        self._envoy.stop()
        self._ports.close()

    def publish(self, snapshot: Snapshot) -> None:
        """Has Envoy follow snapshot, if anything changed. Raises OSError where files cannot be written."""
        if snapshot == self._published:
            return
        config = envoy_config(snapshot, self._envoy.layout, self._ports.port, self._certificates.files)
        if self._files.add(config):
            self._await_clusters(config)
        self._files.route(config)
        self._ports.keep_only({one.arn for balancer in snapshot.load_balancers for one in balancer.listeners})
        self._published = snapshot

    def look_after(self) -> None:
        """Starts Envoy again if it died, and says so if it refused what it was given. Raises OSError."""
        if self._envoy.keep_running():
            self._rejected = 0
        rejected = self.admin.rejected_updates() if self.pid else self._rejected
        if rejected > self._rejected:
            LOG.error("envoy refused a part of its configuration", log=str(self._envoy.log_path))
        self._rejected = rejected

    def hosts(self) -> Hosts:
        """What Envoy sees of its hosts; nothing while it is down."""
        try:
            return self.admin.hosts()
        except AdminUnavailable:
            return {}

    def local_url(self, listener: Listener) -> str:
        """Where a listener is to be reached on this machine."""
        scheme = "https" if listener.protocol == "HTTPS" else "http"
        return f"{scheme}://127.0.0.1:{self._ports.port(listener.arn)}"

    def _await_clusters(self, config: EnvoyConfig) -> None:
        """Waits, not for ever, until Envoy serves the new clusters: it checks their hosts once before."""
        deadline = time.monotonic() + WARM_SECONDS
        while time.monotonic() < deadline and config.clusters.keys() - self.hosts().keys():
            time.sleep(POLL_SECONDS)
