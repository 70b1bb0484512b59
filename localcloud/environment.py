"""Which stacks a project has, and what reaches them in an embedded cloud. Without Pulumi, which takes half a second."""

import re
from pathlib import Path

from localcloud.home import CloudRecord, Home

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "embedded",
    "AWS_SECRET_ACCESS_KEY": "embedded",
    "AWS_EC2_METADATA_DISABLED": "true",
}
STACK_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")


def stack_names(project: Path) -> list[str]:
    """The stacks that the project has a file for, in the order of their names; a stack cannot have any name."""
    found = (path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in project.glob("Pulumi.*.yaml"))
    return sorted(filter(STACK_NAME.fullmatch, found))


def stack_environment(record: CloudRecord, home: Home, region: str) -> dict[str, str]:
    """What a process needs to reach the embedded cloud with pulumi, aws or boto3."""
    return {
        **CREDENTIALS,
        "AWS_ENDPOINT_URL": record.api_url,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "NO_PROXY": "127.0.0.1,localhost",
        # Without sidecar files: a kill while the engine rewrites one leaves a state that it can't load any more.
        "PULUMI_BACKEND_URL": f"{home.backend.as_uri()}?metadata=skip",
        "PULUMI_HOME": str(home.pulumi_home),
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(home.passphrase_file),
        "PULUMI_DEBUG_PROVIDERS": record.debug_providers,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }
