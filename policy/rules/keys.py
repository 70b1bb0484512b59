"""KMS keys."""

from policy.documents import statements
from policy.model import Resource
from policy.rule import Found, Severity, rule
from policy.types import KEY, KEY_POLICY

WAITING_DAYS = 30


@rule(
    "key-rotates", 42, KEY,
    title="KMS keys rotate",
    reason="The less a key has encrypted, the less it opens when it gets out.",
    remedy="Set enable_key_rotation=True.",
)  # fmt: skip
def key_rotates(key: Resource) -> Found:
    """Asks for rotation of symmetric keys, the only ones that can."""
    is_symmetric = key.text("customerMasterKeySpec", "SYMMETRIC_DEFAULT") == "SYMMETRIC_DEFAULT"
    if is_symmetric and not key.flag("enableKeyRotation"):
        yield "enableKeyRotation is off"


@rule(
    "key-not-public", 42, KEY, KEY_POLICY,
    title="KMS keys are closed to strangers",
    reason="A key that everyone may use protects nothing.",
    remedy="Name accounts, roles or services as principals, or add a condition.",
    severity=Severity.CRITICAL,
)  # fmt: skip
def key_not_public(resource: Resource) -> Found:
    """Forbids everyone as a principal without a condition."""
    if any(statement.is_for_everyone for statement in statements(resource, "policy")):
        yield "its policy lets everyone in"


@rule(
    "key-deletion-waits", 42, KEY,
    title="A KMS key that is deleted by mistake can be saved for a month",
    reason="With the key goes everything that it encrypted.",
    remedy="Leave deletion_window_in_days at 30.",
)  # fmt: skip
def key_deletion_waits(key: Resource) -> Found:
    """Asks for the longest wait, which is the default."""
    if key.number("deletionWindowInDays", WAITING_DAYS) < WAITING_DAYS:
        yield f"deletionWindowInDays is less than {WAITING_DAYS}"
