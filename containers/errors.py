"""What can go wrong at work on containers."""


class ContainersError(Exception):
    """Base of all that is reported in one line; the message says which instance and what to do."""


class NoSuchInstance(ContainersError):
    """The environment has no such instance; the message names those that it has."""


class NotRunning(ContainersError):
    """The instance runs no container now; the message says what it does instead."""


class Unanswered(ContainersError):
    """An instance, or whoever speaks for it, did not answer within the deadline or answered what can't be read."""


class NoPlugin(ContainersError):
    """The session-manager-plugin is not installed, or too old; the message says where to get it."""


class NotDrained(ContainersError):
    """The load balancer has not let go of an instance within the deadline; nothing was stopped."""


class NotComeBack(ContainersError):
    """A container that was stopped has not been replaced within the deadline."""


class InstanceEnded(ContainersError):
    """The instance ended, and with it the command that ran inside."""


class BadImage(ContainersError):
    """An image is not what its digest says, lacks a part, or is of a kind that is not dealt with."""


class NoSuchImage(ContainersError):
    """The registry has no such image; the message names those that it has."""


class RegistryRefused(ContainersError):
    """The registry said no; the message has its reason."""
