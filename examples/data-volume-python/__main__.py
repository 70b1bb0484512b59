"""An encrypted disk that outlives the one server that has it: hand its ARN and the key's to both colours' Fleet."""

import pulumi
from teal_components import DataVolume, Key

tags = {"Environment": pulumi.get_stack()}
key = Key("key", {"tags": tags})
data = DataVolume(
    "data",
    {
        "zone": "eu-west-1a",
        "size_gib": 8,
        "kms_key_arn": key.arn,
        "protects": False,
        "tags": tags,
    },
)

pulumi.export("volumeId", data.volume_id)
