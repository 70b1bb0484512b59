"""Previews of what is on AWS: by the user's own credentials, project folder and Pulumi backend."""

from collections.abc import Sequence

from cli.ci.runs import attempt
from cli.engine import get_engine
from cli.project import Project
from cli.steps import Steps
from pipeline.heard import Heard
from pipeline.model import Place, StackPreview
from release.adapters.automation import StackProgram


def aws_previews(project: Project, steps: Steps, names: Sequence[str], seconds: float) -> list[StackPreview]:
    """What the project would change in stacks on AWS. One run of the engine may take so many seconds."""
    engine = get_engine(steps)

    def preview_of(name: str) -> StackPreview:
        program, heard = StackProgram(project.root, name, engine.pulumi_command(), engine.environment()), Heard()
        what, packs = f"Preview of {name} on AWS", project.policy_packs
        failure = attempt(steps, what, 60, seconds, lambda _: program.preview(heard, packs))
        return heard.preview(name, place=Place.AWS, against="AWS", failure=failure)

    return [preview_of(name) for name in names]
