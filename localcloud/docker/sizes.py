"""What a container may use of this machine, by the type of the instance that it stands for."""

from dataclasses import dataclass

from moto.ec2.models.instance_types import INSTANCE_TYPES

MIB = 1024 * 1024
MEMORY_SHARE = 0.25
"""Of the type's memory: the rest is for what an instance has beside its container, and several must fit here."""
LEAST_MEMORY_MIB = 128
PROCESSES = 512
"""As on an instance (components/boot/instance_boot.py)."""
SMALLEST = "t4g.small"
"""Stands for a type that is not known."""


@dataclass(frozen=True, slots=True)
class Size:
    """Most that a container gets."""

    processors: float
    memory_bytes: int


def size_of(instance_type: str, processors_here: int) -> Size:
    """A type's processors, as far as this machine has them, and a quarter of its memory."""
    known = INSTANCE_TYPES.get(instance_type) or INSTANCE_TYPES[SMALLEST]
    processors = min(known["VCpuInfo"]["DefaultVCpus"], processors_here)
    memory_mib = max(int(known["MemoryInfo"]["SizeInMiB"] * MEMORY_SHARE), LEAST_MEMORY_MIB)
    return Size(float(processors), memory_mib * MIB)
