"""The environment's registry."""

from typing import Any, Protocol

from botocore.exceptions import ClientError

ABSENT = frozenset({"ImageNotFoundException", "InvalidParameterException"})


class Ecr(Protocol):
    """What is used of boto3's ECR client."""

    def describe_images(self, **arguments: Any) -> Any:
        """Reads what is known of images."""


def has_image(client: Ecr, repository_name: str, digest: str) -> bool:
    """Whether the repository has an image of that digest."""
    try:
        client.describe_images(repositoryName=repository_name, imageIds=[{"imageDigest": digest}])
    except ClientError as error:
        if error.response["Error"]["Code"] not in ABSENT:
            raise
        return False
    return True
