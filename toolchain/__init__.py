"""Gets the real Pulumi engine: an installed CLI, the official installer's, or a build from pinned Go modules."""

from toolchain.errors import ToolchainError
from toolchain.install import ensure, export
from toolchain.located import Source, Toolchain
from toolchain.progress import Progress, Report

__all__ = ["Progress", "Report", "Source", "Toolchain", "ToolchainError", "ensure", "export"]
