"""Secrets of a stack file in the embedded cloud, which has a passphrase of its own and can open nobody else's.

Values that were set with the cloud's passphrase (`teal local env`) stay. Whatever is encrypted otherwise, by a key at
AWS or the team's passphrase, gets a stand-in: the stack comes up, and no real secret is needed on this machine.
The format is that of Pulumi's passphrase provider: AES-256-GCM, a key by PBKDF2, the salt with a word to try it on.
"""

import base64
import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml

ROUNDS = 1_000_000
KEY_BYTES, SALT_BYTES, NONCE_BYTES = 32, 8, 12
PROBE = "pulumi"
SECURE, SALT = "secure", "encryptionsalt"


@dataclass(frozen=True, slots=True)
class Seal:
    """What opens and closes values by a passphrase; salt is as Pulumi writes it into stack files."""

    salt: str
    _key: bytes

    @classmethod
    def of(cls, passphrase: str, salt: str) -> "Seal | None":
        """The seal of a stack file's salt; None where it is of another passphrase, or none at all."""
        version, _, rest = salt.partition(":")
        encoded, _, probe = rest.partition(":")
        try:
            seal = cls(salt, _key(passphrase, base64.b64decode(encoded, validate=True)))
        except ValueError:
            return None
        return seal if version == "v1" and seal.opens(probe) else None

    @classmethod
    def new(cls, passphrase: str) -> "Seal":
        """A seal with a salt that nobody has used."""
        salt = secrets.token_bytes(SALT_BYTES)
        key = _key(passphrase, salt)
        return cls(f"v1:{base64.b64encode(salt).decode()}:{cls('', key).close(PROBE)}", key)

    def close(self, text: str) -> str:
        """The text, encrypted."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # only stacks with secrets need it

        nonce = secrets.token_bytes(NONCE_BYTES)
        hidden = AESGCM(self._key).encrypt(nonce, text.encode(), None)
        return ":".join(["v1", base64.b64encode(nonce).decode(), base64.b64encode(hidden).decode()])

    def opens(self, hidden: str) -> bool:
        """Whether this passphrase and salt have encrypted a value."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        version, _, rest = hidden.partition(":")
        nonce, _, text = rest.partition(":")
        try:
            AESGCM(self._key).decrypt(
                base64.b64decode(nonce, validate=True), base64.b64decode(text, validate=True), None
            )
        except (InvalidTag, ValueError):
            return False
        return version == "v1"


def seal_secrets(source: Path, copy: Path, passphrase_file: Path) -> None:
    """Makes the cloud's passphrase open every secret in its own copy of a stack file; without secrets, nothing.

    source is the file that it is a copy of, and holds the salt of whoever set the secrets.
    """
    document = yaml.compose(copy.read_bytes())
    hidden = list(_secrets(document))
    if not isinstance(document, yaml.MappingNode) or not hidden:
        return
    passphrase = passphrase_file.read_text().strip()
    known = (_salt(yaml.compose(source.read_bytes())), _salt(document))
    seals = (Seal.of(passphrase, salt) for salt in known if salt)
    seal = next((seal for seal in seals if seal), None) or Seal.new(passphrase)
    for place, value in hidden:
        if not seal.opens(value.value):
            value.value = seal.close(f"stand-in for {place}")
    kept = [(key, value) for key, value in document.value if key.value != SALT]
    document.value = [*kept, (_text(SALT), _text(seal.salt))]
    draft = copy.with_suffix(".new")
    draft.write_text(yaml.serialize(document))
    draft.replace(copy)


def _secrets(node: yaml.Node | None, place: str = "") -> Iterator[tuple[str, yaml.ScalarNode]]:
    """Every encrypted value, with where it is, such as config.app:KEY."""
    if isinstance(node, yaml.SequenceNode):
        for number, each in enumerate(node.value):
            yield from _secrets(each, f"{place}[{number}]")
    if not isinstance(node, yaml.MappingNode):
        return
    for key, value in node.value:
        if key.value == SECURE and len(node.value) == 1 and isinstance(value, yaml.ScalarNode):
            yield place, value
        else:
            yield from _secrets(value, f"{place}.{key.value}" if place else str(key.value))


def _salt(document: yaml.Node | None) -> str | None:
    pairs = document.value if isinstance(document, yaml.MappingNode) else []
    return next((str(value.value) for key, value in pairs if key.value == SALT), None)


def _text(text: str) -> yaml.ScalarNode:
    return yaml.ScalarNode("tag:yaml.org,2002:str", text, style='"')


@lru_cache(maxsize=8)
def _key(passphrase: str, salt: bytes) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", passphrase.encode(), salt, ROUNDS, KEY_BYTES)
