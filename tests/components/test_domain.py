"""A domain name for a load balancer: its DNS-validated certificate and its address records."""

from typing import Any

import pulumi
import pytest

from components.domain import Domain
from deployed import Deployment, Recorder, deploy

ARGS: dict[str, Any] = {
    "domain_name": "shop.teal.example",
    "zone_name": "teal.example",
    "load_balancer_dns_name": "web-1.eu-west-1.elb.amazonaws.com",
    "load_balancer_zone_id": "Z32O12XQLNTSW2",
}
PROOF = {"resourceRecordName": "_x.shop.teal.example.", "resourceRecordType": "CNAME", "resourceRecordValue": "_y.acm."}


@pytest.fixture(autouse=True)
def certificate_with_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mocks echo inputs; AWS adds the proof to publish, and hands the ARN on once it has found that."""
    echo = Recorder.new_resource

    def new_resource(self: Recorder, made: Any) -> tuple[str, dict[str, Any]]:
        identity, state = echo(self, made)
        if made.typ == "aws:acm/certificate:Certificate":
            state["domainValidationOptions"] = [{"domainName": made.inputs["domainName"], **PROOF}]
        if made.typ == "aws:acm/certificateValidation:CertificateValidation":
            state["certificateArn"] = "arn:issued"
        return identity, state

    monkeypatch.setattr(Recorder, "new_resource", new_resource)


def args(**changes: Any) -> Any:
    return {**ARGS, **changes}


def deployment(**changes: Any) -> Deployment:
    def program() -> None:
        domain = Domain("site", args(**changes))
        pulumi.export("certificate_arn", domain.certificate_arn)
        pulumi.export("url", domain.url)

    return deploy(program)


def test_it_gives_the_address_and_the_certificate_once_issued() -> None:
    assert deployment().exports == {"certificate_arn": "arn:issued", "url": "https://shop.teal.example"}


def test_the_certificate_is_validated_by_dns() -> None:
    resources = deployment(tags={"Team": "shop"}).resources
    certificate, proof = resources["site-certificate"].inputs, resources["site-proof"].inputs
    assert (certificate["domainName"], certificate["validationMethod"]) == ("shop.teal.example", "DNS")
    assert certificate["tags"] == {"Team": "shop", "Name": "site-certificate"}
    assert (proof["name"], proof["type"], proof["records"]) == ("_x.shop.teal.example.", "CNAME", ["_y.acm."])
    assert (proof["zoneId"], proof["ttl"]) == ("Z123", 300)
    assert resources["site-issued"].inputs["certificateArn"] == "arn:site-certificate"


def test_the_name_leads_to_the_load_balancer() -> None:
    inputs = deployment().resources["site-address"].inputs
    assert (inputs["zoneId"], inputs["name"], inputs["type"]) == ("Z123", "shop.teal.example", "A")
    assert inputs["aliases"] == [
        {
            "name": "web-1.eu-west-1.elb.amazonaws.com",
            "zoneId": "Z32O12XQLNTSW2",
            "evaluateTargetHealth": False,
        }
    ]


def test_no_child_is_loose() -> None:
    children = [child for child in deployment().resources.values() if child.type.startswith("aws:")]
    assert [child.parent for child in children] == ["site"] * 4


def test_the_zone_itself_may_be_the_domain() -> None:
    assert deployment(domain_name="teal.example").exports["url"] == "https://teal.example"


def test_the_public_zone_of_that_name_is_asked_for() -> None:
    asked = []

    def zone(wanted: dict[str, Any]) -> dict[str, str]:
        asked.append(wanted)
        return {"zoneId": "Z9"}

    deploy(lambda: Domain("site", args()), lookups={"aws:route53/getZone:getZone": zone})
    assert asked == [{"name": "teal.example", "privateZone": False}]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        (
            {"domain_name": "shop.example.org"},
            "domain_name shop.example.org must be zone_name teal.example or below it",
        ),
        ({"domain_name": "notteal.example"}, "must be zone_name teal.example or below it"),
        ({"domain_name": "https://shop.teal.example"}, "domain_name must be a host name in lower case"),
        ({"domain_name": "Shop.teal.example"}, "domain_name must be a host name in lower case"),
        ({"domain_name": "shop..teal.example"}, "domain_name must be a host name"),
        ({"domain_name": "-shop.teal.example"}, "domain_name must be a host name"),
        ({"domain_name": f"{'s' * 64}.teal.example"}, "domain_name must be a host name"),
        ({"domain_name": f"{'s' * 60}.teal.example"}, "domain_name has 73 characters; a certificate takes 64 at most"),
        ({"zone_name": "teal.example."}, "zone_name must be a host name"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_made(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Domain("site", args(**changes))
