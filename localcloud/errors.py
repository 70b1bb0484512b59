"""What keeps the embedded cloud from doing as asked; each is one line for the user."""


class LocalCloudError(Exception):
    """One line: what is wrong, and what to do about it."""


class CloudNotRunning(LocalCloudError):
    """There is no embedded cloud here, or no longer."""


class CloudStartFailed(LocalCloudError):
    """The daemon ended, or did not answer in time, while it started."""


class StackFailed(LocalCloudError):
    """The engine ended a run with an error."""
