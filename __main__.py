"""One environment of the service: network, load balancer, twin fleets, registry and ledger."""
# One call, one block: what goes into a component is to be seen at a glance.
# fmt: off

import pulumi
import pulumi_aws as aws

from components.app_secrets import AppSecrets
from components.domain import Domain
from components.instance_types import platform
from components.key import Key
from components.ledger import Ledger
from components.load_balancer import LoadBalancer
from components.naming import SWARM_PORTS
from components.nat import Nat
from components.network import Network
from components.observability import Observability, ObservabilityArgs
from components.registry import Registry
from components.route_secret import RouteSecret
from components.traffic import TrafficSplit, TrafficSplitArgs
from config import settings
from config.app import app_secrets
from environment.released import Released, read_ledger
from environment.servers import Site, fleets
from release.errors import ReleaseError
from release.ledger import Colour, State

environment = pulumi.get_stack()
tags = {"Project": pulumi.get_project(), "Environment": environment}
try:
    wanted, hidden, state = settings.read(), app_secrets(), read_ledger(environment)
    zones = wanted.zones_among(aws.get_availability_zones(state="available").names)
    has_swarm = settings.runs_swarm(wanted, hidden)
except (settings.SettingsError, ReleaseError) as error:
    raise pulumi.RunError(str(error)) from None

key = Key("main", {"tags": tags})
registry = Registry("app", {"kms_key_arn": key.arn, "force_delete": not wanted.protects, "tags": tags})
candidate = None
if wanted.builds_image:
    from components.app_image import AppImage  # here, since the others do without its SDK, which takes its time

    candidate = AppImage("app", {
        "repository_url": registry.repository_url, "context": "app", "version": wanted.version,
        "platform": platform(wanted.instance_types)})
released = Released(state or State.initial(), candidate, registry, wanted.instances, is_first_run=state is None)
book = Ledger("ledger", {"environment": environment, "seed": released.seed, "protects": wanted.protects, "tags": tags})
secret = RouteSecret("test-route", {"environment": environment, "tags": tags})
kept = AppSecrets("app", {"environment": environment, "values": hidden, "tags": tags}) if hidden else None

network = Network("main", {
    "cidr_block": wanted.cidr_block,
    "zones": zones,
    "nat": Nat(wanted.nat), "interface_endpoints": list(wanted.interface_endpoints),
    "flow_log_retention_days": wanted.flow_log_retention_days, "kms_key_arn": key.arn,
    "permissions_boundary_arn": wanted.server_boundary_arn or None, "tags": tags})
balancer = LoadBalancer("web", {
    "vpc_id": network.vpc_id, "vpc_cidr_block": network.cidr_block, "subnet_ids": network.public_subnet_ids,
    "serves_https": bool(wanted.domain), "protects_from_deletion": wanted.protects,
    "target_ports": list(SWARM_PORTS.values()) if has_swarm else [],
    "log_retention_days": wanted.log_retention_days, "tags": tags})
domain = Domain("web", {
    "domain_name": wanted.domain, "zone_name": wanted.zone_name, "load_balancer_dns_name": balancer.dns_name,
    "load_balancer_zone_id": balancer.zone_id, "tags": tags}) if wanted.domain else None
split: TrafficSplitArgs = {
    "vpc_id": network.vpc_id, "load_balancer_arn": balancer.arn, "weights": released.weights,
    "test_colour": released.state.idle, "test_header_value": secret.value, "is_released": released.is_released,
    "asset_colours": released.asset_colours, "drain_seconds": wanted.drain_seconds,
    "stickiness_seconds": wanted.sticky_seconds, "slow_start_seconds": wanted.slow_start_seconds, "tags": tags}
if domain:
    split["certificate_arn"] = domain.certificate_arn
if has_swarm:
    split["ports"] = SWARM_PORTS
traffic = TrafficSplit("web", split)
watch: ObservabilityArgs = {
    "load_balancer_arn_suffix": balancer.arn_suffix, "target_group_arn_suffixes": {
        colour.value: traffic.target_group_arn_suffixes[colour.value] for colour in Colour},
    "alarm_emails": wanted.alarm_emails, "log_retention_days": wanted.log_retention_days,
    "error_share_percent": wanted.error_share_percent, "latency_p99_seconds": wanted.latency_milliseconds / 1000,
    "kms_key_arn": key.arn, "tags": tags}
if has_swarm:  # whose target groups have every worker, with a task or without
    watch["healthy_targets"] = {
        colour.value: min(released.capacity(colour), wanted.max_instances) for colour in Colour}
sight = Observability("web", watch)
site = Site(
    environment=environment, wanted=wanted, zones=zones, released=released, key=key, registry=registry,
    network=network, balancer=balancer, traffic=traffic, sight=sight, secrets=kept, tags=tags)

pulumi.export("url", domain.url if domain else pulumi.Output.concat("http://", balancer.dns_name))
pulumi.export("isReleased", released.is_released)
pulumi.export("liveColour", released.state.live)
pulumi.export("candidate", candidate.digest if candidate else None)
pulumi.export("repositoryUrl", registry.repository_url)
pulumi.export("ledgerTable", book.table_name)
pulumi.export("testHeaderParameter", secret.parameter_name)
pulumi.export("loadBalancerArn", balancer.arn)
pulumi.export("listenerArn", traffic.listener_arn)
pulumi.export("targetGroupArns", traffic.target_group_arns)
if has_swarm:
    from environment import swarm  # here, for Docker's SDK

    pulumi.export("serviceNames", swarm.services(site))
else:
    twins = fleets(site)
    pulumi.export("scalingGroupNames", twins.scaling_group_names)
    pulumi.export("dataVolumeId", twins.data_volume_id)
pulumi.export("dashboardUrl", sight.dashboard_url)
pulumi.export("alarmNames", sight.alarm_names)
