"""Our own requests to an environment in the embedded cloud."""

from typing import Any

import httpx

from localcloud.home import CloudRecord
from localcloud.status import stack_statuses
from release.adapters.http import RouteProbe
from release.errors import LedgerMissing
from release.ledger import InFlight

PROBE_SECONDS = 5.0


class EmbeddedProbe:
    """Finds an environment's address and the value that opens its test route, and asks there. Raises LedgerMissing."""

    def __init__(self, record: CloudRecord, region: str, environment: str, ssm: Any) -> None:
        parameter = ssm.get_parameter(Name=f"/teal/{environment}/test-header", WithDecryption=True)
        url = stack_statuses(record, [region])[environment].url
        if url is None:
            raise LedgerMissing(f"{environment} has no listener: `teal local up {environment}`")
        # The embedded cloud's certificates are its own, and its listeners on loopback: there is nobody to mistrust.
        asker = httpx.Client(timeout=PROBE_SECONDS, trust_env=False, verify=not url.startswith("https://127."))
        self._probe = RouteProbe(asker, url, parameter["Parameter"]["Value"])

    def trouble(self, release: InFlight) -> str | None:
        """What is wrong with a release; None if nothing is."""
        return self._probe.trouble(release)
