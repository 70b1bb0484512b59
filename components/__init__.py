"""What an environment is made of: one component a module, each importable alone.

What one or a few of them are made of lies in a folder, which says so in its `__init__.py`; what most share lies here.
In other people's programs this package is called teal_components, and `from teal_components import Network` imports the
one module, not all of them: the SDK of one AWS service takes its time, and Docker's is only for who builds images.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .app_image import AppImage, AppImageArgs
    from .app_secrets import AppSecrets, AppSecretsArgs
    from .data_volume import DataVolume, DataVolumeArgs
    from .domain import Domain, DomainArgs
    from .fleet import Fleet, FleetArgs
    from .identity import PipelineRoles, PipelineRolesArgs
    from .key import Key, KeyArgs
    from .ledger import Ledger, LedgerArgs
    from .load_balancer import LoadBalancer, LoadBalancerArgs
    from .nat import Nat
    from .network import Network, NetworkArgs, SubnetCidrBlocks
    from .observability import Observability, ObservabilityArgs
    from .registry import Registry, RegistryArgs
    from .route_secret import RouteSecret, RouteSecretArgs
    from .swarm_cluster import SwarmCluster, SwarmClusterArgs
    from .swarm_services import SwarmServices, SwarmServicesArgs
    from .traffic import TrafficSplit, TrafficSplitArgs

_NAMES = {
    "app_image": ("AppImage", "AppImageArgs"),
    "app_secrets": ("AppSecrets", "AppSecretsArgs"),
    "data_volume": ("DataVolume", "DataVolumeArgs"),
    "domain": ("Domain", "DomainArgs"),
    "fleet": ("Fleet", "FleetArgs"),
    "identity": ("PipelineRoles", "PipelineRolesArgs"),
    "key": ("Key", "KeyArgs"),
    "ledger": ("Ledger", "LedgerArgs"),
    "load_balancer": ("LoadBalancer", "LoadBalancerArgs"),
    "nat": ("Nat",),
    "network": ("Network", "NetworkArgs", "SubnetCidrBlocks"),
    "observability": ("Observability", "ObservabilityArgs"),
    "registry": ("Registry", "RegistryArgs"),
    "route_secret": ("RouteSecret", "RouteSecretArgs"),
    "swarm_cluster": ("SwarmCluster", "SwarmClusterArgs"),
    "swarm_services": ("SwarmServices", "SwarmServicesArgs"),
    "traffic": ("TrafficSplit", "TrafficSplitArgs"),
}
_HOMES = {name: module for module, names in _NAMES.items() for name in names}

__all__ = [
    "AppImage",
    "AppImageArgs",
    "AppSecrets",
    "AppSecretsArgs",
    "DataVolume",
    "DataVolumeArgs",
    "Domain",
    "DomainArgs",
    "Fleet",
    "FleetArgs",
    "Key",
    "KeyArgs",
    "Ledger",
    "LedgerArgs",
    "LoadBalancer",
    "LoadBalancerArgs",
    "Nat",
    "Network",
    "NetworkArgs",
    "Observability",
    "ObservabilityArgs",
    "PipelineRoles",
    "PipelineRolesArgs",
    "Registry",
    "RegistryArgs",
    "RouteSecret",
    "RouteSecretArgs",
    "SubnetCidrBlocks",
    "SwarmCluster",
    "SwarmClusterArgs",
    "SwarmServices",
    "SwarmServicesArgs",
    "TrafficSplit",
    "TrafficSplitArgs",
]


def __getattr__(name: str) -> Any:
    """A component or what it takes, from its own module, at the first use."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = found
    return found
