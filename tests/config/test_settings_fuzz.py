"""Settings and stack files as anybody might write them: a bad one is one clear line, a good one is taken throughout.

What an earlier run of these found stands below as an example of its own.
"""

import runpy
from collections.abc import Mapping
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pulumi
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cli.release.judging import rules_of
from components.alarm_topic import check_emails
from components.alarms import Thresholds
from components.app_image import _VERSION
from components.bounds import retention
from components.domain import check_domain
from components.endpoints import check_services
from components.fleet import group_sizes
from components.instance_types import architecture, platform
from components.nat import parse_nat
from components.subnets import plan_subnets
from components.swarm_cluster import manager_count
from components.traffic import target_settings
from config.settings import Settings, SettingsError, of_stack, parse
from config.stack_files import region_of, stack_config
from deployed import ZONES, deploy
from stack_files_made import (
    ALIASES,
    ALONE,
    ANYTHING,
    DECLARED,
    EXAMPLES,
    MOST_ZONES,
    ODDITIES,
    ROOT,
    SIZES,
    WHOLES,
    as_text,
    bounds,
    documents,
    good,
    is_clear,
    told_by,
    written,
)  # fmt: skip

DEFAULTS = {key.removeprefix("teal:"): value for key, value in stack_config(ROOT, "qa").items() if "teal:" in key}
AT_EASE = settings(deadline=None, max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with our Pulumi.yaml, whose stack `odd` is written anew by each example."""
    made = tmp_path_factory.mktemp("fuzzed")
    (made / "Pulumi.yaml").write_bytes((ROOT / "Pulumi.yaml").read_bytes())
    return made


def read(folder: Path, content: bytes) -> Settings:
    (folder / "Pulumi.odd.yaml").write_bytes(content)
    region_of(folder, "odd")
    return of_stack(folder, "odd")


def check_taken(wanted: Settings) -> None:
    """Has every component look at what settings let through. Raises ValueError where one refuses it."""
    plan_subnets(wanted.cidr_block, [f"us-east-1{letter}" for letter in "abcdef"[: wanted.zones]])
    assert str(IPv4Network(wanted.cidr_block)) == wanted.cidr_block
    parse_nat(wanted.nat)
    check_services(wanted.interface_endpoints)
    retention("flow_log_retention_days", wanted.flow_log_retention_days)
    retention("log_retention_days", wanted.log_retention_days)
    architecture(wanted.instance_types)
    group_sizes(wanted.instances, 1, wanted.max_instances)
    manager_count(wanted.swarm_managers)
    assert _VERSION.fullmatch(wanted.version)
    if wanted.domain:
        check_domain(wanted.domain, wanted.zone_name)
    target_settings({
        "vpc_id": "", "load_balancer_arn": "", "weights": {}, "test_colour": "blue", "test_header_value": "x",
        "drain_seconds": wanted.drain_seconds, "slow_start_seconds": wanted.slow_start_seconds,
        "stickiness_seconds": wanted.sticky_seconds,
    })  # fmt: skip
    check_emails(wanted.alarm_emails)
    Thresholds(
        error_share_percent=wanted.error_share_percent,
        latency_p99_seconds=wanted.latency_milliseconds / 1000,
        minutes=2,
    )
    rules_of(wanted)


def test_the_fuzz_knows_every_key() -> None:
    together = {"domain", "zoneName", "steps", "bakeSeconds", *SIZES, "orchestrator", "swarmHost"}
    assert {*ALONE, *together, "buildsImage", "follows", "delivery"} == set(ALIASES)
    assert set(DECLARED) == set(ALIASES)


@pytest.mark.parametrize("key", [*WHOLES, "zones"])
def test_the_bounds_of_a_number_are_those_that_pulumi_yaml_tells(key: str) -> None:
    about = Settings.model_json_schema()["properties"][key]
    assert (about["minimum"], about["maximum"]) == bounds(key)


@AT_EASE
@given(config=good())
@example(config={"domain": "x" * 54 + ".xn--p1ai", "zoneName": "x" * 54 + ".xn--p1ai"})
@example(config={"instanceTypes": ["t3.small"]})
@example(config={"version": "010"})
@example(config={"version": "08"})
@example(config={"version": "1.10"})
@example(config={"hooks": {"done": [{"command": "run", "timeoutSeconds": 86400}]}})
@example(config={"hooks": {"done": [{"command": "run", "timeoutSeconds": 1.7380112128699455e-282}]}})
def test_good_settings_are_read_as_they_were_written_and_taken_by_every_component(
    folder: Path, config: dict[str, Any]
) -> None:
    found = read(folder, written(config))
    check_taken(found)
    told = found.model_dump(by_alias=True, mode="json")
    assert {key: told[key] for key in config if key != "hooks"} == {k: v for k, v in config.items() if k != "hooks"}
    assert found == parse({**DEFAULTS, "policy": "mandatory", **_texts(folder)})


def _texts(folder: Path) -> dict[str, str]:
    config = stack_config(folder, "odd")
    return {key.removeprefix("teal:"): value for key, value in config.items() if key.startswith("teal:")}


@AT_EASE
@given(config=st.dictionaries(st.sampled_from(ALIASES), ANYTHING.map(as_text), min_size=1, max_size=2))
@example(config={"version": "null"})
@example(config={"zones": "9" * 5000})
@example(config={"zones": " 3"})
@example(config={"zones": "3_0"})
@example(config={"zones": "3.0"})
@example(config={"zones": "٣"})
@example(config={"buildsImage": "yes"})
@example(config={"steps": "[true, 100]"})
@example(config={"steps": "[50.0, 100]"})
@example(config={"steps": "[" * 3000})
@example(config={"steps": "[" * 900 + "]" * 900})
@example(config={"bakeSeconds": "[NaN]"})
@example(config={"bakeSeconds": "[" + "9" * 5000 + "]"})
@example(config={"bakeSeconds": str([True] * 5000).lower()})
@example(config={"cidrBlock": "10.0.0.0/255.255.0.0"})
@example(config={"cidrBlock": "10.0.0.0/016"})
@example(config={"cidrBlock": "x" * 100_000})
@example(config={"domain": "\ud800"})
@example(config={"domain": "\x1b[31m"})
@example(config={"domain": ".".join(["x" * 60] * 2) + ".com", "zoneName": "x" * 60 + ".com"})
@example(config={"alarmEmails": '["ann@localhost"]'})
@example(config={"alarmEmails": '["a\\u001cb@c.d"]'})
@example(config={"alarmEmails": '["a.b@c.d", "a-b@c.d"]'})
@example(config={"interfaceEndpoints": '["."]'})
@example(config={"interfaceEndpoints": '["com.amazonaws.eu-west-1.ssm"]'})
@example(config={"interfaceEndpoints": '["ssm", "ssm"]'})
@example(config={"interfaceEndpoints": '["ecr.api", "ecr-api"]'})
@example(config={"instanceTypes": '["t4g.small", "t3.small"]'})
@example(config={"instanceTypes": '["t4g.small", "t4g.small"]'})
@example(config={"instanceTypes": '["small.t4g"]'})
@example(config={"instanceTypes": '["u-6tb1.metal"]'})
@example(config={"hooks": '{"done": [{"command": ["a\\u0000b"]}]}'})
@example(config={"hooks": '{"done": [{"command": "a", "timeoutSeconds": NaN}]}'})
@example(config={"hooks": '{"done": [{"command": "a", "timeoutSeconds": "5"}]}'})
@example(config={"hooks": '{"a\\nb": []}'})
@example(config={"hooks": '{"done": [{"a\\nb": 1, "command": "a"}]}'})
def test_a_value_of_any_kind_is_taken_by_every_component_or_is_one_line_that_names_the_key(
    config: dict[str, str],
) -> None:
    told = told_by(lambda: check_taken(parse({**DEFAULTS, **config})), SettingsError)
    assert is_clear(told, *config), told


@pytest.mark.parametrize("key", WHOLES)
@given(data=st.data())
@settings(deadline=None, max_examples=8)
def test_what_is_no_number_within_the_bounds_is_refused(key: str, data: st.DataObject) -> None:
    low, high = bounds(key)
    beyond = st.integers(max_value=low - 1) | st.integers(min_value=high + 1)
    other = st.sampled_from(["", "x", f"{low}.5", f" {low}", f"+{low}", f"{low}_0", "1e1", "NaN", "true", "null", "[]"])
    value = data.draw(beyond.map(str) | other)
    with pytest.raises(SettingsError) as caught:
        parse({**DEFAULTS, key: value})
    assert is_clear(str(caught.value), f"teal:{key} is ")


@given(
    key=st.text(max_size=12) | st.sampled_from(ALIASES).flatmap(lambda key: st.sampled_from((f"{key}s", key.upper())))
)
@example(key="a\nb")
@example(key="y" * 5000)
@example(key="cidr_block")
def test_an_unknown_key_is_one_line_that_names_it(key: str) -> None:
    if key in ALIASES:
        return
    with pytest.raises(SettingsError) as caught:
        parse({**DEFAULTS, key: "1"})
    assert is_clear(str(caught.value), " is unknown: the keys are those that Pulumi.yaml declares")


@pytest.mark.parametrize(
    ("written", "meant"), [("zone", "zones"), ("cidr_block", "cidrBlock"), ("Instances", "instances")]
)
def test_an_unknown_key_is_told_the_nearest_one(written: str, meant: str) -> None:
    with pytest.raises(SettingsError, match=f"teal:{written} is unknown: .*; did you mean teal:{meant}[?]$"):
        parse({**DEFAULTS, written: "1"})


@pytest.mark.parametrize("content", ODDITIES, ids=range(len(ODDITIES)))
def test_an_oddity_of_yaml_is_read_or_is_one_line(folder: Path, content: bytes) -> None:
    told = told_by(lambda: check_taken(read(folder, content)), SettingsError)
    assert is_clear(told, "Pulumi.odd.yaml", "teal:", "aws:region"), told


@AT_EASE
@given(content=documents() | st.binary(max_size=60))
def test_a_spoilt_stack_file_is_read_or_is_one_line(folder: Path, content: bytes) -> None:
    told = told_by(lambda: check_taken(read(folder, content)), SettingsError)
    assert is_clear(told, "Pulumi.odd.yaml", "teal:", "aws:region"), told


@AT_EASE
@given(content=documents() | st.binary(max_size=60) | st.sampled_from(ODDITIES))
def test_a_spoilt_project_file_is_read_or_is_one_line(folder: Path, content: bytes) -> None:
    other = folder / "other"
    other.mkdir(exist_ok=True)
    (other / "Pulumi.odd.yaml").write_text("config: {aws:region: eu-west-1}\n")
    (other / "Pulumi.yaml").write_bytes(b"name: teal\n" + content)
    told = told_by(lambda: of_stack(other, "odd"), SettingsError)
    assert is_clear(told, "Pulumi.yaml", "Pulumi.odd.yaml", "teal:"), told


TOLD: Mapping[str, str] = {
    "config:\n  teal:zones:\n": "teal:zones is '': input should be a valid integer",
    "config:\n  5: 3\n": "teal:5 in Pulumi.odd.yaml is 5: a key must be text, in quotes",
    "config: {<<: {zones: 3}}\n": "'teal:<<' in Pulumi.odd.yaml is '<<': merging keys is not taken",
    "config:\n  teal:version: 1.10\n": "teal:version in Pulumi.odd.yaml is 1.1: it must be text, in quotes where it",
    "config:\n  teal:version: 010\n": "teal:version in Pulumi.odd.yaml is 010: readers of YAML differ about it",
    "config:\n  teal:version: 2026-11-23\n": "teal:version in Pulumi.odd.yaml is 2026-11-23: readers of YAML differ",
    "config:\n  teal:version: yes\n  teal:version: no\n": "Pulumi.odd.yaml, line 3: 'teal:version' stands there twice",
    "config:\n  teal:buildsImage: yes\n": "teal:buildsImage in Pulumi.odd.yaml is 'yes': it must be true or false",
    "config:\n  teal:zones: true\n": "teal:zones in Pulumi.odd.yaml is True: it must be a whole number",
    "config:\n  zones: 9\n": "teal:zones is '9': input should be less than or equal to 6",
    "config:\n  zones: 3\n  teal:zones: 2\n": "teal:zones stands in Pulumi.odd.yaml twice, with its namespace and",
    "config:\n  tael:zones: 3\n": "tael:zones in Pulumi.odd.yaml is unknown: did you mean teal:zones?",
    "config:\n  web:zones: 3\n": "web:zones in Pulumi.odd.yaml is unknown: did you mean teal:zones?",
    "config:\n  aws:regoin: eu-west-1\n": "aws:regoin in Pulumi.odd.yaml is unknown: did you mean aws:region?",
    "config:\n  aws:region: Frankfurt\n": "aws:region is Frankfurt: it must be the name of an AWS region",
    "config:\n  teal:zones: {secure: v1:abc}\n": "teal:zones is encrypted: settings are no secrets",
    "config:\n  teal:steps: !!python/name:os.system\n": "teal:steps in Pulumi.odd.yaml is '': its tag ",
    "confg:\n  teal:zones: 3\n": "confg in Pulumi.odd.yaml is unknown: did you mean config?",
    "environment: [base]\n": "environment in Pulumi.odd.yaml is not taken: what it adds, only Pulumi Cloud knows",
    "- teal:zones\n": "Pulumi.odd.yaml must hold keys with values, got ['teal:zones']",
    "config: [teal:zones]\n": "config in Pulumi.odd.yaml must be keys with values, got ['teal:zones']",
    "config:\n\tteal:zones: 3\n": "Pulumi.odd.yaml is not YAML: while scanning for the next token, found character",
    "config:\n  teal:hooks: " + "[" * 50: "Pulumi.odd.yaml, line 2: it is nested deeper than 40 levels",
}


@pytest.mark.parametrize("content", TOLD, ids=range(len(TOLD)))
def test_what_is_wrong_with_a_file_is_told_by_the_key_or_the_line(folder: Path, content: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(folder, content.encode())
    assert str(caught.value).startswith(TOLD[content])
    assert is_clear(str(caught.value), "Pulumi.odd.yaml", "teal:zones", "aws:region")


def program(config: Mapping[str, Any]) -> None:
    """Runs the whole program on the mocks."""
    texts = {f"teal:{key}": as_text(value) for key, value in {**DEFAULTS, **config}.items()}
    found = deploy(lambda: runpy.run_path(str(ROOT / "__main__.py")), texts, stack="qa")
    wanted = parse({key.removeprefix("teal:"): value for key, value in texts.items()})
    assert len(found.of_type("subnet:Subnet")) == 2 * wanted.zones
    assert bool(found.of_type("image:Image")) is wanted.builds_image
    for image in found.of_type("image:Image").values():
        assert image.inputs["build"]["platform"] == platform(wanted.instance_types)


@settings(deadline=None, max_examples=3)
@given(config=good(of_all=True))
def test_the_program_runs_with_all_good_settings(config: dict[str, Any]) -> None:
    program(config)


@pytest.mark.parametrize(
    ("edge", "agreed"), [(0, {}), (1, {"dataVolumeGib": 0}), (1, {"instances": 1, "maxInstances": 1})]
)
def test_the_program_runs_with_every_number_at_its_edge(edge: int, agreed: dict[str, int]) -> None:
    numbers = {**{key: bounds(key)[edge] for key in WHOLES}, **agreed}
    retained = {"logRetentionDays": (1, 3653)[edge], "flowLogRetentionDays": (1, 3653)[edge]}
    program({**numbers, **retained, "zones": (2, MOST_ZONES)[edge], "slowStartSeconds": (30, 900)[edge]})


def test_more_zones_than_the_region_has_is_one_line_that_says_how_many_it_has() -> None:
    told = f"^teal:zones is 4: it must be at most 3, since the region has no more zones than {', '.join(ZONES)}$"
    with pytest.raises(pulumi.RunError, match=told):
        program({"zones": 4})


def test_a_setting_that_is_encrypted_is_refused_without_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pulumi.runtime.config.is_config_secret", lambda key: key == "teal:version")
    with pytest.raises(pulumi.RunError, match=r"^teal:version is encrypted: settings are no secrets"):
        program({"version": "hunter2 "})


def test_a_region_that_is_none_is_told_before_anything_is_looked_up_in_it() -> None:
    config = {f"teal:{key}": value for key, value in DEFAULTS.items()} | {"aws:region": "Frankfurt"}
    with pytest.raises(pulumi.RunError, match=r"^aws:region is Frankfurt: it must be the name of an AWS region"):
        deploy(lambda: runpy.run_path(str(ROOT / "__main__.py")), config)
