"""`teal local` in a project of somebody else's."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cli.project import find_project
from cli_world import REGION, FakeCloud, Teal
from localcloud.stacks import LocalStack

SHOP = {"repositoryUrl": "registry/shop", "subnets": ["subnet-1"], "token": "[secret]"}


@pytest.fixture
def shop(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stranger's project, below one of Teal's, as the examples are."""
    folder = project / "examples" / "shop"
    folder.mkdir(parents=True)
    (folder / "Pulumi.yaml").write_text("name: shop\nruntime: yaml\n")
    (folder / "Pulumi.dev.yaml").write_text(f"config:\n  aws:region: {REGION}\n  shop:zoneName: stranger.example\n")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, binaries: Path) -> list[str]:
    """The stacks that were brought up by an engine that does nothing else."""
    seen: list[str] = []

    def up(stack: LocalStack, on_event: object = None) -> Mapping[str, Any]:
        seen.append(f"{stack.project.name}/{stack.name}")
        return {}

    monkeypatch.setattr(LocalStack, "up", up)
    monkeypatch.setattr(LocalStack, "preview", lambda *_, **__: {"same": 3})
    monkeypatch.setattr(LocalStack, "shown_exports", lambda stack, secret: {**SHOP, "token": secret})
    return seen


def test_the_nearest_project_is_meant_and_not_teals_own_above_it(
    teal: Teal, shop: Path, cloud: FakeCloud, engine: list[str]
) -> None:
    url = cloud.add_stack("dev", f"{REGION}a")
    ended = teal("local", "up")
    assert (ended.code, ended.out, engine) == (0, f"{url}\n", ["shop/dev"])
    assert "token: [secret]" in ended.err
    told = json.loads(teal("local", "up", "--json").out)
    assert told == {"stack": "dev", "url": url, "exports": SHOP}


@pytest.mark.usefixtures("shop", "engine")
def test_a_preview_asks_nothing_of_settings_that_are_not_teals(teal: Teal, cloud: FakeCloud) -> None:
    cloud.add_stack("dev", f"{REGION}a")
    ended = teal("local", "preview", "dev", "--json")
    assert (ended.code, ended.out) == (0, '{"same": 3}\n'), ended.err


def test_without_a_load_balancer_the_exports_are_what_is_printed(
    teal: Teal, shop: Path, cloud: FakeCloud, engine: list[str]
) -> None:
    ended = teal("local", "up")
    assert (ended.code, ended.out) == (
        0,
        'repositoryUrl: registry/shop\nsubnets: ["subnet-1"]\ntoken: [secret]\n',
    )


def test_the_account_has_the_zone_that_the_project_names(
    teal: Teal, shop: Path, cloud: FakeCloud, engine: list[str]
) -> None:
    teal("local", "up")
    zones = [zone["Name"] for zone in cloud.api.pages("route53", "list_hosted_zones", "HostedZones")]
    assert zones.count("stranger.example.") == 1


def test_images_and_ledger_are_teals_own(teal: Teal, shop: Path, engine: list[str]) -> None:
    ended = teal("local", "up", "--build")
    assert (ended.code, ended.out, engine) == (2, "", [])
    assert "--image and --build are for Teal's own stacks" in ended.told


def test_a_stack_without_a_region_is_one_line(teal: Teal, shop: Path, engine: list[str]) -> None:
    (shop / "Pulumi.dev.yaml").write_text("config: {}\n")
    ended = teal("local", "up")
    assert (ended.code, ended.told) == (1, "teal: aws:region is missing in Pulumi.dev.yaml and in Pulumi.yaml")


def test_releases_are_of_teals_own_project_wherever_below_it_one_is(shop: Path, project: Path) -> None:
    assert find_project().root == project
    assert find_project(takes_any=True).root == shop
