"""Brings a stack up with the image that comes next in its registry, and releases it; in the cloud or on AWS alike."""

import time

from cli.local.interrupt import ending_engine
from cli.project import Project
from cli.release.conduct import launch
from cli.release.gap import gap_of
from cli.release.options import Pace
from cli.release.place import Place, place_of
from cli.release.planning import plan_of
from ecr.transfer import Repository
from pipeline.stages import Stage
from release.adapters.ecr_copy import Reference, copy_image
from release.errors import InfrastructureFailed, Refused
from release.machine import Phase

POLL_SECONDS = 2.0


def source_of(stage: Stage, given: Reference | str | None) -> Reference | None:
    """The image that is to come to a stack, where it is now: the one given, or what the stack before serves.

    None for a stack that builds its own. Raises Refused where there is none.
    """
    if stage.builds:
        return None
    if isinstance(given, Reference):
        return given
    if stage.follows is None:
        raise Refused(
            f"{stage.name} builds no image and follows no stack: give it one with --image REGISTRY/NAME@DIGEST"
        )
    with place_of(stage.follows) as before:
        return serving(before) if given is None else Reference.parse(f"{before.exports['repositoryUrl']}@{given}")


def provisioned(place: Place, project: Project, source: Reference | None) -> Reference:
    """The stack is up, its live servers are healthy, and the image is in its registry: that image.

    Raises InfrastructureFailed, ImageNotCopied.
    """
    again = f"what is made so far stays; `teal ci provision {place.name}` goes on from there"
    what = f"pulumi up -s {place.name}"
    with place.steps.step(what, usual_seconds=20), ending_engine(again, place.steps.remark):
        exports = place.program.up(project.policy_packs)
    repository_url = str(exports["repositoryUrl"])
    if source is None:
        image = Reference.parse(f"{repository_url}@{exports['candidate']}")
    else:
        image = _brought(place, source, repository_url)
    _await_healthy(place)
    return image


def released(place: Place, digest: str, pace: Pace) -> Phase | None:
    """How the release of a digest ended; None where it is paused. DONE at once where it is live already."""
    state = place.ledger.read()
    if state.release is None and state.side(state.live).digest == digest:
        place.steps.remark(f"{place.name} serves {digest} already.")
        return Phase.DONE
    plan = plan_of(place, digest, state, pace)
    return launch(place, plan, gap_of(place, plan, state, pace))


def serving(place: Place) -> Reference:
    """The image that a stack serves. Raises Refused where there is none, or another may be next."""
    state = place.ledger.read()
    if state.release:
        raise Refused(
            f"release {state.release.release_id} is in flight in {place.name}: what it ends with is not known"
        )
    digest = state.side(state.live).digest
    if not state.is_released or not digest:
        raise Refused(f"{place.name} serves nothing yet, so there is nothing to take on from there")
    return Reference.parse(f"{place.exports['repositoryUrl']}@{digest}")


def _brought(place: Place, source: Reference, repository_url: str) -> Reference:
    wanted = Reference.parse(f"{repository_url}@{source.digest}")
    with place.steps.step(f"Image from {source.repository_url}", usual_seconds=5) as step:
        sent = copy_image(
            Repository(place.new_client("ecr", source.region), source.repository_name, source.account),
            Repository(place.client("ecr"), wanted.repository_name, wanted.account),
            source.digest,
        )
        step.detail = f"{sent / 1e6:.1f} MB" if sent else "is there already"
    return wanted


def _await_healthy(place: Place) -> None:
    """Waits until the live colour has all its servers, if it has any. Raises InfrastructureFailed."""
    state = place.ledger.read()
    wanted = state.side(state.live).capacity if state.is_released else 0
    deadline = time.monotonic() + place.settings.ready_seconds
    with place.steps.step(f"Servers of {place.name}", usual_seconds=5) as step:
        while (healthy := place.health(place.routes).healthy()[state.live]) < wanted:
            if time.monotonic() > deadline:
                raise InfrastructureFailed(
                    f"{place.name} has {healthy} of {wanted} healthy servers on {state.live}, "
                    f"{place.settings.ready_seconds} s after its program ran"
                )
            step.detail = f"{healthy} of {wanted} healthy"
            time.sleep(POLL_SECONDS)
        step.detail = f"{healthy} healthy"
