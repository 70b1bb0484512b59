"""Every component that other programs may use, and how they are served to programs in other languages."""

import inspect

import pulumi

from .app_image import AppImage
from .app_secrets import AppSecrets
from .data_volume import DataVolume
from .domain import Domain
from .fleet import Fleet
from .identity import PipelineRoles
from .key import Key
from .ledger import Ledger
from .load_balancer import LoadBalancer
from .network import Network
from .observability import Observability
from .registry import Registry
from .route_secret import RouteSecret
from .serving import serve as serve_components
from .swarm_cluster import SwarmCluster
from .swarm_services import SwarmServices
from .traffic import TrafficSplit
from .version import VERSION

PACKAGE = "teal"
"""First part of the components' types."""
COMPONENTS: tuple[type[pulumi.ComponentResource], ...] = (
    AppImage,
    AppSecrets,
    DataVolume,
    Domain,
    Fleet,
    Key,
    Ledger,
    LoadBalancer,
    Network,
    Observability,
    PipelineRoles,
    Registry,
    RouteSecret,
    SwarmCluster,
    SwarmServices,
    TrafficSplit,
)


def described() -> list[type[pulumi.ComponentResource]]:
    """The components, their texts without the source's indentation: they become the schema's, and documentation."""
    for component in COMPONENTS:
        component.__doc__ = inspect.cleandoc(component.__doc__ or "")
    return list(COMPONENTS)


def serve() -> None:
    """Answers the engine that started this process, until it ends."""
    serve_components(described(), PACKAGE, VERSION)
