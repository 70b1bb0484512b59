"""What the load balancers of the embedded cloud should be doing, as plain immutable values.

observe.py reads a Snapshot from the API, envoy_config.py turns it into Envoy's resources. Nothing here does I/O.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum


class TargetState(StrEnum):
    """Whether a target is offered to Envoy at all; health is another matter, see health.py."""

    REGISTERED = "registered"
    """Registered, but nothing listens on its address yet."""
    READY = "ready"
    """Registered, and something accepts connections there: it may be checked."""
    UNREACHABLE = "unreachable"
    """Registered, but it did not come to listen, or its process is gone."""
    DRAINING = "draining"
    """Deregistered: it gets no new request and may finish those that it has."""


@dataclass(frozen=True, slots=True)
class Target:
    """One member of a target group; address is the loopback address that its instance really has."""

    id: str
    address: str
    port: int
    state: TargetState


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """How a target proves itself. Statuses are inclusive ranges, such as ((200, 200), (300, 399))."""

    path: str
    interval: timedelta
    timeout: timedelta
    healthy_threshold: int
    unhealthy_threshold: int
    statuses: tuple[tuple[int, int], ...]
    port: int | None = None
    """None: the port that traffic goes to."""
    protocol: str = "HTTP"


class Algorithm(StrEnum):
    """How a target group picks a target."""

    ROUND_ROBIN = "round_robin"
    LEAST_OUTSTANDING = "least_outstanding_requests"
    WEIGHTED_RANDOM = "weighted_random"


@dataclass(frozen=True, slots=True)
class TargetGroup:
    """Targets that do the same, and the rules for sending to them."""

    arn: str
    protocol: str
    port: int
    health_check: HealthCheck
    targets: tuple[Target, ...] = ()
    drain: timedelta = timedelta(seconds=300)
    slow_start: timedelta = timedelta(0)
    sticky: timedelta | None = None
    """How long a client stays with one target; None: it does not."""
    algorithm: Algorithm = Algorithm.ROUND_ROBIN


@dataclass(frozen=True, slots=True)
class Forward:
    """Sends a request to one of several target groups: (ARN, weight 0 to 999)."""

    groups: tuple[tuple[str, int], ...]
    sticky: timedelta | None = None
    """How long a client stays with one target group; None: it does not."""


@dataclass(frozen=True, slots=True)
class FixedResponse:
    """Answers without any target."""

    status: int
    content_type: str = "text/plain"
    body: str = ""


@dataclass(frozen=True, slots=True)
class Redirect:
    """Sends the client elsewhere; the placeholders #{protocol} #{host} #{port} #{path} #{query} keep a part."""

    status: int
    protocol: str = "#{protocol}"
    host: str = "#{host}"
    port: str = "#{port}"
    path: str = "/#{path}"
    query: str = "#{query}"


@dataclass(frozen=True, slots=True)
class Unsupported:
    """Something ELBv2 has and this load balancer has not: text names it. It is answered with 501 and that text."""

    text: str


Action = Forward | FixedResponse | Redirect | Unsupported


class ConditionField(StrEnum):
    """What a rule looks at."""

    PATH = "path-pattern"
    HOST = "host-header"
    HEADER = "http-header"
    METHOD = "http-request-method"
    QUERY = "query-string"
    SOURCE = "source-ip"


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of a rule: any of values fits. A query-string value is "key=value", or "=value" for any key."""

    field: ConditionField
    values: tuple[str, ...]
    header: str = ""
    """The header's name, for http-header."""


@dataclass(frozen=True, slots=True)
class Rule:
    """An action for the requests that meet all conditions; rules are tried in the order in which they stand."""

    arn: str
    conditions: tuple[Condition, ...]
    action: Action


@dataclass(frozen=True, slots=True)
class Listener:
    """A port of a load balancer. port is what ELBv2 says (80); the local port is the PortBook's matter."""

    arn: str
    port: int
    protocol: str
    default: Action
    rules: tuple[Rule, ...] = ()
    domains: tuple[str, ...] = ()
    """The names on the listener's certificate, for HTTPS."""

    @property
    def actions(self) -> tuple[Action, ...]:
        """Every action that a request may meet here."""
        return (*(rule.action for rule in self.rules), self.default)


@dataclass(frozen=True, slots=True)
class LoadBalancer:
    """A load balancer and its listeners."""

    arn: str
    name: str
    dns_name: str
    listeners: tuple[Listener, ...] = ()
    idle_timeout: timedelta = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything at one moment."""

    load_balancers: tuple[LoadBalancer, ...] = ()
    groups: dict[str, TargetGroup] = field(default_factory=dict)
    """Target groups by ARN."""

    def used_groups(self) -> dict[str, str]:
        """Load balancer ARN by the ARN of each target group that some rule of it sends to."""
        return {
            arn: balancer.arn
            for balancer in self.load_balancers
            for listener in balancer.listeners
            for action in listener.actions
            if isinstance(action, Forward)
            for arn, _ in action.groups
            if arn in self.groups
        }


def suffix(arn: str) -> str:
    """The last part of a load balancer's or target group's ARN, as CloudWatch's dimensions want it.

    >>> suffix("arn:aws:elasticloadbalancing:eu-west-1:1:loadbalancer/app/web/50dc")
    'app/web/50dc'
    >>> suffix("arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/blue/73e2")
    'targetgroup/blue/73e2'
    """
    return arn.rpartition(":")[2].removeprefix("loadbalancer/")
