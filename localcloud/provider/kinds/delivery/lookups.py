"""Lookups around delivery: DNS zones, the registry's password, images in it."""

import base64
from typing import Any

from localcloud.provider.api import Api
from localcloud.provider.errors import ProviderError
from localcloud.provider.kinds.common import ACCOUNT_ID
from localcloud.provider.lookups import Lookup
from localcloud.provider.translate import from_aws
from localcloud.provider.values import Properties

BARE_ID = "/hostedzone/"


def _get_zone(api: Api, arguments: Properties) -> Properties:
    if ("zoneId" in arguments) == ("name" in arguments):
        raise ProviderError("aws:route53/getZone:getZone takes either name or zoneId")
    zone_id = arguments.get("zoneId") or _zone_named(api, arguments)
    answer = api.call("route53", "get_hosted_zone", Id=zone_id)
    zone, servers = answer["HostedZone"], answer.get("DelegationSet", {}).get("NameServers", [])
    bare_id = zone["Id"].removeprefix(BARE_ID)
    tags = api.call("route53", "list_tags_for_resource", ResourceType="hostedzone", ResourceId=bare_id)
    return {
        "id": bare_id,
        "zoneId": bare_id,
        "arn": f"arn:aws:route53:::hostedzone/{bare_id}",
        "name": zone["Name"].rstrip("."),
        "comment": zone["Config"].get("Comment", ""),
        "privateZone": zone["Config"]["PrivateZone"],
        "callerReference": zone["CallerReference"],
        "nameServers": sorted(servers),
        "primaryNameServer": servers[0] if servers else "",
        "resourceRecordSetCount": zone["ResourceRecordSetCount"],
        "tags": {tag["Key"]: tag["Value"] for tag in tags["ResourceTagSet"]["Tags"]},
    }


def _zone_named(api: Api, arguments: Properties) -> str:
    name, is_private = arguments["name"].rstrip("."), arguments.get("privateZone", False)
    zones = [
        zone["Id"].removeprefix(BARE_ID)
        for zone in api.pages("route53", "list_hosted_zones", "HostedZones")
        if zone["Name"].rstrip(".") == name and zone["Config"]["PrivateZone"] == is_private
    ]
    if len(zones) != 1:
        kind = "private" if is_private else "public"
        raise ProviderError(f"there must be one {kind} hosted zone {name}, and there are {len(zones) or 'none'}")
    return str(zones[0])


def _get_authorization_token(api: Api, arguments: Properties) -> Properties:
    registry = arguments.get("registryId")
    answer = api.call("ecr", "get_authorization_token", registryIds=[registry] if registry else None)
    data = answer["authorizationData"][0]
    user, _, password = base64.b64decode(data["authorizationToken"]).decode().partition(":")
    return {
        "id": api.region,
        "authorizationToken": data["authorizationToken"],
        "expiresAt": from_aws(data["expiresAt"], {}),
        "password": password,
        "proxyEndpoint": data["proxyEndpoint"],
        "userName": user,
    }


def _get_image(api: Api, arguments: Properties) -> Properties:
    repository = arguments["repositoryName"]
    wanted = {name: arguments[name] for name in ("imageTag", "imageDigest") if name in arguments}
    if bool(wanted) == bool(arguments.get("mostRecent")):
        raise ProviderError("aws:ecr/getImage:getImage takes either imageTag or imageDigest, or mostRecent")
    found: list[dict[str, Any]] = list(
        api.pages(
            "ecr",
            "describe_images",
            "imageDetails",
            repositoryName=repository,
            **({"imageIds": [wanted]} if wanted else {}),
        )
    )
    if not found:
        raise ProviderError(f"there is no image in repository {repository}")
    image = max(found, key=lambda each: each["imagePushedAt"])
    registry = image.get("registryId", ACCOUNT_ID)
    host = f"{registry}.dkr.ecr.{api.region}.amazonaws.com"
    return {
        "id": image["imageDigest"],
        "imageDigest": image["imageDigest"],
        "imagePushedAt": int(image["imagePushedAt"].timestamp()),
        "imageSizeInBytes": image["imageSizeInBytes"],
        "imageTags": sorted(image.get("imageTags", [])),
        "imageUri": f"{host}/{repository}@{image['imageDigest']}",
        "registryId": registry,
    }


LOOKUPS = (
    Lookup(
        token="aws:route53/getZone:getZone",
        arguments=frozenset({"name", "zoneId", "privateZone"}),
        results=frozenset(
            {
                *("id", "zoneId", "arn", "name", "comment", "privateZone", "callerReference", "nameServers"),
                *("primaryNameServer", "resourceRecordSetCount", "tags"),
            }
        ),
        run=_get_zone,
    ),
    Lookup(
        token="aws:ecr/getAuthorizationToken:getAuthorizationToken",  # no secret: a function's name
        arguments=frozenset({"registryId"}),
        results=frozenset({"id", "authorizationToken", "expiresAt", "password", "proxyEndpoint", "userName"}),
        run=_get_authorization_token,
    ),
    Lookup(
        token="aws:ecr/getImage:getImage",
        arguments=frozenset({"repositoryName", "imageTag", "imageDigest", "mostRecent"}),
        results=frozenset(
            {"id", "imageDigest", "imagePushedAt", "imageSizeInBytes", "imageTags", "imageUri", "registryId"}
        ),
        run=_get_image,
    ),
)  # fmt: skip
