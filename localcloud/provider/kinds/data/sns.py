"""SNS topics, who may publish to them, and who hears of it."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from localcloud.provider.kind import AutoName, AwsType, Change, Create, Failures, Prop, Read, Step
from localcloud.provider.kinds.bounds import among, spelled
from localcloud.provider.kinds.common import ACCOUNT_ID, by_id, deletes
from localcloud.provider.kinds.documents import json_object, resource_policy
from localcloud.provider.tags import listed_tags
from localcloud.provider.translate import text
from localcloud.provider.values import Properties

TOPIC_ATTRIBUTES = {
    "displayName": "DisplayName",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "deliveryPolicy": "DeliveryPolicy",
}
"""No policy: a topic would then tell, and change with, the one that a TopicPolicy gives it."""
SUBSCRIPTION_ATTRIBUTES = {
    "filterPolicyScope": "FilterPolicyScope",  # before the filter, which SNS checks by it
    "filterPolicy": "FilterPolicy",
    "rawMessageDelivery": "RawMessageDelivery",
    "deliveryPolicy": "DeliveryPolicy",
    "redrivePolicy": "RedrivePolicy",
}
PROTOCOLS = ("email", "email-json", "http", "https", "sms", "sqs", "lambda", "firehose")
TOPIC_ARN = r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}"
EVERYTHING = (
    *("GetTopicAttributes", "SetTopicAttributes", "AddPermission", "RemovePermission"),
    *("DeleteTopic", "Subscribe", "ListSubscriptionsByTopic", "Publish"),
)


def default_policy(topic_arn: str) -> str:
    """The policy that SNS gives a topic by itself: everything, to the owner's account."""
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [f"SNS:{action}" for action in EVERYTHING],
        "Resource": topic_arn,
        "Condition": {"StringEquals": {"AWS:SourceOwner": ACCOUNT_ID}},
    }
    return json.dumps({"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]})


def _given(names: Mapping[str, str]) -> Callable[[Change], dict[str, Any]]:
    def attributes(change: Change) -> dict[str, Any]:
        found = {theirs: text(change.inputs[ours]) for ours, theirs in names.items() if ours in change.inputs}
        return {"Attributes": found} if found else {}

    return attributes


def _sets_topic(name: str, attribute: str) -> Step:
    def run(change: Change) -> None:
        value = text(change.inputs.get(name, ""))
        change.call("set_topic_attributes", TopicArn=change.id, AttributeName=attribute, AttributeValue=value)

    return Step(frozenset({name}), run)


TOPIC = AwsType(
    token="aws:sns/topic:Topic",
    service="sns",
    properties={
        "name": Prop(read=lambda found: found["TopicArn"].rsplit(":", 1)[-1]),
        **{
            ours: Prop(resettable=True, read=f"{theirs} || ''")
            for ours, theirs in TOPIC_ATTRIBUTES.items()
        },
        "tags": Prop(),
    },
    create=Create("create_topic", "TopicArn", extra=_given(TOPIC_ATTRIBUTES), of=frozenset(TOPIC_ATTRIBUTES)),
    reads=(
        Read("get_topic_attributes", by_id("TopicArn"), "Attributes"),
        Read("list_tags_for_resource", by_id("ResourceArn")),
    ),
    steps=tuple(_sets_topic(ours, theirs) for ours, theirs in TOPIC_ATTRIBUTES.items()),
    delete=deletes("delete_topic", "TopicArn"),
    outputs={"arn": "TopicArn", "owner": "Owner"},
    tags=listed_tags("tag_resource", "untag_resource", "ResourceArn", "TagKeys"),
    name=AutoName("name", 256),
    rules=(
        spelled("name", r"[A-Za-z0-9_-]{1,256}", "1 to 256 letters, digits, hyphens or underscores"),
        spelled("displayName", r".{0,100}", "at most 100 characters"),
        json_object("deliveryPolicy"),
    ),
)  # fmt: skip


def _puts_policy(change: Change) -> None:
    _set_policy(change, change.inputs["policy"])


def _set_policy(change: Change, policy: str) -> None:
    change.call("set_topic_attributes", TopicArn=change.id, AttributeName="Policy", AttributeValue=policy)


TOPIC_POLICY = AwsType(
    token="aws:sns/topicPolicy:TopicPolicy",
    service="sns",
    properties={
        "arn": Prop(at="TopicArn", required=True),
        "policy": Prop(required=True),
    },
    create=Create(
        "set_topic_attributes",
        lambda change, _: str(change.inputs["arn"]),
        extra=lambda change: {"AttributeName": "Policy", "AttributeValue": change.inputs["policy"]},
        of=frozenset({"policy"}),
    ),
    reads=(Read("get_topic_attributes", by_id("TopicArn"), "Attributes"),),
    steps=(Step(frozenset({"policy"}), _puts_policy),),
    delete=lambda change: _set_policy(change, default_policy(change.id)),  # a topic always has one
    outputs={"owner": "Owner"},
    rules=(spelled("arn", TOPIC_ARN, "the ARN of a topic"), resource_policy("policy", 30720)),
)


def _sets_subscription(name: str, attribute: str) -> Step:
    def run(change: Change) -> None:
        absent = False if name == "rawMessageDelivery" else ""
        change.call(
            "set_subscription_attributes",
            SubscriptionArn=change.id,
            AttributeName=attribute,
            AttributeValue=text(change.inputs.get(name, absent)),
        )

    return Step(frozenset({name}), run)


def _subscribes(change: Change) -> dict[str, Any]:
    return {
        "TopicArn": change.inputs["topic"],
        "ReturnSubscriptionArn": True,
        **_given(SUBSCRIPTION_ATTRIBUTES)(change),
    }


def _flag(attribute: str) -> Callable[[Any], bool]:
    return lambda found: str(found.get(attribute, "false")).lower() == "true"


def _endpoint_fits(inputs: Properties) -> Failures:
    protocol, endpoint = inputs.get("protocol"), str(inputs.get("endpoint", ""))
    patterns = {
        "email": r"[^@\s]+@[^@\s]+",
        "email-json": r"[^@\s]+@[^@\s]+",
        "http": r"http://.+",
        "https": r"https://.+",
        "sms": r"\+?[\d ./-]{3,20}",
    }
    pattern = patterns.get(str(protocol), r"arn:.+")
    if {"protocol", "endpoint"} <= inputs.keys() and not re.fullmatch(pattern, endpoint):
        yield "endpoint", f"endpoint must be one of protocol {protocol}, got {endpoint!r}"


SUBSCRIPTION = AwsType(
    token="aws:sns/topicSubscription:TopicSubscription",
    service="sns",
    properties={
        "topic": Prop(required=True, read="TopicArn"),
        "protocol": Prop(required=True),
        "endpoint": Prop(required=True),
        "filterPolicyScope": Prop(resettable=True, read="FilterPolicyScope || ''"),
        "filterPolicy": Prop(resettable=True, read="FilterPolicy || ''"),
        "rawMessageDelivery": Prop(default=False, read=_flag("RawMessageDelivery")),
        "deliveryPolicy": Prop(resettable=True, read="DeliveryPolicy || ''"),
        "redrivePolicy": Prop(resettable=True, read="RedrivePolicy || ''"),
    },
    create=Create(
        "subscribe",
        "SubscriptionArn",
        extra=_subscribes,
        of=frozenset({"topic", *SUBSCRIPTION_ATTRIBUTES}),
    ),
    reads=(Read("get_subscription_attributes", by_id("SubscriptionArn"), "Attributes"),),
    steps=tuple(_sets_subscription(ours, theirs) for ours, theirs in SUBSCRIPTION_ATTRIBUTES.items()),
    delete=deletes("unsubscribe", "SubscriptionArn"),
    outputs={
        "arn": "SubscriptionArn",
        "ownerId": "Owner",
        "pendingConfirmation": lambda _, found: _flag("PendingConfirmation")(found),
        "confirmationWasAuthenticated": lambda _, found: _flag("ConfirmationWasAuthenticated")(found),
    },
    rules=(
        spelled("topic", TOPIC_ARN, "the ARN of a topic"),
        among("protocol", *PROTOCOLS),
        among("filterPolicyScope", "MessageAttributes", "MessageBody"),
        json_object("filterPolicy"),
        json_object("deliveryPolicy"),
        json_object("redrivePolicy"),
        _endpoint_fits,
    ),
)

TYPES = (TOPIC, TOPIC_POLICY, SUBSCRIPTION)
