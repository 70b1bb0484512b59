from collections.abc import Iterator
from typing import Any

import pytest

from localcloud.provider.errors import ApiRefused, ProviderError

CERTIFICATE, VALIDATION = "aws:acm/certificate:Certificate", "aws:acm/certificateValidation:CertificateValidation"
ZONE, RECORD = "aws:route53/zone:Zone", "aws:route53/record:Record"
ALIAS = {"name": "alb-1.eu-west-1.elb.amazonaws.com", "zoneId": "Z2P70J7EXAMPLE", "evaluateTargetHealth": False}


@pytest.fixture
def zone(engine: Any) -> Iterator[Any]:
    made = engine.create(ZONE, {"name": "example.com", "forceDestroy": True, "tags": {"Team": "shop"}})
    yield made
    made.delete()


def test_a_zone_lives(engine: Any, zone: Any) -> None:
    assert zone.outputs["zoneId"] == zone.id
    assert zone.outputs["arn"] == f"arn:aws:route53:::hostedzone/{zone.id}"
    assert zone.outputs["nameServers"]
    zone.update(comment="ours", tags={"Team": "till"})
    assert zone.diff(name="example.org").replaces == ("name",)
    assert {"name": "example.com", "comment": "ours"}.items() <= zone.imported().items()


def test_a_private_zone_follows_its_networks(engine: Any, call: Any, network: Any) -> None:
    other = call("ec2", "create_vpc", CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    zone = engine.create(ZONE, {"name": "inner.example.com", "vpcs": [{"vpcId": network.vpc}]})
    zone.update(vpcs=[{"vpcId": network.vpc}, {"vpcId": other}])
    zone.update(vpcs=[{"vpcId": other}])
    zone.delete()


def test_a_zone_with_records_goes_by_force_only(engine: Any, zone: Any) -> None:
    engine.create(RECORD, {"zoneId": zone.id, "name": "www", "type": "A", "ttl": 60, "records": ["10.0.0.1"]})
    zone.update(forceDestroy=None)
    with pytest.raises(ApiRefused, match="HostedZoneNotEmpty"):
        zone.delete()
    zone.update(forceDestroy=True)


def test_records_live(engine: Any, zone: Any, call: Any) -> None:
    record = engine.create(RECORD, {"zoneId": zone.id, "name": "www", "type": "A", "ttl": 60, "records": ["10.0.0.1"]})
    assert (record.id, record.outputs["fqdn"]) == (f"{zone.id}_www_A", "www.example.com")
    text = engine.create(
        RECORD, {"zoneId": zone.id, "name": "www.example.com", "type": "TXT", "ttl": 60, "records": ["v=spf1 -all"]}
    )
    record.update(ttl=300, records=["10.0.0.1", "10.0.0.2"])
    record.update(ttl=None, records=None, aliases=[ALIAS])
    assert record.diff(name="w3").replaces == ("name",)
    assert record.imported()["aliases"] == [ALIAS]
    record.update(aliases=None, ttl=5, records=["10.0.0.3"])
    changed = {"Name": "www.example.com", "Type": "A", "TTL": 6, "ResourceRecords": [{"Value": "10.0.0.3"}]}
    batch = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": changed}]}
    call("route53", "change_resource_record_sets", HostedZoneId=zone.id, ChangeBatch=batch)
    assert record.refresh()["ttl"] == 6
    record.delete()
    text.assert_unchanged()


def test_a_record_that_is_there_is_overwritten_only_where_allowed(engine: Any, zone: Any) -> None:
    inputs = {"zoneId": zone.id, "name": "www", "type": "A", "ttl": 60, "records": ["10.0.0.1"]}
    engine.create(RECORD, inputs)
    with pytest.raises(ApiRefused, match="already exists"):
        engine.create(RECORD, {**inputs, "records": ["10.0.0.2"]})
    engine.create(RECORD, {**inputs, "records": ["10.0.0.2"], "allowOverwrite": True})


def test_a_certificate_is_proven_by_its_record(engine: Any, zone: Any) -> None:
    certificate = engine.create(
        CERTIFICATE,
        {
            "domainName": "www.example.com",
            "subjectAlternativeNames": ["api.example.com"],
            "validationMethod": "DNS",
            "tags": {"Team": "shop"},
        },
    )
    proofs = certificate.outputs["domainValidationOptions"]
    assert [proof["domainName"] for proof in proofs] == ["www.example.com", "api.example.com"]
    names = [proof["resourceRecordName"] for proof in proofs]
    for proof in proofs:
        engine.create(
            RECORD,
            {
                "zoneId": zone.id,
                "name": proof["resourceRecordName"],
                "type": proof["resourceRecordType"],
                "records": [proof["resourceRecordValue"]],
                "ttl": 300,
                "allowOverwrite": True,
            },
        )
    with pytest.raises(ProviderError, match="validationRecordFqdns must name"):
        engine.create(VALIDATION, {"certificateArn": certificate.id, "validationRecordFqdns": names[:1]})
    issued = engine.create(VALIDATION, {"certificateArn": certificate.id, "validationRecordFqdns": names})
    assert issued.outputs["certificateArn"] == certificate.id
    certificate.update(tags={"Team": "till"})
    assert certificate.diff(domainName="w3.example.com").replaces == ("domainName",)
    assert certificate.imported()["domainName"] == "www.example.com"
    certificate.delete()
    assert issued.refresh() is None


@pytest.mark.parametrize(
    ("token", "inputs", "reason"),
    [
        (CERTIFICATE, {"domainName": "a b", "validationMethod": "DNS"}, "a host name"),
        (CERTIFICATE, {"domainName": "a.example.com", "validationMethod": "EMAIL"}, "one of DNS, got 'EMAIL'"),
        (RECORD, {"zoneId": "Z", "name": "a", "type": "Q", "ttl": 1, "records": ["x"]}, "got 'Q'"),
        (RECORD, {"zoneId": "Z", "name": "a", "type": "A"}, "records must be given"),
        (RECORD, {"zoneId": "Z", "name": "a", "type": "A", "ttl": 1, "aliases": [ALIAS]}, "ttl must not be given"),
        (RECORD, {"zoneId": "Z", "name": "a", "type": "CNAME", "ttl": 1, "records": ["x", "y"]}, "hold one name"),
        (RECORD, {"zoneId": "Z", "name": "a", "type": "A", "aliases": [ALIAS, ALIAS]}, "takes one, got 2"),
    ],
)
def test_what_aws_refuses_is_refused(engine: Any, token: str, inputs: dict[str, Any], reason: str) -> None:
    assert reason in " ".join(engine.refusals(token, inputs).values())
