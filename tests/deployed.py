"""Runs a Pulumi program against mocks and returns, as plain data, what it registered and exported."""

import asyncio
import atexit
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.runtime import mocks, rpc, settings

LOOP = asyncio.new_event_loop()  # stays open: closing it ends Pulumi's worker threads, whose own loops then warn
atexit.register(warnings.simplefilter, "ignore", ResourceWarning)  # those loops' sockets, named one by one at exit
ZONES = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
LOOKUPS: dict[str, Mapping[str, Any]] = {
    "aws:index/getAvailabilityZones:getAvailabilityZones": {"names": ZONES},
    "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": "123456789012"},
    "aws:index/getRegion:getRegion": {"name": "eu-west-1", "region": "eu-west-1"},
    "aws:index/getPartition:getPartition": {"partition": "aws", "dnsSuffix": "amazonaws.com"},
    "aws:ssm/getParameter:getParameter": {"value": "ami-0123456789abcdef0"},
    "aws:ssm/getParametersByPath:getParametersByPath": {"names": [], "values": []},
    "aws:route53/getZone:getZone": {"zoneId": "Z123", "name": "teal.example"},
    "aws:ecr/getAuthorizationToken:getAuthorizationToken": {
        "userName": "AWS",
        "password": "one-time",
        "proxyEndpoint": "https://123456789012.dkr.ecr.eu-west-1.amazonaws.com",
    },
}

REGISTRY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
DECIDED: dict[str, Mapping[str, Any]] = {
    "aws:lb/loadBalancer:LoadBalancer": {
        "arnSuffix": "app/web/1", "dnsName": "web-1.eu-west-1.elb.amazonaws.com", "zoneId": "Z32O12XQLNTSW2",
    },
    "aws:lb/targetGroup:TargetGroup": {"arnSuffix": "targetgroup/web/1"},
    "aws:ecr/repository:Repository": {"repositoryUrl": f"{REGISTRY}/app", "registryId": "123456789012", "name": "app"},
    "aws:acm/certificate:Certificate": {"domainValidationOptions": [
        {
            "resourceRecordName": "_1.teal.example", "resourceRecordType": "CNAME",
            "resourceRecordValue": "_2.acm.example",
        },
    ]},
    "aws:ec2/launchTemplate:LaunchTemplate": {"latestVersion": 1},
    "aws:ebs/volume:Volume": {"arn": "arn:aws:ec2:eu-west-1:123456789012:volume/vol-0123456789abcdef0"},
    "docker:index/image:Image": {"repoDigest": f"{REGISTRY}/app@sha256:{'cd' * 32}"},
    "aws:route53/record:Record": {"fqdn": "www.teal.example"},
}  # fmt: skip
"""What AWS decides and a program goes on with, by type."""
NAMED_BY_PULUMI = (
    "aws:dynamodb/table:Table",
    "aws:cloudwatch/logGroup:LogGroup",
    "aws:autoscaling/group:Group",
    "aws:iam/role:Role",
    "aws:iam/instanceProfile:InstanceProfile",
)


@dataclass(frozen=True)
class Registered:
    """One resource as the program registered it: inputs in Pulumi's camelCase."""

    type: str
    parent: str
    protect: bool
    inputs: dict[str, Any]
    is_retained: bool
    """Whether it is left where it is when it goes from the stack."""
    ignored: tuple[str, ...]
    aliases: tuple[dict[str, str], ...]
    """What it was called before: type or name, whichever differed."""
    urn: str
    links: dict[str, frozenset[str]]
    """By input, the URNs of the resources that its value comes from."""


@dataclass(frozen=True)
class Deployment:
    """What a program registered, by name, and exported."""

    resources: dict[str, Registered]
    exports: dict[str, Any]

    def of_type(self, suffix: str) -> dict[str, Registered]:
        """The resources whose type ends so, by name."""
        return {name: found for name, found in self.resources.items() if found.type.endswith(suffix)}


class Recorder(mocks.MockMonitor):
    """Answers registrations with the inputs and an ARN, lookups from a table; records both."""

    def __init__(self, lookups: Mapping[str, Any]) -> None:
        super().__init__(mocks=self)  # type: ignore[arg-type]  # answers new_resource and call itself
        self.lookups = lookups
        self.requests: list[Any] = []
        self.urns: list[str] = []

    def new_resource(self, args: Any) -> tuple[str, dict[str, Any]]:
        named = {"name": args.name} if args.typ in NAMED_BY_PULUMI else {}
        return f"{args.name}-id", {"arn": f"arn:{args.name}", **DECIDED.get(args.typ, {}), **named, **args.inputs}

    def call(self, args: Any) -> Any:
        answer = self.lookups[args.token]  # an unforeseen lookup fails; {} would read as None everywhere
        return answer(args.args) if callable(answer) else answer

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802  # gRPC's name
        answer = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        self.requests.append(request)
        self.urns.append(answer.urn)
        return answer


def deploy(
    program: Callable[[], object],
    config: Mapping[str, str] | None = None,
    lookups: Mapping[str, Any] | None = None,
    stack: str = "test",
    project: str = "teal",
) -> Deployment:
    """Runs program on the mocks; lookups (token to answer, or to a function of the arguments) add to LOOKUPS."""
    asyncio.set_event_loop(LOOP)  # set_mocks needs a current loop, and asyncio.run in another test takes it away
    settings.set_root_resource(None)  # type: ignore[arg-type]  # else an earlier test's exports stay
    recorder = Recorder({**LOOKUPS, **(lookups or {})})
    exports: dict[str, Any] = {}
    mocks.set_mocks(recorder, project=project, stack=stack, monitor=recorder)  # type: ignore[arg-type]
    pulumi.runtime.set_all_config(dict(config or {}))

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def run() -> Any:
        program()
        root = settings.get_root_resource()
        return pulumi.Output.all(**root.outputs).apply(exports.update) if root else None  # type: ignore[attr-defined]

    run()
    urns = [(r.parent, r.type, r.name) for r in recorder.requests]
    assert len(urns) == len(set(urns)), f"the engine refuses duplicate URNs: {urns}"
    resources = {
        r.name: Registered(
            type=r.type,
            parent=r.parent.split("::")[-1],
            protect=r.protect,
            inputs=rpc.deserialize_properties(r.object),
            is_retained=r.retainOnDelete,
            ignored=tuple(r.ignoreChanges),
            aliases=tuple(
                {key: text for key, text in (("type", a.spec.type), ("name", a.spec.name)) if text} for a in r.aliases
            ),
            urn=urn,
            links={name: frozenset(sources.urns) for name, sources in r.propertyDependencies.items()},
        )
        for r, urn in zip(recorder.requests, recorder.urns, strict=True)
    }
    return Deployment(resources, exports)
