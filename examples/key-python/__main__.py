"""A KMS key of an environment's own."""

import pulumi
from teal_components import Key

key = Key("main", {"tags": {"Environment": pulumi.get_stack()}})

pulumi.export("keyArn", key.arn)
