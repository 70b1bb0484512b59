"""What can be wrong with an image."""

from localcloud.errors import LocalCloudError


class ImageError(LocalCloudError):
    """An image cannot be packed, pushed, pulled or unpacked; the text names what and why, in one line."""
