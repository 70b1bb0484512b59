"""The table that releases are written to."""

import json

import pulumi
from teal_components import Ledger

ledger = Ledger(
    "book",
    {
        "environment": f"ledger-{pulumi.get_stack()}",
        "seed": json.dumps({"pk": {"S": "state"}, "sk": {"S": "now"}, "live": {"S": "blue"}}),
        "protects": False,
        "tags": {"Environment": pulumi.get_stack()},
    },
)

pulumi.export("tableName", ledger.table_name)
pulumi.export("parameterName", ledger.parameter_name)
