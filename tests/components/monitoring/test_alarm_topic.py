import json

import pytest

from components.monitoring.alarm_topic import check_emails, role_of, topic_policy


def test_alarms_of_the_own_account_may_publish_and_nobody_without_tls() -> None:
    allow, deny = json.loads(topic_policy("arn:topic", "123456789012"))["Statement"]
    assert (allow["Effect"], allow["Principal"]) == ("Allow", {"Service": "cloudwatch.amazonaws.com"})
    assert allow["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}
    assert (deny["Effect"], deny["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert allow["Resource"] == deny["Resource"] == "arn:topic"


def test_a_subscription_is_called_after_its_address_not_its_place() -> None:
    assert role_of("Ops.Team+night@example.com") == "email-ops-team-night-example-com"


@pytest.mark.parametrize(
    ("emails", "message"),
    [
        (["ops"], "alarm_emails must be addresses such as ops@example.com, got 'ops'"),
        (["a@example.com", "A@example.com"], "alarm_emails must differ from each other, got a@example.com, A@example"),
    ],
)
def test_a_malformed_or_repeated_address_is_refused(emails: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_emails(emails)
