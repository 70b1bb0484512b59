"""One line of the comment for each thing that a preview says. What is not ours to write stands in code spans."""

from collections.abc import Sequence

from pipeline.dangers import FATES, Fate
from pipeline.markdown import code, codes, counted
from pipeline.model import Change, Danger, Existence, Kind, Place, Property, StackPreview, Threat, Verdict

MOST_PROPERTIES = 6
"""Of one resource; how many more there are is said."""
MOST_VALUES = 10
PAST = {
    Kind.REPLACE: "replaced",
    Kind.DELETE: "deleted",
    Kind.UPDATE: "updated",
    Kind.CREATE: "created",
    Kind.IMPORT: "imported",
}
EXISTENCES = {
    Existence.NEW: "The target branch has no such stack: all of it is new.",
    Existence.GONE: "This change takes its stack file away. What the stack made stays until `pulumi destroy`.",
}
UNNAMED = Fate("resource", "")


def danger_line(danger: Danger) -> str:
    """A danger: what it is and what it means."""
    fate = FATES.get(danger.type, UNNAMED)
    if danger.threat in (Threat.LETS_IN, Threat.LETS_OUT):
        return f"**Security group {_more(danger)}**: {code(danger.name)}, {_from_to(danger.before, danger.after)}"
    noun = fate.noun[:1].upper() + fate.noun[1:]
    if danger.threat is Threat.UNGUARDED:
        what = f"**{noun} loses what keeps it from being deleted**"
        return f"{what}: {code(danger.name)}, by {codes(danger.because, MOST_PROPERTIES)}"
    because = f", because of {codes(danger.because, MOST_PROPERTIES)}" if danger.because else ""
    change = f", {_from_to(danger.before, danger.after)}" if danger.before or danger.after else ""
    order = "; the old one is deleted before the new one is there" if danger.is_gone_first else ""
    meaning = f": {fate.meaning}" if fate.meaning else ""
    return f"**{noun} {danger.threat.value}**: {code(danger.name)}{because}{change}{meaning}{order}"


def change_line(change: Change) -> str:
    """What happens to a resource, and by which properties."""
    told = [_property(each) for each in change.properties[:MOST_PROPERTIES]]
    left = len(change.properties) - len(told)
    told += [f"{left} more"] if left > 0 else []
    order = ", the old one first" if change.is_gone_first else ""
    kept = ", which is only forgotten and stays at AWS" if change.is_kept else ""
    what = f"{PAST[change.kind]}{order}{kept}: {code(change.name)} ({code(change.type)})"
    return f"{what}, {', '.join(told)}" if told else what


def verdict_line(verdict: Verdict) -> str:
    """What a rule says."""
    resource = f", {code(verdict.resource)}" if verdict.resource else ""
    return f"{code(verdict.rule)}{resource}: {code(verdict.message, longest=600)}"


def title(preview: StackPreview) -> str:
    """A stack, and how many of its resources see what."""
    told = [f"{preview.count(kind)} {PAST[kind]}" for kind in Kind if preview.count(kind)]
    if preview.failure is not None:
        told.insert(0, "the preview failed")
    return f"{stack_name(preview)}: {', '.join(told) or 'no resource changes'}"


def stack_name(preview: StackPreview) -> str:
    """A stack, and where it is if not in the embedded cloud."""
    return code(preview.stack, longest=100) + (" on AWS" if preview.place is Place.AWS else "")


def policy_line(preview: StackPreview) -> str:
    """What policy says of a stack, in numbers."""
    told = [
        counted(preview.broken, "mandatory rule is broken", "mandatory rules are broken"),
        counted(len(preview.verdicts) - preview.broken, "piece of advice", "pieces of advice"),
        f"{counted(preview.undecided, 'question')} to be decided in the update",
    ]
    return f"**Policy**: {', '.join(told)}."


def _more(danger: Danger) -> str:
    if danger.threat is Threat.LETS_OUT:
        return "lets out more"
    return "lets everyone in" if any("/0" in opening for opening in danger.after) else "lets in more"


def _from_to(before: Sequence[str], after: Sequence[str]) -> str:
    return f"from {codes(before, MOST_VALUES) or 'nothing'} to {codes(after, MOST_VALUES) or 'nothing'}"


def _property(found: Property) -> str:
    forces = " (forces it)" if found.forces else ""
    if found.before is None and found.after is None:
        return f"{code(found.path)}{forces}"
    before, after = (code(value) if value is not None else "nothing" for value in (found.before, found.after))
    return f"{code(found.path)}{forces} from {before} to {after}"
