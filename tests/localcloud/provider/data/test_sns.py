import json
from typing import Any

import pytest

TOPIC = "aws:sns/topic:Topic"
POLICY = "aws:sns/topicPolicy:TopicPolicy"
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
INPUTS = {"displayName": "Alarms", "kmsMasterKeyId": "alias/aws/sns", "tags": {"Team": "shop"}}
QUEUE = "arn:aws:sqs:eu-west-1:123456789012:alarms"


def allow(arn: str, service: str = "cloudwatch.amazonaws.com") -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sns:Publish", "Resource": arn}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_a_topic_changes_in_place(engine: Any) -> None:
    topic = engine.create(TOPIC, INPUTS)
    assert topic.outputs["arn"] == topic.id == f"arn:aws:sns:eu-west-1:123456789012:{topic.inputs['name']}"
    assert INPUTS.items() <= topic.imported().items()
    topic.update(displayName="Alerts", tags={"Stage": "dev"})
    topic.update(displayName=None, kmsMasterKeyId=None)
    assert topic.diff(name="another").replaces == ("name",)
    topic.delete()


def test_a_topic_changed_behind_our_back_is_seen(engine: Any) -> None:
    topic = engine.create(TOPIC, INPUTS)
    engine.api.call("sns", "set_topic_attributes", TopicArn=topic.id, AttributeName="KmsMasterKeyId", AttributeValue="")
    assert topic.refresh()["kmsMasterKeyId"] == ""


def test_a_topic_policy_that_goes_leaves_the_default(engine: Any) -> None:
    topic = engine.create(TOPIC, {})
    policy = engine.create(POLICY, {"arn": topic.id, "policy": allow(topic.id)})
    topic.assert_unchanged()
    policy.update(policy=allow(topic.id, "events.amazonaws.com"))
    assert json.loads(policy.imported()["policy"]) == json.loads(allow(topic.id, "events.amazonaws.com"))
    assert policy.imported()["arn"] == topic.id
    assert policy.diff(arn=f"{topic.id}2").replaces == ("arn",)
    engine.package.types[POLICY].delete(engine.api, policy.id, policy.inputs, policy.outputs)
    assert "__default_policy_ID" in policy.refresh()["policy"]
    topic.delete()
    assert policy.refresh() is None


def test_a_subscription_by_mail_stays_pending(engine: Any) -> None:
    topic = engine.create(TOPIC, {})
    subscription = engine.create(SUBSCRIPTION, {"topic": topic.id, "protocol": "email", "endpoint": "ops@example.org"})
    assert subscription.outputs["pendingConfirmation"] is True
    assert subscription.outputs["confirmationWasAuthenticated"] is False
    assert subscription.diff(endpoint="dev@example.org").replaces == ("endpoint",)
    subscription.delete()


def test_a_subscription_changes_its_filter_in_place(engine: Any) -> None:
    topic = engine.create(TOPIC, {})
    inputs = {"topic": topic.id, "protocol": "sqs", "endpoint": QUEUE, "rawMessageDelivery": True}
    subscription = engine.create(SUBSCRIPTION, {**inputs, "filterPolicy": '{"level": ["high"]}'})
    assert subscription.outputs["pendingConfirmation"] is False
    assert inputs.items() <= subscription.imported().items()
    subscription.update(filterPolicy='{"level": ["low"]}', rawMessageDelivery=None)
    subscription.update(filterPolicy=None)
    subscription.delete()


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("topic", "alarms", "topic must be the ARN of a topic, got 'alarms'"),
        ("protocol", "pigeon", "protocol must be one of email"),
        ("endpoint", "nobody", "endpoint must be one of protocol email, got 'nobody'"),
        ("filterPolicy", "{", "text that is no JSON"),
    ],
)
def test_what_sns_refuses_of_a_subscription(engine: Any, name: str, value: str, reason: str) -> None:
    inputs = {"topic": "arn:aws:sns:eu-west-1:123456789012:a", "protocol": "email", "endpoint": "ops@example.org"}
    assert reason in engine.refusals(SUBSCRIPTION, {**inputs, name: value})[name]


def test_what_sns_refuses_of_a_topic(engine: Any) -> None:
    assert "name must be 1 to 256 letters" in engine.refusals(TOPIC, {"name": "a.b"})["name"]
    nobody = {"arn": "arn:aws:sns:eu-west-1:123456789012:a", "policy": '{"Statement": [{"Effect": "Allow"}]}'}
    assert "must have Action or NotAction and" in engine.refusals(POLICY, nobody)["policy"]
    assert "does not apply property fifoTopic" in engine.refusals(TOPIC, {"fifoTopic": True})["fifoTopic"]
