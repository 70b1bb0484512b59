from pathlib import Path

import pytest

from config import settings
from config.settings import of_stack, parse
from config.stack_files import SettingsError, stack_config

ROOT = Path(__file__).parents[2]
STACKS = sorted(path.name.split(".")[1] for path in ROOT.glob("Pulumi.*.yaml"))


def values(**changes: str | None) -> dict[str, str]:
    whole = {key.removeprefix("teal:"): value for key, value in stack_config(ROOT, "dev").items() if "teal:" in key}
    return {key: value for key, value in {**whole, **changes}.items() if value is not None}


def test_every_stack_file_is_valid_and_differs_from_the_others() -> None:
    assert STACKS == ["dev", "prod", "qa", "stage"]
    assert len({of_stack(ROOT, stack).model_dump_json() for stack in STACKS}) == 4


def test_only_dev_builds_an_image() -> None:
    assert [stack for stack in STACKS if of_stack(ROOT, stack).builds_image] == ["dev"]


def test_pulumi_yaml_declares_exactly_the_keys_that_are_read() -> None:
    declared = {key.removeprefix("teal:") for key in stack_config(ROOT, "dev") if key.startswith("teal:")}
    assert declared == {field.alias for field in settings.Settings.model_fields.values()}


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("zones", "1", "teal:zones is '1': input should be greater than or equal to 2"),
        ("zones", "many", "teal:zones is 'many': input should be a valid integer"),
        ("nat", "maybe", "teal:nat is 'maybe': input should be 'none', 'instance', 'single' or 'per_zone'"),
        ("cidrBlock", "10.0.0.0/30", "teal:cidrBlock is '10.0.0.0/30': must be a private (RFC 1918) IPv4 block"),
        ("cidrBlock", "8.8.0.0/16", "teal:cidrBlock is '8.8.0.0/16': must be a private (RFC 1918) IPv4 block"),
        ("cidrBlock", "100.64.0.0/16", "teal:cidrBlock is '100.64.0.0/16': must be a private (RFC 1918) IPv4 block"),
        ("cidrBlock", "10.0.0.1/16", "teal:cidrBlock is '10.0.0.1/16'"),
        ("logRetentionDays", "2", "teal:logRetentionDays is '2': must be one of 1, 3, 5, 7"),
        ("slowStartSeconds", "10", "teal:slowStartSeconds is '10': must be 0 (off) or 30 to 900"),
        ("alarmEmails", "ann@example.com", "teal:alarmEmails is 'ann@example.com': it must be a list"),
        ("alarmEmails", '["ann"]', "teal:alarmEmails"),
        ("instanceTypes", "[]", "teal:instanceTypes"),
        ("buildsImage", "perhaps", "teal:buildsImage is 'perhaps': input should be a valid boolean"),
        ("minSamples", "9", "teal:minSamples is '9': input should be greater than or equal to 10"),
        ("errorPointsOverLive", "101", "teal:errorPointsOverLive is '101'"),
        ("latencyTimesLive", "0", "teal:latencyTimesLive is '0': input should be greater than or equal to 1"),
        ("observeOnly", '["luck"]', "teal:observeOnly[0] is 'luck': input should be 'probe-errors', 'probe-latency', "),
        ("observeOnly", "alarms", "teal:observeOnly is 'alarms': it must be a list"),
        ("waitsForMetrics", "long", "teal:waitsForMetrics is 'long': input should be a valid boolean"),
        ("probePaths", "[]", "teal:probePaths is []"),
        ("probePaths", '["version"]', "teal:probePaths[0] is 'version'"),
        ("probePaths", '["/a b"]', "teal:probePaths[0] is '/a b'"),
        ("domain", "www.teal.example", "domain and zoneName must be given together"),
        ("maxInstances", "1", "maxInstances must be at least instances (2), got 1"),
        (
            "dataVolumeGib",
            "8",
            "dataVolumeGib needs instances and maxInstances to be 1, since one server at a time can ",
        ),
        ("dataVolumeGib", "16385", "teal:dataVolumeGib is '16385': input should be less than or equal to 16384"),
        ("dataSnapshotsKept", "0", "teal:dataSnapshotsKept is '0': input should be greater than or equal to 1"),
        ("dataSnapshotsKept", "1001", "teal:dataSnapshotsKept is '1001': input should be less than or equal to 1000"),
        ("orchestrator", "kubernetes", "teal:orchestrator is 'kubernetes': input should be 'scaling-group' or 'swarm'"),
        ("swarmManagers", "2", "teal:swarmManagers is '2': must be 1, 3 or 5"),
        (
            "swarmHost",
            "tcp://10.0.0.1:2375",
            "teal:swarmHost is 'tcp://10.0.0.1:2375': must be ssh://host, tcp://127.0.0.1:port",
        ),
        ("swarmHost", "ssh://swarm", "swarmHost needs orchestrator swarm, got scaling-group"),
        ("delivery", "soon", "teal:delivery is 'soon': input should be 'automatic' or 'manual'"),
        ("follows", "a b", "teal:follows is 'a b'"),
        ("follows", "qa", "follows must be empty where buildsImage is true, got 'qa'"),
        ("buildsImage", "false", "delivery automatic needs follows or buildsImage: nothing would ever come here"),
        ("hooks", "scripts/smoke", "teal:hooks is 'scripts/smoke': it must be keys with values"),
        ("hooks", '["scripts/smoke"]', "teal:hooks is ['scripts/smoke']: input should be"),
        ("hooks", '{"verify": []}', "teal:hooks.verify is 'verify': input should be 'preparing', 'verifying'"),
        ("hooks", '{"verifying": [{}]}', "teal:hooks.verifying[0].command is missing"),
        (
            "hooks",
            '{"verifying": [{"command": " "}]}',
            "teal:hooks.verifying[0].command is ' ': value should have at least 1 item",
        ),
        ("hooks", '{"done": [{"command": "a", "env": 1}]}', "teal:hooks.done[0].env is unknown"),
        ("hooks", '{"done": [{"command": "a\'"}]}', 'teal:hooks.done[0].command is "a\'": no closing quotation'),
        (
            "hooks",
            '{"shifting": [{"command": "a"}, {"command": "b", "timeoutSeconds": 0}]}',
            "teal:hooks.shifting[1].timeoutSeconds is 0: input should be greater than 0",
        ),
        ("colour", "teal", "teal:colour is unknown: the keys are those that Pulumi.yaml declares"),
        ("zones", None, "teal:zones is missing: set it in the stack file, or keep its default in Pulumi.yaml"),
    ],
)
def test_a_bad_value_is_one_line_that_names_it(key: str, value: str | None, told: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse(values(**{key: value}))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_domain_outside_its_zone_is_refused() -> None:
    with pytest.raises(
        SettingsError, match=r"domain www.other.example must be in the hosted zone zoneName, teal.example"
    ):
        parse(values(domain="www.other.example", zoneName="teal.example"))


def test_a_stack_file_that_is_no_yaml_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: teal\n")
    (tmp_path / "Pulumi.dev.yaml").write_text("config: [\n")
    with pytest.raises(SettingsError, match=r"^Pulumi\.dev\.yaml is not YAML: [^\n]*$"):
        of_stack(tmp_path, "dev")


def test_a_missing_stack_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: teal\n")
    with pytest.raises(SettingsError, match=r"there is no Pulumi\.qa\.yaml"):
        of_stack(tmp_path, "qa")


def test_a_hook_is_a_list_of_words_or_a_text_that_is_split_like_a_shells() -> None:
    written = '{"verifying": [{"command": "run \'a b\' c"}, {"command": ["run"], "timeoutSeconds": 5}], "done": []}'
    first, second = parse(values(hooks=written)).hooks["verifying"]
    assert (first.command, first.timeout_seconds, first.wait_seconds) == (("run", "a b", "c"), 600, 3600)
    assert (second.command, second.timeout_seconds) == (("run",), 5)
