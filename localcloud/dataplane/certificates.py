"""Self-signed certificates for HTTPS listeners: what ACM would have, for a loopback address."""

import datetime
import hashlib
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from localcloud.files import write_atomically

VALID_FOR = datetime.timedelta(days=397)


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """Where a certificate and its private key (mode 0600) lie."""

    chain: Path
    key: Path


class Certificates:
    """Makes one certificate for each set of domains, and keeps it in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def files(self, domains: tuple[str, ...]) -> CertificateFiles:
        """The certificate for domains, localhost and 127.0.0.1. Raises OSError where it cannot be written."""
        digest = hashlib.sha256(" ".join(domains).encode()).hexdigest()[:16]
        files = CertificateFiles(self._folder / f"{digest}.pem", self._folder / f"{digest}.key")
        if not (files.chain.exists() and files.key.exists()):
            chain, key = self_signed(domains)
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomically(files.key, key, mode=0o600)
            write_atomically(files.chain, chain)
        return files


def self_signed(domains: tuple[str, ...]) -> tuple[bytes, bytes]:
    """A certificate and its key, both PEM, for domains, localhost and 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, (domains or ("localhost",))[0][:64])])
    names: list[x509.GeneralName] = [x509.DNSName(domain) for domain in dict.fromkeys((*domains, "localhost"))]
    names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + VALID_FOR)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    key_pem = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return certificate.public_bytes(pem), key_pem
