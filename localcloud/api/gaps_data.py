"""What moto lacks of the services that keep data, messages, logs and keys, put right in process."""

import json
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.dynamodb.responses import DynamoHandler
from moto.kms.responses import KmsResponse
from moto.logs.responses import LogsResponse
from moto.sns.models import SNSBackend, Subscription

NEEDS_A_CLICK = ("email", "email-json")

_subscribe = SNSBackend.subscribe
_update_table = DynamoHandler.update_table
_enable_key_rotation = KmsResponse.enable_key_rotation


def _subscribe_pending(backend: Any, topic_arn: str, endpoint: str, protocol: str) -> Subscription:
    """moto confirms every subscription; an address by mail stays pending until its owner follows a link."""
    is_known = any(
        (old.topic_arn, old.endpoint, old.protocol) == (topic_arn, endpoint, protocol)
        for old in backend.subscriptions.values()
    )
    subscription: Subscription = _subscribe(backend, topic_arn, endpoint, protocol)
    if protocol in NEEDS_A_CLICK and not is_known:
        subscription.attributes |= {"PendingConfirmation": True, "ConfirmationWasAuthenticated": False}
    return subscription


def _update_table_encrypted(handler: Any) -> ActionResult:
    """moto takes SSESpecification when it creates a table, and drops it when it updates one."""
    answer = _update_table(handler)
    wanted = handler.body.get("SSESpecification")
    if wanted is None:
        return answer
    table = handler.dynamodb_backend.get_table(handler.body["TableName"])
    if wanted.get("Enabled") and "KMSMasterKeyId" not in wanted:
        region, account = table.table_arn.split(":")[3:5]
        wanted["KMSMasterKeyId"] = table._get_default_encryption_key(account, region)
    table.sse_specification = wanted
    return type(answer)(table.describe())


def _enable_rotation_by_period(response: Any) -> str:
    """moto drops RotationPeriodInDays."""
    answer: str = _enable_key_rotation(response)
    _key(response).rotation_period_in_days = response._get_param("RotationPeriodInDays") or 365
    return answer


def _rotation_status(response: Any) -> str:
    key = _key(response)
    told: dict[str, Any] = {"KeyId": key.id, "KeyRotationEnabled": key.key_rotation_status}
    if key.key_rotation_status:
        told["RotationPeriodInDays"] = getattr(key, "rotation_period_in_days", 365)
    return json.dumps(told)


def _key(response: Any) -> Any:
    key_id = response._get_param("KeyId")
    response._validate_key_id(key_id)
    return response.kms_backend.describe_key(response.kms_backend.get_key_id(key_id))


def _associate_key(response: Any) -> ActionResult:
    """moto knows a log group's key from its creation only."""
    _log_group(response).kms_key_id = response._get_param("kmsKeyId")
    return EmptyResult()


def _disassociate_key(response: Any) -> ActionResult:
    _log_group(response).kms_key_id = None
    return EmptyResult()


def _log_group(response: Any) -> Any:
    name = response._get_param("logGroupName")
    response.logs_backend.list_tags_log_group(name)  # raises moto's own error where there is no such group
    return response.logs_backend.groups[name]


def install() -> None:
    """Puts the repairs into moto; doing so again changes nothing."""
    SNSBackend.subscribe = _subscribe_pending
    DynamoHandler.update_table = _update_table_encrypted
    KmsResponse.enable_key_rotation = _enable_rotation_by_period
    KmsResponse.get_key_rotation_status = _rotation_status
    LogsResponse.associate_kms_key = _associate_key
    LogsResponse.disassociate_kms_key = _disassociate_key
