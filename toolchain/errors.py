"""What can keep the engine from being had. Every message is one line that says what to do.

ToolchainError
    WrongSetting         an environment variable holds what it must not
    CacheUnusable        the cache folder cannot be written
    DiskFull             too little room to build in
    Busy                 another process builds, and does not end
    NothingFits          the way that TEAL_TOOLCHAIN asks for leads to no engine
    OfficialUnavailable  the official installer cannot be reached, or failed
    MirrorBroken         the mirror folder lacks this engine, or holds a damaged one
    GoMissing            neither Go nor its package can be had
    ModulesUnreachable   the Go modules cannot be downloaded
    BuildFailed          the compiler failed, or what it made does not run
"""


class ToolchainError(Exception):
    """The Pulumi engine cannot be had; the message says what to install or to do."""


class WrongSetting(ToolchainError):
    """An environment variable holds a value that is not allowed."""


class CacheUnusable(ToolchainError):
    """The cache folder cannot be made or written."""


class DiskFull(ToolchainError):
    """The cache folder's disk has too little room."""


class Busy(ToolchainError):
    """Another process has been building for longer than any build takes."""


class NothingFits(ToolchainError):
    """The one way that TEAL_TOOLCHAIN allows leads to no engine."""


class OfficialUnavailable(ToolchainError):
    """The official installer cannot be reached, or failed."""


class MirrorBroken(ToolchainError):
    """The mirror folder lacks this engine, or holds a damaged one."""


class GoMissing(ToolchainError):
    """There is no Go, and the package index gave none."""


class ModulesUnreachable(ToolchainError):
    """The Go module proxy did not give the pinned modules."""


class BuildFailed(ToolchainError):
    """The engine did not compile, or does not run."""
