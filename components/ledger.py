"""The table that an environment's releases are written to, and the pointer by which it is found."""

from collections.abc import Mapping
from typing import NotRequired, TypedDict

import pulumi
from pulumi_aws import dynamodb, ssm

from .children import Children
from .former_names import remembering
from .parameters import parameter_name

PARTITION_KEY = "pk"
SORT_KEY = "sk"


class LedgerArgs(TypedDict):
    """What a Ledger is made from."""

    environment: str
    """Name of the environment; the pointer is the SSM parameter /teal/<environment>/ledger."""
    seed: pulumi.Input[str]
    """First item, in DynamoDB's JSON with its keys pk and sk. Written once: releases own it from then on."""
    protects: NotRequired[bool]
    """Whether neither Pulumi nor AWS may delete the table; default true."""
    tags: NotRequired[Mapping[str, pulumi.Input[str]]]
    """Put on the table and the pointer, beside their own Name."""


class Ledger(pulumi.ComponentResource):
    """A DynamoDB table, encrypted and restorable to any second of the last 35 days, with one item of state in it.

    The pointer is written last, so whoever finds it can read the item. Raises ValueError for an environment that
    parameters can't be named after.
    """

    table_name: pulumi.Output[str]
    """Name of the table; its keys are pk and sk, both strings."""
    table_arn: pulumi.Output[str]
    """ARN of the table."""
    parameter_name: pulumi.Output[str]
    """Name of the SSM parameter that holds the table's name."""

    def __init__(self, name: str, args: LedgerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        pointer_name = parameter_name(args["environment"], "ledger")
        protects = args.get("protects", True)
        super().__init__("teal:index:Ledger", name, {}, remembering("teal:index:Ledger", name, opts))
        children = Children(name, args.get("tags", {}), self)
        kept = pulumi.ResourceOptions(protect=protects)

        table = dynamodb.Table(
            children.name("table"),
            billing_mode="PAY_PER_REQUEST",
            hash_key=PARTITION_KEY,
            range_key=SORT_KEY,
            attributes=[{"name": PARTITION_KEY, "type": "S"}, {"name": SORT_KEY, "type": "S"}],
            point_in_time_recovery={"enabled": True},
            server_side_encryption={"enabled": True},
            deletion_protection_enabled=protects,
            tags=children.tagged("table"),
            opts=pulumi.ResourceOptions.merge(children.options(), kept),
        )
        seed = dynamodb.TableItem(
            children.name("seed"),
            table_name=table.name,
            hash_key=PARTITION_KEY,
            range_key=SORT_KEY,
            item=args["seed"],
            opts=pulumi.ResourceOptions.merge(children.options(ignoring=("item",)), kept),
        )
        pointer = ssm.Parameter(
            children.name("pointer"),
            name=pointer_name,
            description="Name of the table that this environment's releases are written to",
            type="String",
            value=table.name,
            tags=children.tagged("pointer"),
            opts=pulumi.ResourceOptions.merge(children.following(seed).options(), kept),
        )

        self.table_name = table.name
        self.table_arn = table.arn
        self.parameter_name = pointer.name
        self.register_outputs(
            {"table_name": self.table_name, "table_arn": self.table_arn, "parameter_name": self.parameter_name}
        )
