"""The way of an image from stack to stack, as the stacks' settings say it. Nothing here does I/O."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipeline.errors import StagesError


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One stack on the way."""

    name: str
    follows: str | None = None
    """The stack whose image comes here next; None where the way begins."""
    is_automatic: bool = False
    """Whether a merge brings the image here by itself."""
    builds: bool = False
    """Whether the image is built here."""


def in_order(stages: Iterable[Stage]) -> tuple[Stage, ...]:
    """Every stage after the one that it follows; else by name.

    Raises StagesError where a stage follows none of them, where they follow each other in a circle, and where a merge
    would build more than one image.
    """
    known = {stage.name: stage for stage in sorted(stages, key=lambda stage: stage.name)}
    for stage in known.values():
        if stage.follows is not None and stage.follows not in known:
            raise StagesError(
                f"teal:follows of {stage.name} is {stage.follows!r}: there is no such stack, only {', '.join(known)}"
            )
    ordered = tuple(sorted(known.values(), key=lambda stage: (_depth(stage, known), stage.name)))
    building = [stage.name for stage in ordered if stage.builds and stage.is_automatic]
    if len(building) > 1:
        raise StagesError(
            f"{' and '.join(building)} would both build what a merge delivers: an image is built once, "
            "so leave teal:delivery of all but one at manual"
        )
    return ordered


def reached(stages: Iterable[Stage]) -> tuple[Stage, ...]:
    """Those that a merge reaches, of stages in order: who builds, and who follows; a manual one ends the way."""
    found: dict[str, Stage] = {}
    for stage in stages:
        if stage.is_automatic and (stage.builds or stage.follows in found):
            found[stage.name] = stage
    return tuple(found.values())


def chosen(stages: Iterable[Stage], names: Iterable[str]) -> tuple[Stage, ...]:
    """The stages of these names, in their order, automatic or not. Raises StagesError for an unknown name."""
    known, wanted = tuple(stages), set(names)
    unknown = wanted - {stage.name for stage in known}
    if unknown:
        there = ", ".join(stage.name for stage in known) or "none"
        raise StagesError(f"there is no stack {', '.join(sorted(unknown))}: there are {there}")
    return tuple(stage for stage in known if stage.name in wanted)


def _depth(stage: Stage, known: Mapping[str, Stage]) -> int:
    """How many stages come before. Raises StagesError for a circle."""
    passed = [stage.name]
    while stage.follows is not None:
        stage = known[stage.follows]
        if stage.name in passed:
            raise StagesError(f"teal:follows goes in a circle: {' follows '.join([*passed, stage.name])}")
        passed.append(stage.name)
    return len(passed)
