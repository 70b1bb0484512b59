"""What can be wrong with an instance."""

from localcloud.errors import LocalCloudError


class InstanceError(LocalCloudError):
    """An instance cannot be started as told; the text names what and why, in one line."""
