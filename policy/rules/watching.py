"""Logs, alarms, topics and secrets."""

from policy.documents import statements
from policy.model import Resource, Stack
from policy.rule import Found, Severity, rule, stack_rule
from policy.types import ALARM, LOG_GROUP, SECRET, SECRET_ROTATION, TOPIC, TOPIC_POLICY

YEAR_DAYS = 365


@rule(
    "log-retention", 47, LOG_GROUP,
    title="Logs are kept for a year, and not for ever by accident",
    reason="Break-ins are found months later; logs of no set end are paid for by those who never read them.",
    remedy="Set retention_in_days to 365 or more.",
)  # fmt: skip
def log_retention(group: Resource) -> Found:
    """Asks for a retention of a year or more, said outright; 0 stands for none."""
    if group.number("retentionInDays", 0) < YEAR_DAYS:
        yield f"retentionInDays is less than {YEAR_DAYS}"


@rule(
    "log-own-key", 47, LOG_GROUP,
    title="Logs are encrypted with a key of one's own",
    reason="Who holds the key decides who reads, whatever other policies say.",
    remedy="Set kms_key_id to the ARN of a key that CloudWatch Logs may use.",
    severity=Severity.LOW,
)  # fmt: skip
def log_own_key(group: Resource) -> Found:
    """Asks for a KMS key."""
    if not group.given("kmsKeyId"):
        yield "it has no KMS key"


@rule(
    "alarm-acts", 47, ALARM,
    title="Alarms tell somebody",
    reason="One that does nothing is found after the trouble.",
    remedy="Set alarm_actions, and leave actions_enabled on.",
)  # fmt: skip
def alarm_acts(alarm: Resource) -> Found:
    """Asks for enabled actions."""
    if not alarm.flag("actionsEnabled", default=True) or not alarm.given("alarmActions"):
        yield "it has no action, or its actions are off"


@stack_rule(
    "secret-rotates", 49, SECRET,
    title="Secrets rotate",
    reason="A secret that never changes is known to everyone who ever worked here.",
    remedy="Add aws.secretsmanager.SecretRotation.",
)  # fmt: skip
def secret_rotates(secret: Resource, stack: Stack) -> Found:
    """Asks for a rotation."""
    if not stack.pointing(secret, "secretId", SECRET_ROTATION):
        yield "nothing rotates it"


@rule(
    "topic-not-public", 49, TOPIC, TOPIC_POLICY,
    title="Topics are closed to strangers",
    reason="Anyone could read alarms, or raise false ones.",
    remedy="Name services or accounts as principals, or add a condition on the source account.",
    severity=Severity.HIGH,
)  # fmt: skip
def topic_not_public(resource: Resource) -> Found:
    """Forbids everyone as a principal without a condition."""
    if any(statement.is_for_everyone for statement in statements(resource, "policy")):
        yield "its policy lets everyone in"


@rule(
    "topic-encrypted", 49, TOPIC,
    title="Topics are encrypted with KMS",
    reason="Messages wait on disks of AWS's until they are delivered.",
    remedy="Set kms_master_key_id to a key that the publishing services may use.",
    severity=Severity.LOW,
)  # fmt: skip
def topic_encrypted(topic: Resource) -> Found:
    """Asks for a KMS key."""
    if not topic.given("kmsMasterKeyId"):
        yield "it has no KMS key"
