"""ACM certificates that are validated by DNS, and the wait for their validation."""

import time
from collections.abc import Mapping
from typing import Any

from localcloud.provider.errors import ProviderError
from localcloud.provider.kind import AwsType, Change, Create, Failures, Prop, Read, Tags
from localcloud.provider.kinds.bounds import among, spelled
from localcloud.provider.kinds.common import by_id, deletes
from localcloud.provider.tags import as_list, as_map
from localcloud.provider.values import Properties

DOMAIN = r"(?=.{1,253}$)(\*\.)?(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9-]{1,63}"
VALIDATION_SECONDS = 120
POLL_SECONDS = 0.2
ARN_AS_ID = by_id("CertificateArn")


def _tags_at_create(change: Change) -> dict[str, Any]:
    tags = change.inputs.get("tags")
    return {"Tags": as_list(tags)} if tags else {}


def _retags(change: Change, put: dict[str, str], drop: list[str]) -> None:
    if put:
        change.call("add_tags_to_certificate", CertificateArn=change.id, Tags=as_list(put))
    if drop:
        change.call("remove_tags_from_certificate", CertificateArn=change.id, Tags=[{"Key": key} for key in drop])


def _names_found(found: Mapping[str, Any]) -> list[str]:
    """The alternative names but the domain itself, which ACM lists among them."""
    return sorted(set(found.get("SubjectAlternativeNames") or []) - {found["DomainName"]})


def _validation_options(_: Change, found: Mapping[str, Any]) -> list[dict[str, str]]:
    """The record that proves each name, the domain's own first."""
    options = [
        {
            "domainName": option["DomainName"],
            "resourceRecordName": option["ResourceRecord"]["Name"],
            "resourceRecordType": option["ResourceRecord"]["Type"],
            "resourceRecordValue": option["ResourceRecord"]["Value"],
        }
        for option in found.get("DomainValidationOptions") or []
        if "ResourceRecord" in option
    ]
    return sorted(options, key=lambda option: (option["domainName"] != found["DomainName"], option["domainName"]))


def _alternative_names(inputs: Properties) -> Failures:
    for name in inputs.get("subjectAlternativeNames") or []:
        yield from spelled("subjectAlternativeNames", DOMAIN, "host names, perhaps with *. in front")(
            {"subjectAlternativeNames": name}
        )


CERTIFICATE = AwsType(
    token="aws:acm/certificate:Certificate",
    service="acm",
    properties={
        "domainName": Prop(required=True),
        "subjectAlternativeNames": Prop(read=_names_found),
        "validationMethod": Prop(required=True, read=lambda _: "DNS"),
        "tags": Prop(),
    },
    create=Create("request_certificate", "CertificateArn"),
    reads=(
        Read("describe_certificate", ARN_AS_ID, "Certificate"),
        Read("list_tags_for_certificate", ARN_AS_ID, "{Tags: Tags}"),
    ),
    delete=deletes("delete_certificate", "CertificateArn"),
    outputs={"arn": "CertificateArn", "domainValidationOptions": _validation_options, "type": "Type"},
    tags=Tags(_tags_at_create, lambda _, found: as_map(found.get("Tags")), _retags),
    rules=(
        spelled("domainName", DOMAIN, "a host name, perhaps with *. in front"),
        among("validationMethod", "DNS"),
        _alternative_names,
    ),
)


def _waits(change: Change, answer: dict[str, Any]) -> str:
    """Until the certificate is issued; its time of issue is the id. Raises ProviderError at the deadline."""
    certificate = answer["Certificate"]
    _check_records(change.inputs.get("validationRecordFqdns"), certificate)
    deadline = time.monotonic() + VALIDATION_SECONDS
    while certificate["Status"] != "ISSUED":
        if certificate["Status"] != "PENDING_VALIDATION" or time.monotonic() > deadline:
            raise ProviderError(
                f"certificate {certificate['CertificateArn']} is {certificate['Status']}, not ISSUED,"
                f" after {VALIDATION_SECONDS} s"
            )
        time.sleep(POLL_SECONDS)
        found = change.call("describe_certificate", CertificateArn=certificate["CertificateArn"])
        certificate = found["Certificate"]
    return str(certificate["IssuedAt"])


def _check_records(given: list[str] | None, certificate: Mapping[str, Any]) -> None:
    """Raises ProviderError where the program names records, but not those that prove the certificate's names."""
    if given is None:
        return
    wanted = {option["ResourceRecord"]["Name"].rstrip(".") for option in certificate["DomainValidationOptions"]}
    if missing := sorted(wanted - {name.rstrip(".") for name in given}):
        raise ProviderError(f"validationRecordFqdns must name {', '.join(missing)}, got {', '.join(given) or 'none'}")


def _certificate_of(change: Change) -> dict[str, Any]:
    return {"CertificateArn": change.inputs["certificateArn"]}


def _forgets(_: Change) -> None:
    """Nothing to remove: it only waited."""


CERTIFICATE_VALIDATION = AwsType(
    token="aws:acm/certificateValidation:CertificateValidation",
    service="acm",
    properties={
        "certificateArn": Prop(required=True),
        "validationRecordFqdns": Prop(read=lambda _: None),
    },
    create=Create("describe_certificate", _waits, of=frozenset({"validationRecordFqdns"})),
    reads=(Read("describe_certificate", _certificate_of, "Certificate", gone_if="Status != 'ISSUED'"),),
    delete=_forgets,
)

TYPES = (CERTIFICATE, CERTIFICATE_VALIDATION)
