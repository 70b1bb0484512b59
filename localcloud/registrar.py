"""What an AWS account has before any stack comes up: the hosted zones of the domains that it owns."""

import uuid

from localcloud.provider.api import Api


def own_zone(api: Api, zone_name: str) -> None:
    """Makes sure that the account has a public hosted zone of that name, as its owner would have made it by hand."""
    dotted = zone_name.rstrip(".") + "."
    known = {zone["Name"] for zone in api.pages("route53", "list_hosted_zones", "HostedZones")}
    if dotted not in known:
        api.call("route53", "create_hosted_zone", Name=dotted, CallerReference=uuid.uuid4().hex)
