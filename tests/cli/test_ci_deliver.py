"""The order of a delivery, with everything that it does replaced; tests/engine/test_ci_deliver.py does it for real."""

import importlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cli.ci.provisioning import serving, source_of
from cli_world import Ended, Teal
from pipeline.stages import Stage
from release.adapters.ecr_copy import Reference
from release.errors import Refused
from release.ledger import State
from release.machine import Phase
from release_world import flight

DIGEST = "sha256:" + "0a" * 32
OTHER = "sha256:" + "0b" * 32


def image(stack: str, digest: str = DIGEST) -> Reference:
    return Reference.parse(f"123456789012.dkr.ecr.eu-west-1.amazonaws.com/{stack}@{digest}")


class Deeds:
    """What was done, in order, and how each stack's release ends."""

    def __init__(self) -> None:
        self.done: list[tuple[str, ...]] = []
        self.outcomes: dict[str, Phase | None] = {}
        self.state = State.first(DIGEST, 2)

    @contextmanager
    def place_of(self, name: str, *, tells_json: bool = False) -> Iterator[Any]:
        ledger = SimpleNamespace(read=lambda: self.state)
        exports = {"repositoryUrl": image(name).repository_url}
        yield SimpleNamespace(name=name, tells_json=tells_json, ledger=ledger, exports=exports)

    def ready_cloud(self, root: Path, stages: Any) -> None:
        self.done.append(("cloud", *(stage.name for stage in stages)))

    def provisioned(self, place: Any, project: object, source: Reference | None) -> Reference:
        self.done.append(("provision", place.name, str(source)))
        return image(place.name, source.digest if source else DIGEST)

    def released(self, place: Any, digest: str, pace: object) -> Phase | None:
        self.done.append(("release", place.name, digest))
        return self.outcomes.get(place.name, Phase.DONE)


@pytest.fixture
def deeds(monkeypatch: pytest.MonkeyPatch) -> Deeds:
    made = Deeds()
    replaced = {
        "cli.ci.provisioning": ("provisioned", "released", "place_of"),
        "cli.release.place": ("place_of",),
        "cli.ci.deliver": ("ready_cloud",),
        "cli.ci.provision": ("ready_cloud",),
    }
    for module, names in replaced.items():
        for name in names:
            monkeypatch.setattr(importlib.import_module(module), name, getattr(made, name))
    return made


def test_what_dev_built_goes_on_by_its_digest_as_far_as_it_is_automatic(teal: Teal, deeds: Deeds) -> None:
    ended = teal("ci", "deliver", "--json")
    assert ended.code == 0
    assert deeds.done == [
        ("cloud", "dev", "qa", "stage"),
        ("provision", "dev", "None"),
        ("release", "dev", DIGEST),
        ("provision", "qa", str(image("dev"))),
        ("release", "qa", DIGEST),
        ("provision", "stage", str(image("qa"))),
        ("release", "stage", DIGEST),
    ]
    assert {each["digest"] for each in json.loads(ended.out)} == {DIGEST}


@pytest.mark.parametrize(("outcome", "code"), [(Phase.ROLLED_BACK, 5), (None, 6)])
def test_a_release_that_does_not_get_to_its_end_ends_the_delivery(
    teal: Teal, deeds: Deeds, outcome: Phase | None, code: int
) -> None:
    deeds.outcomes["qa"] = outcome
    assert teal("ci", "deliver").code == code
    assert [deed[:2] for deed in deeds.done if deed[0] != "cloud"] == [
        ("provision", "dev"),
        ("release", "dev"),
        ("provision", "qa"),
        ("release", "qa"),
    ]


def test_a_stack_by_itself_gets_what_the_one_before_serves(teal: Teal, deeds: Deeds) -> None:
    assert teal("ci", "deliver", "prod").code == 0
    assert deeds.done[1:] == [("provision", "prod", str(image("stage"))), ("release", "prod", DIGEST)]


def test_a_digest_is_taken_from_the_stack_before(teal: Teal, deeds: Deeds) -> None:
    assert teal("ci", "deliver", "prod", "--image", OTHER).code == 0
    assert deeds.done[1:] == [("provision", "prod", str(image("stage", OTHER))), ("release", "prod", OTHER)]


def test_provisioning_releases_nothing_and_tells_a_workflow_the_image(teal: Teal, deeds: Deeds, tmp_path: Path) -> None:
    out = tmp_path / "outputs"

    def provision(*words: str) -> Ended:
        return teal("ci", "provision", *words, "--output", str(out))

    assert provision("dev", "--image", "").out == f"{image('dev')}\n"
    assert provision("qa", "--image", str(image("dev"))).out == f"{image('qa')}\n"
    assert {deed[0] for deed in deeds.done} == {"cloud", "provision"}
    assert out.read_text() == "".join(f"image={image(each)}\ndigest={DIGEST}\n" for each in ("dev", "qa"))


@pytest.mark.usefixtures("deeds")
def test_who_follows_nobody_must_be_given_an_image(teal: Teal, project: Path) -> None:
    with pytest.raises(Refused, match="qa builds no image and follows no stack: give it one with --image"):
        source_of(Stage(name="qa"), None)


def test_what_is_in_flight_or_absent_is_not_taken_on(deeds: Deeds) -> None:
    with deeds.place_of("dev") as place:
        assert serving(place) == image("dev")
        deeds.state = State.initial()
        with pytest.raises(Refused, match="dev serves nothing yet"):
            serving(place)
        deeds.state = in_flight()
        with pytest.raises(Refused, match="release r-1 is in flight in dev: what it ends with is not known"):
            serving(place)


def in_flight() -> Any:
    return SimpleNamespace(release=flight())
