"""Who may do what: IAM."""

from collections.abc import Iterator

from policy.documents import Statement, statements
from policy.model import Block, Resource
from policy.rule import Found, Severity, rule
from policy.types import (
    ATTACHMENT,
    GROUP_ATTACHMENT,
    GROUP_POLICY,
    POLICY,
    ROLE,
    ROLE_ATTACHMENT,
    ROLE_POLICY,
    USER_ATTACHMENT,
    USER_POLICY,
)

DOCUMENTS = (POLICY, ROLE_POLICY, GROUP_POLICY, USER_POLICY, ROLE)
ATTACHMENTS = (ROLE_ATTACHMENT, GROUP_ATTACHMENT, USER_ATTACHMENT, ATTACHMENT)
DECRYPTING = ("kms:Decrypt", "kms:ReEncryptFrom")


def permissions(resource: Resource) -> Iterator[Statement]:
    """What a policy, or the policies in a role, allow."""
    holders: list[Block] = resource.blocks("inlinePolicies") if resource.type == ROLE else [resource]
    return (found for holder in holders for found in statements(holder, "policy") if found.allows)


@rule(
    "iam-no-admin", 39, *DOCUMENTS, *ATTACHMENTS,
    title="Nobody may do everything",
    reason="Whoever takes such a role over has the account.",
    remedy="Name the actions that are needed, and the resources.",
    severity=Severity.CRITICAL,
)  # fmt: skip
def iam_no_admin(resource: Resource) -> Found:
    """Forbids all actions on all resources, and AWS's own policy of that kind."""
    if resource.type in ATTACHMENTS:
        if resource.text("policyArn").endswith(":policy/AdministratorAccess"):
            yield "it attaches AdministratorAccess"
    elif any({"*", "*:*"}.intersection(found.actions) and "*" in found.resources for found in permissions(resource)):
        yield "it allows every action on every resource"


@rule(
    "iam-no-service-wildcard", 39, *DOCUMENTS,
    title="Own policies name actions, not whole services",
    reason="A service gets new actions all the time, and nobody looks at them again.",
    remedy="Name the actions; a prefix such as Get* is the widest.",
)  # fmt: skip
def iam_no_service_wildcard(resource: Resource) -> Found:
    """Forbids service:* and NotAction in what is allowed."""
    for found in permissions(resource):
        wide = [action for action in found.actions if action.endswith(":*") and action != "*:*"]
        if wide or "NotAction" in found.body:
            yield f"it allows {', '.join(wide) or 'all but some actions'}"


@rule(
    "iam-no-user-policy", 40, USER_POLICY, USER_ATTACHMENT, ATTACHMENT,
    title="Permissions belong to roles and groups, not to users",
    reason="A user's own permissions are forgotten when the user's work changes.",
    remedy="Give them to a role or a group.",
    severity=Severity.LOW,
)  # fmt: skip
def iam_no_user_policy(resource: Resource) -> Found:
    """Forbids policies of users."""
    if resource.type in (USER_POLICY, USER_ATTACHMENT) or resource.given("users"):
        yield "it gives a user permissions"


@rule(
    "kms-decrypt-narrow", 41, *DOCUMENTS,
    title="Nobody may decrypt with every key",
    reason="Then one stolen role opens what every other key protects.",
    remedy="Name the keys that are needed.",
    severity=Severity.HIGH,
)  # fmt: skip
def kms_decrypt_narrow(resource: Resource) -> Found:
    """Forbids decrypting with all keys of an account or a region."""
    for found in permissions(resource):
        is_wide = any(each == "*" or each.endswith((":key/*", ":kms:*")) for each in found.resources)
        if is_wide and any(found.covers(action) for action in DECRYPTING):
            yield "it allows decrypting with every key"
