"""What moto's load balancers accept though AWS refuses it, and what they forget.

moto lets two load balancers have one name and two listeners one port, puts a load balancer into a single zone, makes an
HTTPS listener without a certificate or with an unknown policy, deletes what is protected, takes no more than ten tags,
refuses a deregistration delay of exactly 3600 s, shows a certificate on a listener that went back to HTTP, and does not
know the strict FIPS policies.
install() mends these.
"""

import functools
from collections.abc import Callable
from typing import Any

from moto.elbv2.exceptions import DuplicateListenerError, DuplicateLoadBalancerName, ELBClientError
from moto.elbv2.models import ELBv2Backend, FakeAction
from moto.elbv2.ssl_policies import SSL_POLICIES

MOST_TAGS = 50
LONGEST_DELAY = "3600"
DELAY_KEY = "deregistration_delay.timeout_seconds"


FIPS_OF = {
    "ELBSecurityPolicy-TLS13-1-3-FIPS-2023-04": "ELBSecurityPolicy-TLS13-1-3-2021-06",
    "ELBSecurityPolicy-TLS13-1-3-FIPS-PQ-2025-09": "ELBSecurityPolicy-TLS13-1-3-PQ-2025-09",
    "ELBSecurityPolicy-TLS13-1-2-Res-FIPS-2023-04": "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
    "ELBSecurityPolicy-TLS13-1-2-Res-FIPS-PQ-2025-09": "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
}
"""FIPS policies by the ordinary ones that they are, but for ChaCha20, which FIPS 140 does not know."""


def install() -> None:
    """Mends moto's ELBv2 in this process; a second call changes nothing."""
    for fips, plain in FIPS_OF.items():
        known = SSL_POLICIES[plain]
        ciphers = [cipher for cipher in known["ciphers"] if "CHACHA20" not in cipher]
        SSL_POLICIES.setdefault(fips, {**known, "name": fips, "ciphers": ciphers})
    for name, mend in MENDS.items():
        method = getattr(ELBv2Backend, name)
        if not hasattr(method, "__wrapped__"):
            setattr(ELBv2Backend, name, _bound(method, mend))


def _bound(method: Callable[..., Any], mend: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def mended(self: Any, *arguments: Any, **named: Any) -> Any:
        return mend(method, self, *arguments, **named)

    return mended


def _create_load_balancer(original: Callable[..., Any], self: Any, name: str, **given: Any) -> Any:
    if any(other.name == name for other in self.load_balancers.values()):
        raise DuplicateLoadBalancerName
    subnets = [self.ec2_backend.get_subnet(subnet_id) for subnet_id in given.get("subnet_ids") or []]
    zones = [subnet.availability_zone for subnet in subnets]
    if given.get("loadbalancer_type") in (None, "application") and len(set(zones)) < 2:
        raise ELBClientError(
            "ValidationError", "At least two subnets in two different Availability Zones must be specified"
        )
    if len(set(zones)) < len(zones):
        raise ELBClientError("InvalidConfigurationRequest", "A load balancer takes one subnet a zone")
    for group_id in given.get("security_groups") or []:
        if self.ec2_backend.get_security_group_from_id(group_id) is None:
            raise ELBClientError("InvalidSecurityGroup", f"Security group '{group_id}' does not exist")
    return original(self, name=name, **given)


def _delete_load_balancer(original: Callable[..., Any], self: Any, arn: str) -> Any:
    balancer = self.load_balancers.get(arn)
    if balancer and balancer.attrs.get("deletion_protection.enabled") == "true":
        reason = f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
        raise ELBClientError("OperationNotPermitted", reason)
    return original(self, arn)


def _create_listener(original: Callable[..., Any], self: Any, **given: Any) -> Any:
    balancer = self.load_balancers.get(given["load_balancer_arn"])
    if balancer and any(str(other.port) == str(given["port"]) for other in balancer.listeners.values()):
        raise DuplicateListenerError
    if given["protocol"] == "HTTPS":
        _check_https(self, given["certificate"], given["ssl_policy"])
    return original(self, **given)


def _modify_listener(
    original: Callable[..., Any],
    self: Any,
    arn: str,
    port: str | None = None,
    protocol: str | None = None,
    ssl_policy: str | None = None,
    certificates: list[dict[str, Any]] | None = None,
    actions: list[dict[str, Any]] | None = None,
) -> Any:
    [listener] = self.describe_listeners(load_balancer_arn=None, listener_arns=[arn])
    siblings = self.load_balancers[listener.load_balancer_arn].listeners.values()
    if port is not None and any(str(other.port) == str(port) for other in siblings if other is not listener):
        raise DuplicateListenerError
    self._validate_actions([FakeAction(each) for each in actions or []])
    changed = original(self, arn, port, protocol, ssl_policy, certificates or [], actions or [])
    if changed.protocol == "HTTP":
        changed.certificate, changed.certificates = None, []
    return changed


def _add_tags(original: Callable[..., Any], self: Any, resource_arns: list[str], tags: list[dict[str, str]]) -> None:
    new = self.tagging_service.flatten_tag_list(tags)
    for arn in resource_arns:
        self._get_resource_by_arn(arn)
        if len(self.tagging_service.get_tag_dict_for_resource(arn).keys() | new.keys()) > MOST_TAGS:
            raise ELBClientError("TooManyTags", f"A resource takes {MOST_TAGS} tags at most")
        self.tagging_service.tag_resource(arn, tags)


def _modify_target_group_attributes(
    original: Callable[..., Any], self: Any, target_group_arn: str, attributes: dict[str, Any]
) -> None:
    delay = attributes.get(DELAY_KEY)
    original(self, target_group_arn, {k: v for k, v in attributes.items() if (k, v) != (DELAY_KEY, LONGEST_DELAY)})
    if delay == LONGEST_DELAY:
        self.target_groups[target_group_arn].attributes[DELAY_KEY] = delay


def _check_https(backend: Any, certificate: str | None, ssl_policy: str) -> None:
    if not certificate:
        raise ELBClientError("ValidationError", "A certificate must be specified for HTTPS listeners")
    if not backend._certificate_exists(certificate_arn=certificate):
        raise ELBClientError("CertificateNotFound", f"Certificate '{certificate}' not found")
    if ssl_policy not in SSL_POLICIES:
        raise ELBClientError("SSLPolicyNotFound", f"SSL policy '{ssl_policy}' not found")


MENDS: dict[str, Callable[..., Any]] = {
    "create_load_balancer": _create_load_balancer,
    "delete_load_balancer": _delete_load_balancer,
    "create_listener": _create_listener,
    "modify_listener": _modify_listener,
    "add_tags": _add_tags,
    "modify_target_group_attributes": _modify_target_group_attributes,
}
