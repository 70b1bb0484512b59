"""Typed, validated settings of an environment.

Pulumi.yaml declares every key with its text and default; a stack file holds what differs. Keys are camelCase there and
snake_case here. Raises SettingsError, one line that names key, value and what is allowed. What is allowed here, the
components take: tests/config/test_settings_fuzz.py runs the program with it.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from enum import StrEnum
from ipaddress import IPv4Network
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict, model_validator
from pydantic.alias_generators import to_camel

from components.bounds import LOG_RETENTION_DAYS, MANAGER_COUNTS
from components.instance_types import architecture
from config import typed
from config.stack_files import SettingsError as SettingsError
from config.stack_files import check_region
from release.judgement import Check

NAMESPACE = "teal"
RFC1918 = (IPv4Network("10.0.0.0/8"), IPv4Network("172.16.0.0/12"), IPv4Network("192.168.0.0/16"))
HOST_NAME = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])")
CERTIFICATE_NAME_MAX_LENGTH = 64
HOST_NAME_MAX_LENGTH = 253
PROBE_PATH = r"^/[!-\"$-~]*$"
"""A path with its query: printable ASCII, no fragment."""
SERVICE = r"^[a-z0-9-]+(\.[a-z0-9-]+)*$"
POLICY_ARN = r"^$|^arn:aws[a-z-]*:iam::[0-9]{12}:policy/[A-Za-z0-9+=,.@_/-]{1,512}$"
SWARM_HOST = re.compile(
    r"ssh://([a-z0-9._-]+@)?[A-Za-z0-9._-]+(:[0-9]{1,5})?|tcp://127\.0\.0\.1:[0-9]{1,5}|unix:///[A-Za-z0-9./_-]+"
)
EMAIL = r"^[!-?A-~]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$"


class Nat(StrEnum):
    """How private subnets reach the internet."""

    NONE = "none"
    INSTANCE = "instance"
    SINGLE = "single"
    PER_ZONE = "per_zone"


class Delivery(StrEnum):
    """How an image gets to an environment."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"


class Orchestrator(StrEnum):
    """Who keeps containers running."""

    SCALING_GROUP = "scaling-group"
    SWARM = "swarm"


class Policy(StrEnum):
    """What it means that something breaks a rule of policy/."""

    ADVISORY = "advisory"
    MANDATORY = "mandatory"


def _retention(days: int) -> int:
    if days not in LOG_RETENTION_DAYS:
        raise ValueError(f"must be one of {', '.join(map(str, LOG_RETENTION_DAYS))}")
    return days


def _private_block(block: str) -> str:
    network = IPv4Network(block)  # its own error says what is wrong with the text
    is_ours = any(network.subnet_of(private) for private in RFC1918)
    if not is_ours or not 16 <= network.prefixlen <= 21:
        raise ValueError("must be a private (RFC 1918) IPv4 block of size /16 to /21")
    if block != str(network):  # a netmask, which AWS does not take
        raise ValueError(f"must be written as {network}")
    return block


def _steps(steps: tuple[int, ...]) -> tuple[int, ...]:
    if not steps or steps[-1] != 100 or any(low >= high for low, high in pairwise((0, *steps))):
        raise ValueError("must rise from above 0 and end at 100")
    return steps


def _slow_start(seconds: int) -> int:
    if seconds != 0 and not 30 <= seconds <= 900:
        raise ValueError("must be 0 (off) or 30 to 900")
    return seconds


def _managers(count: int) -> int:
    if count not in MANAGER_COUNTS:
        raise ValueError("must be 1, 3 or 5")
    return count


def _swarm_host(address: str) -> str:
    if address and not SWARM_HOST.fullmatch(address):
        raise ValueError("must be ssh://host, tcp://127.0.0.1:port, unix:///path, or empty")
    return address


def _host_name(name: str) -> str:
    if name and not HOST_NAME.fullmatch(name):
        raise ValueError("must be a host name in lower case, such as shop.example.com, or empty")
    return name


def _services(services: tuple[str, ...]) -> tuple[str, ...]:
    if any(service.startswith("com.") for service in services):
        raise ValueError("must be short names such as ecr.api, without com.amazonaws and region")
    _check_apart(services)
    return services


def _instance_types(kinds: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(kinds)) < len(kinds):
        raise ValueError("must differ from each other")
    if kinds:  # that there are none is told by the length
        architecture(kinds)
    return kinds


def _check_apart(names: Sequence[str]) -> Sequence[str]:
    """Raises ValueError for names that would be the same as a resource's name, which keeps letters and digits only."""
    if len({re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") for name in names}) < len(names):
        raise ValueError("must differ from each other in letters or digits")
    return names


def _words(command: Any) -> Any:
    return shlex.split(command) if isinstance(command, str) else command


Whole = Annotated[int, Strict()]  # true is no 1
YesNo = Annotated[bool, Strict()]
Seconds = Annotated[float, Strict()]
ServiceName = Annotated[str, Field(pattern=SERVICE, max_length=60)]
RetentionDays = Annotated[Whole, AfterValidator(_retention)]
HookPhase = Literal["preparing", "verifying", "shifting", "settling", "rolling_back", "done", "rolled_back"]
Word = Annotated[str, Field(min_length=1, max_length=4096, pattern=r"^[^\x00]*$")]
"""As a process can be given it."""


class HookSetting(BaseModel):
    """An executable that is asked, or told, in a phase of a release."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)

    command: Annotated[tuple[Word, ...], BeforeValidator(_words), Field(min_length=1, max_length=100)]
    """Executable, relative to the project, and its arguments; one text is split as a shell would."""
    timeout_seconds: Annotated[Seconds, Field(gt=0, le=86400)] = 600
    """How long one run may take."""
    wait_seconds: Annotated[Seconds, Field(ge=0, le=604800)] = 3600
    """How long it may go on saying wait."""


class Settings(BaseModel):
    """One environment's settings. Texts, units and defaults: Pulumi.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)

    cidr_block: Annotated[str, AfterValidator(_private_block)]
    zones: Annotated[Whole, Field(ge=2, le=6)]
    nat: Nat
    interface_endpoints: Annotated[tuple[ServiceName, ...], Field(max_length=50), AfterValidator(_services)]
    flow_log_retention_days: RetentionDays
    instance_types: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[a-z0-9-]+\.[a-z0-9-]+$", max_length=40)], ...],
        Field(min_length=1, max_length=40),
        AfterValidator(_instance_types),
    ]
    machine_image: Annotated[str, Field(pattern=r"^(ami-[0-9a-f]{8,17})?$")]
    volume_gib: Annotated[Whole, Field(ge=8, le=1024)]
    instances: Annotated[Whole, Field(ge=1, le=100)]
    max_instances: Annotated[Whole, Field(ge=1, le=100)]
    data_volume_gib: Annotated[Whole, Field(ge=0, le=16_384)]
    data_snapshots_kept: Annotated[Whole, Field(ge=1, le=1000)]
    orchestrator: Orchestrator
    swarm_managers: Annotated[Whole, AfterValidator(_managers)]
    swarm_host: Annotated[str, Field(max_length=300), AfterValidator(_swarm_host)]
    builds_image: YesNo
    version: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}$")]
    follows: Annotated[str, Field(pattern=r"^$|^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$")]
    delivery: Delivery
    protects: YesNo
    policy: Policy
    domain: Annotated[str, Field(max_length=CERTIFICATE_NAME_MAX_LENGTH), AfterValidator(_host_name)]
    zone_name: Annotated[str, Field(max_length=HOST_NAME_MAX_LENGTH), AfterValidator(_host_name)]
    log_retention_days: RetentionDays
    drain_seconds: Annotated[Whole, Field(ge=0, le=3600)]
    sticky_seconds: Annotated[Whole, Field(ge=0, le=604800)]
    slow_start_seconds: Annotated[Whole, AfterValidator(_slow_start)]
    steps: Annotated[tuple[Whole, ...], AfterValidator(_steps)]
    bake_seconds: Annotated[tuple[Annotated[Whole, Field(ge=0, le=172_800)], ...], Field(min_length=1, max_length=100)]
    ready_seconds: Annotated[Whole, Field(ge=1, le=7200)]
    judge_seconds: Annotated[Whole, Field(ge=0, le=86_400)]
    pause_seconds: Annotated[Whole, Field(ge=1, le=604_800)]
    keep_warm_seconds: Annotated[Whole, Field(ge=0, le=172_800)]
    alarm_emails: Annotated[
        tuple[Annotated[str, Field(pattern=EMAIL, max_length=254)], ...],
        Field(max_length=100),
        AfterValidator(_check_apart),
    ]
    error_share_percent: Annotated[Whole, Field(ge=1, le=100)]
    latency_milliseconds: Annotated[Whole, Field(ge=1, le=60000)]
    hooks: Mapping[HookPhase, tuple[HookSetting, ...]]
    min_samples: Annotated[Whole, Field(ge=10, le=10000)]
    error_points_over_live: Annotated[Whole, Field(ge=0, le=100)]
    latency_times_live: Annotated[Whole, Field(ge=1, le=100)]
    observe_only: tuple[Check, ...]
    waits_for_metrics: YesNo
    probe_paths: Annotated[
        tuple[Annotated[str, Field(pattern=PROBE_PATH, max_length=2000)], ...], Field(min_length=1, max_length=100)
    ]
    server_boundary_arn: Annotated[str, Field(pattern=POLICY_ARN)]

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.max_instances < self.instances:
            raise ValueError(f"maxInstances must be at least instances ({self.instances}), got {self.max_instances}")
        if len(self.bake_seconds) not in (1, len(self.steps)):
            raise ValueError(f"bakeSeconds must be one number, or one for each of {len(self.steps)} steps")
        if bool(self.domain) != bool(self.zone_name):
            raise ValueError("domain and zoneName must be given together, or neither")
        if self.domain and not (self.domain == self.zone_name or self.domain.endswith(f".{self.zone_name}")):
            raise ValueError(f"domain {self.domain} must be in the hosted zone zoneName, {self.zone_name}")
        self._agree_on_servers()
        self._agree_on_delivery()
        return self

    def _agree_on_servers(self) -> None:
        if self.data_volume_gib and self.max_instances > 1:
            raise ValueError(
                "dataVolumeGib needs instances and maxInstances to be 1, since one server at a time can have it, "
                f"got {self.instances} and {self.max_instances}"
            )
        if self.data_volume_gib and self.orchestrator is Orchestrator.SWARM:
            raise ValueError("dataVolumeGib needs orchestrator scaling-group: tasks of a swarm have no data volume")
        if self.swarm_host and self.orchestrator is not Orchestrator.SWARM:
            raise ValueError(f"swarmHost needs orchestrator swarm, got {self.orchestrator.value}")

    def _agree_on_delivery(self) -> None:
        if self.builds_image and self.follows:
            raise ValueError(f"follows must be empty where buildsImage is true, got {self.follows!r}")
        if self.delivery is Delivery.AUTOMATIC and not (self.builds_image or self.follows):
            raise ValueError("delivery automatic needs follows or buildsImage: nothing would ever come here")

    def zones_among(self, available: Sequence[str]) -> list[str]:
        """The availability zones to spread over. Raises SettingsError where the region has too few."""
        if len(available) < self.zones:
            raise SettingsError(
                f"{NAMESPACE}:zones is {self.zones}: it must be at most {len(available)}, "
                f"since the region has no more zones than {', '.join(available)}"
            )
        return list(available[: self.zones])


def parse(values: Mapping[str, str]) -> Settings:
    """Settings from Pulumi's own form: key without namespace to text, JSON for lists. Raises SettingsError."""
    return typed.parse(Settings, NAMESPACE, values)


def read() -> Settings:
    """The settings of the stack whose program runs. Raises SettingsError, also for a region that is none."""
    from pulumi.runtime.config import CONFIG

    if "aws:region" in CONFIG.get():  # before a lookup fails on it, in many words
        check_region(CONFIG.get()["aws:region"])
    return typed.of_program(Settings, NAMESPACE)


def runs_swarm(wanted: Settings, app_secrets: Mapping[str, str]) -> bool:
    """Whether tasks run in a swarm. Raises SettingsError for what a swarm's tasks can not be given."""
    if wanted.orchestrator is not Orchestrator.SWARM:
        return False
    if app_secrets:
        names = ", ".join(sorted(app_secrets))
        raise SettingsError(
            f"{NAMESPACE}:orchestrator is swarm: it must be scaling-group where the app has secrets ({names}), "
            "since tasks of a swarm are not given any yet"
        )
    return True


def of_stack(project: Path, stack: str) -> Settings:
    """A stack's settings, read from its files alone. Raises SettingsError."""
    return typed.of_files(Settings, NAMESPACE, project, stack)
