"""What an account holds, over every service that our programs use: to tell what a run made and what it left."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jmespath

from cli.aws import client

ANY: Mapping[str, Any] = {}
LIVE_INSTANCES = {"Filters": [{"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}]}


@dataclass(frozen=True)
class Listing:
    """One operation that lists things: the path in its answers leads to what tells them apart."""

    service: str
    operation: str
    path: str
    parameters: Mapping[str, Any] | None = None


LISTINGS = (
    Listing("ec2", "describe_vpcs", "Vpcs[].VpcId"),
    Listing("ec2", "describe_subnets", "Subnets[].SubnetId"),
    Listing("ec2", "describe_security_groups", "SecurityGroups[].GroupId"),
    Listing("ec2", "describe_route_tables", "RouteTables[].RouteTableId"),
    Listing("ec2", "describe_internet_gateways", "InternetGateways[].InternetGatewayId"),
    Listing("ec2", "describe_nat_gateways", "NatGateways[?State != 'deleted'].NatGatewayId"),
    Listing("ec2", "describe_addresses", "Addresses[].AllocationId"),
    Listing("ec2", "describe_network_interfaces", "NetworkInterfaces[].NetworkInterfaceId"),
    Listing("ec2", "describe_vpc_endpoints", "VpcEndpoints[?State != 'deleted'].VpcEndpointId"),
    Listing("ec2", "describe_flow_logs", "FlowLogs[].FlowLogId"),
    Listing("ec2", "describe_instances", "Reservations[].Instances[].InstanceId", LIVE_INSTANCES),
    Listing("ec2", "describe_volumes", "Volumes[].VolumeId"),
    Listing("ec2", "describe_launch_templates", "LaunchTemplates[].LaunchTemplateId"),
    Listing("elbv2", "describe_load_balancers", "LoadBalancers[].LoadBalancerArn"),
    Listing("elbv2", "describe_target_groups", "TargetGroups[].TargetGroupArn"),
    Listing("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups[].AutoScalingGroupName"),
    Listing("autoscaling", "describe_policies", "ScalingPolicies[].PolicyARN"),
    Listing("iam", "list_roles", "Roles[].RoleName"),
    Listing("iam", "list_instance_profiles", "InstanceProfiles[].InstanceProfileName"),
    Listing("iam", "list_policies", "Policies[].Arn", {"Scope": "Local"}),
    Listing("s3", "list_buckets", "Buckets[].Name"),
    Listing("logs", "describe_log_groups", "logGroups[].logGroupName"),
    Listing("cloudwatch", "describe_alarms", "MetricAlarms[].AlarmName"),
    Listing("cloudwatch", "list_dashboards", "DashboardEntries[].DashboardName"),
    Listing("sns", "list_topics", "Topics[].TopicArn"),
    Listing("sns", "list_subscriptions", "Subscriptions[].SubscriptionArn"),
    Listing("dynamodb", "list_tables", "TableNames[]"),
    Listing("ssm", "describe_parameters", "Parameters[?!starts_with(Name, '/aws/')].Name"),
    Listing("ecr", "describe_repositories", "repositories[].repositoryName"),
    Listing("acm", "list_certificates", "CertificateSummaryList[].CertificateArn"),
    Listing("kms", "list_aliases", "Aliases[].AliasName"),
)


def inventory(environment: Mapping[str, str]) -> frozenset[str]:
    """Everything in the account that a stack can make, each as "service operation identity".

    What comes and goes with its owner (listeners, rules, routes, policies of a role) is not listed.
    """
    found = {
        f"{listing.service} {listing.operation} {identity}"
        for listing in LISTINGS
        for identity in _listed(environment, listing)
    }
    return frozenset(found | {f"route53 record {name}" for name in _records(environment)})


def _listed(environment: Mapping[str, str], listing: Listing) -> Iterator[str]:
    api = client(listing.service, environment)
    parameters = listing.parameters or ANY
    pages: Callable[[], Any] = lambda: api.get_paginator(listing.operation).paginate(**parameters)  # noqa: E731
    answers = pages() if api.can_paginate(listing.operation) else [getattr(api, listing.operation)(**parameters)]
    for answer in answers:
        yield from jmespath.search(listing.path, answer) or ()


def _records(environment: Mapping[str, str]) -> Iterator[str]:
    """Records of all hosted zones but those that a zone is born with."""
    api = client("route53", environment)
    for zone in api.list_hosted_zones()["HostedZones"]:
        for record in api.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]:
            if record["Type"] not in ("NS", "SOA"):
                yield f"{record['Name']} {record['Type']}"
