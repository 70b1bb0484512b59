"""The topic that alarms are published to, and who may publish."""

import json
import re
from collections.abc import Sequence

import pulumi
import pulumi_aws as aws
from pulumi_aws import sns

from ..children import Children

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def check_emails(emails: Sequence[str]) -> None:
    """Raises ValueError for an address that can't be one or that comes twice."""
    for email in emails:
        if not _EMAIL.fullmatch(email):
            raise ValueError(f"alarm_emails must be addresses such as ops@example.com, got {email!r}")
    if len({role_of(email) for email in emails}) < len(emails):
        raise ValueError(f"alarm_emails must differ from each other, got {', '.join(emails)}")


def alarm_topic(children: Children, emails: Sequence[str], kms_key_arn: pulumi.Input[str] | None) -> sns.Topic:
    """A topic with a subscription an address, each of which its owner has to confirm.

    Without a key of one's own the topic has SNS's encryption of its disks and no KMS key: the one that AWS manages,
    alias/aws/sns, lets no alarm publish.
    """
    topic = sns.Topic(
        children.name("alarms"),
        kms_master_key_id=kms_key_arn,
        tags=children.tagged("alarms"),
        opts=children.options(),
    )
    account = aws.get_caller_identity_output(opts=children.invoke_options())
    sns.TopicPolicy(
        children.name("publishers"),
        arn=topic.arn,
        policy=pulumi.Output.all(topic.arn, account.account_id).apply(lambda known: topic_policy(*known)),
        opts=children.options(),
    )
    for email in emails:
        sns.TopicSubscription(
            children.name(role_of(email)), topic=topic.arn, protocol="email", endpoint=email, opts=children.options()
        )
    return topic


def topic_policy(topic_arn: str, account_id: str) -> str:
    """Lets this account's CloudWatch alarms publish, and nobody without TLS, as JSON."""
    alarms = {
        "Sid": "AlarmsPublish",
        "Effect": "Allow",
        "Principal": {"Service": "cloudwatch.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": topic_arn,
        "Condition": {"StringEquals": {"aws:SourceAccount": account_id}},
    }
    tls_only = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sns:Publish",
        "Resource": topic_arn,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [alarms, tls_only]})


def role_of(email: str) -> str:
    """What the subscription of this address is called among its siblings, wherever it stands in the list."""
    return "email-" + re.sub(r"[^a-z0-9]+", "-", email.lower()).strip("-")
