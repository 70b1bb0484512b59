"""Typed, validated settings of an environment: the only place that reads pulumi.Config.

Pulumi.yaml declares every key with its text and default; a stack file holds what differs. Keys are camelCase there and
snake_case here. Raises SettingsError, one line that names key, value and what is allowed.
"""

import json
import shlex
from collections.abc import Mapping
from enum import StrEnum
from ipaddress import IPv4Network
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from release.judgement import Check
from stack_files import SettingsError as SettingsError
from stack_files import stack_config

NAMESPACE = "teal"
RETENTION_DAYS = (
    1,
    3,
    5,
    7,
    14,
    30,
    60,
    90,
    120,
    150,
    180,
    365,
    400,
    545,
    731,
    1096,
    1827,
    2192,
    2557,
    2922,
    3288,
    3653,
)
"""What CloudWatch Logs takes (docs.aws.amazon.com, PutRetentionPolicy)."""
RFC1918 = (IPv4Network("10.0.0.0/8"), IPv4Network("172.16.0.0/12"), IPv4Network("192.168.0.0/16"))
DNS_NAME = r"^$|^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$"
PROBE_PATH = r"^/[!-\"$-~]*$"
"""A path with its query: printable ASCII, no fragment."""


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


class Policy(StrEnum):
    """What it means that something breaks a rule of policy/."""

    ADVISORY = "advisory"
    MANDATORY = "mandatory"


def _retention(days: int) -> int:
    if days not in RETENTION_DAYS:
        raise ValueError(f"must be one of {', '.join(map(str, RETENTION_DAYS))}")
    return days


def _private_block(block: str) -> str:
    network = IPv4Network(block)  # its own error says what is wrong with the text
    is_ours = any(network.subnet_of(private) for private in RFC1918)
    if not is_ours or not 16 <= network.prefixlen <= 21:
        raise ValueError("must be a private (RFC 1918) IPv4 block of size /16 to /21")
    return block


def _steps(steps: tuple[int, ...]) -> tuple[int, ...]:
    if not steps or steps[-1] != 100 or any(low >= high for low, high in pairwise((0, *steps))):
        raise ValueError("must rise from above 0 and end at 100")
    return steps


def _slow_start(seconds: int) -> int:
    if seconds != 0 and not 30 <= seconds <= 900:
        raise ValueError("must be 0 (off) or 30 to 900")
    return seconds


def _words(command: Any) -> Any:
    return shlex.split(command) if isinstance(command, str) else command


RetentionDays = Annotated[int, AfterValidator(_retention)]
HookPhase = Literal["preparing", "verifying", "shifting", "settling", "rolling_back", "done", "rolled_back"]


class HookSetting(BaseModel):
    """An executable that is asked, or told, in a phase of a release."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)

    command: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(_words), Field(min_length=1)]
    """Executable, relative to the project, and its arguments; one text is split as a shell would."""
    timeout_seconds: Annotated[float, Field(gt=0, le=86400)] = 600
    """How long one run may take."""
    wait_seconds: Annotated[float, Field(ge=0, le=604800)] = 3600
    """How long it may go on saying wait."""


class Settings(BaseModel):
    """One environment's settings. Texts, units and defaults: Pulumi.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, strict=False)

    cidr_block: Annotated[str, AfterValidator(_private_block)]
    zones: Annotated[int, Field(ge=2, le=6)]
    nat: Nat
    interface_endpoints: tuple[Annotated[str, Field(pattern=r"^[a-z0-9.-]+$")], ...]
    flow_log_retention_days: RetentionDays
    instance_types: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[a-z0-9-]+\.[a-z0-9-]+$")], ...], Field(min_length=1)
    ]
    volume_gib: Annotated[int, Field(ge=8, le=1024)]
    instances: Annotated[int, Field(ge=1, le=100)]
    max_instances: Annotated[int, Field(ge=1, le=100)]
    builds_image: bool
    version: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}$")]
    follows: Annotated[str, Field(pattern=r"^$|^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$")]
    delivery: Delivery
    protects: bool
    policy: Policy
    domain: Annotated[str, Field(pattern=DNS_NAME)]
    zone_name: Annotated[str, Field(pattern=DNS_NAME)]
    log_retention_days: RetentionDays
    drain_seconds: Annotated[int, Field(ge=0, le=3600)]
    sticky_seconds: Annotated[int, Field(ge=0, le=604800)]
    slow_start_seconds: Annotated[int, AfterValidator(_slow_start)]
    steps: Annotated[tuple[int, ...], AfterValidator(_steps)]
    bake_seconds: Annotated[tuple[Annotated[int, Field(ge=0, le=172_800)], ...], Field(min_length=1)]
    ready_seconds: Annotated[int, Field(ge=1, le=7200)]
    judge_seconds: Annotated[int, Field(ge=0, le=86_400)]
    pause_seconds: Annotated[int, Field(ge=1, le=604_800)]
    keep_warm_seconds: Annotated[int, Field(ge=0, le=172_800)]
    alarm_emails: tuple[Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")], ...]
    error_share_percent: Annotated[int, Field(ge=1, le=100)]
    latency_milliseconds: Annotated[int, Field(ge=1, le=60000)]
    hooks: Mapping[HookPhase, tuple[HookSetting, ...]]
    min_samples: Annotated[int, Field(ge=10, le=10000)]
    error_points_over_live: Annotated[int, Field(ge=0, le=100)]
    latency_times_live: Annotated[int, Field(ge=1, le=100)]
    observe_only: tuple[Check, ...]
    waits_for_metrics: bool
    probe_paths: Annotated[tuple[Annotated[str, Field(pattern=PROBE_PATH)], ...], Field(min_length=1)]
    server_boundary_arn: Annotated[str, Field(pattern=r"^$|^arn:aws[a-z-]*:iam::[0-9]{12}:policy/.+$")]

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
        self._agree_on_delivery()
        return self

    def _agree_on_delivery(self) -> None:
        if self.builds_image and self.follows:
            raise ValueError(f"follows must be empty where buildsImage is true, got {self.follows!r}")
        if self.delivery is Delivery.AUTOMATIC and not (self.builds_image or self.follows):
            raise ValueError("delivery automatic needs follows or buildsImage: nothing would ever come here")


def parse(values: Mapping[str, str]) -> Settings:
    """Settings from Pulumi's own form: key without namespace to text, JSON for lists. Raises SettingsError."""
    decoded = {key: _decoded(key, value) for key, value in values.items()}
    try:
        return Settings.model_validate(decoded)
    except ValidationError as error:
        raise SettingsError("; ".join(dict.fromkeys(_told(problem) for problem in error.errors()))) from error


def read() -> Settings:
    """The settings of the stack whose program runs. Raises SettingsError."""
    from pulumi.runtime.config import CONFIG  # pulumi.Config cannot list keys, and an unknown one must not pass

    prefix = f"{NAMESPACE}:"
    return parse({key.removeprefix(prefix): value for key, value in CONFIG.get().items() if key.startswith(prefix)})


def of_stack(project: Path, stack: str) -> Settings:
    """A stack's settings, read from its files alone. Raises SettingsError."""
    prefix = f"{NAMESPACE}:"
    config = stack_config(project, stack)
    return parse({key.removeprefix(prefix): value for key, value in config.items() if key.startswith(prefix)})


def _decoded(key: str, value: str) -> Any:
    field = next((field for field in Settings.model_fields.values() if field.alias == key), None)
    kind = str(field.annotation) if field else ""
    if not kind.startswith(("tuple", "collections.abc.Mapping")):
        return value
    try:
        return json.loads(value)
    except ValueError:
        wanted = "a list" if kind.startswith("tuple") else "keys with values"
        raise SettingsError(f"{NAMESPACE}:{key} is {value!r}: it must be {wanted}") from None


def _told(problem: Any) -> str:
    if not problem["loc"]:
        return f"{NAMESPACE}: {problem['msg'].removeprefix('Value error, ')}"
    key = f"{NAMESPACE}:{_path(problem['loc'])}"
    if len(problem["loc"]) > 1 and problem["type"] in ("missing", "extra_forbidden"):
        return f"{key} is {'missing' if problem['type'] == 'missing' else 'unknown'}"
    if problem["type"] == "missing":
        return f"{key} is missing: set it in the stack file, or keep its default in Pulumi.yaml"
    if problem["type"] == "extra_forbidden":
        return f"{key} is unknown: the keys are those that Pulumi.yaml declares"
    return f"{key} is {problem['input']!r}: {_allowed(problem)}"


def _path(loc: tuple[str | int, ...]) -> str:
    """Where in a setting something is wrong, such as hooks.verifying[0].command."""
    first, *rest = (part for part in loc if part != "[key]")
    return str(first) + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in rest)


def _allowed(problem: Any) -> str:
    text = str(problem["msg"]).removeprefix("Value error, ")
    return text[:1].lower() + text[1:]
