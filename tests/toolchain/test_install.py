"""Which way to an engine is gone, what TEAL_TOOLCHAIN forces, and what the engine's environment holds."""

import os
import sys
from pathlib import Path

import pytest

import toolchain
from fake_machine import Machine, Reported
from toolchain import errors, official, pins

ENGINE = "#!/bin/sh\necho v%s\n"


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(official, "is_reachable", lambda _: False)


@pytest.fixture
def official_cli(machine: Machine) -> Path:
    machine.script("pulumi-language-python", "#!/bin/sh\n")
    return machine.script("pulumi", ENGINE % "3.300.1")


@pytest.mark.usefixtures("fake_go")
def test_a_cli_on_path_goes_first(official_cli: Path, machine: Machine) -> None:
    found = toolchain.ensure()
    assert (found.pulumi, found.version, found.source) == (official_cli, "3.300.1", "path")
    assert machine.kept == []


@pytest.mark.usefixtures("fake_go", "no_network", "official_cli")
@pytest.mark.parametrize("version", ["3.258.9", "nonsense"])
def test_a_cli_that_is_too_old_is_passed_over_and_that_is_said(
    machine: Machine, version: str, reported: Reported
) -> None:
    machine.script("pulumi", ENGINE % version)
    assert toolchain.ensure(reported).source == "built"
    assert f"Not using {machine.binaries}/pulumi: it is {version}, older than {pins.ENGINE_VERSION}" in reported.steps


@pytest.mark.usefixtures("fake_go", "no_network")
def test_a_cli_without_its_python_host_is_passed_over(machine: Machine) -> None:
    machine.script("pulumi", ENGINE % "3.300.1")
    assert toolchain.ensure().source == "built"


@pytest.mark.usefixtures("fake_go", "no_network")
def test_our_own_build_on_path_is_not_taken_for_an_official_cli(monkeypatch: pytest.MonkeyPatch) -> None:
    own = toolchain.ensure()
    monkeypatch.setenv("PATH", own.environment()["PATH"])
    assert toolchain.ensure().source == "cached"


@pytest.mark.usefixtures("fake_go", "no_network")
def test_what_the_official_installer_left_is_used_without_asking_the_network(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = machine.home / ".pulumi" / "versions"
    monkeypatch.setattr(official, "version", lambda _: "3.272.0")
    (versions / "3.272.0" / "bin").mkdir(parents=True)
    machine.script("pulumi", ENGINE % "3.272.0").rename(versions / "3.272.0" / "bin" / "pulumi")
    found = toolchain.ensure()
    assert (found.version, found.source) == ("3.272.0", "installed")
    assert found.environment()["PATH"].startswith(f"{versions}/3.272.0/bin{os.pathsep}")


@pytest.mark.parametrize("way", ["path", "mirror"])
@pytest.mark.usefixtures("fake_go", "no_network")
def test_a_forced_way_that_leads_nowhere_is_an_error_and_no_other_way_is_gone(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setenv("TEAL_TOOLCHAIN", way)
    with pytest.raises(errors.NothingFits, match=f"TEAL_TOOLCHAIN={way} leads to no engine: install the Pulumi CLI"):
        toolchain.ensure()
    assert machine.builds == 0


@pytest.mark.usefixtures("fake_go", "no_network")
def test_forcing_the_official_installer_without_its_site_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAL_TOOLCHAIN", "official")
    with pytest.raises(errors.OfficialUnavailable, match="did not answer within 5 s"):
        toolchain.ensure()


@pytest.mark.usefixtures("machine")
def test_an_unknown_way_is_refused_with_those_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAL_TOOLCHAIN", "brew")
    with pytest.raises(errors.WrongSetting, match="'brew'; allowed are path, official, mirror, build"):
        toolchain.ensure()


@pytest.mark.usefixtures("fake_go", "no_network")
def test_our_engine_finds_its_language_host_and_fetches_no_plugins() -> None:
    own = toolchain.ensure()
    environment = own.environment()
    assert environment["PATH"].split(os.pathsep)[0] == str(own.pulumi.parent)
    assert environment["TEAL_PYTHON"] == sys.executable
    assert Path(environment["TEAL_LANGUAGE_HOST"]).is_file()
    assert environment["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] == "true"


@pytest.mark.usefixtures("official_cli")
def test_an_official_cli_is_left_to_its_own_hosts_and_plugins() -> None:
    assert set(toolchain.ensure().environment()) == {"PATH", "PULUMI_SKIP_UPDATE_CHECK"}


@pytest.mark.usefixtures("fake_go", "no_network")
def test_the_automation_api_takes_our_engine_and_knows_its_version() -> None:
    own = toolchain.ensure()
    command = own.pulumi_command()
    assert (command.command, str(command.version)) == (str(own.pulumi), own.version)


def test_the_automation_api_takes_the_engine_on_path(official_cli: Path) -> None:
    command = toolchain.ensure().pulumi_command()
    assert command.version
    assert str(command.version) == "3.300.1"


def test_the_key_names_version_and_platform_and_changes_with_the_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = pins.version_key()
    for name in ("go.mod", "go.sum"):
        (tmp_path / name).write_bytes((pins.MODULES / name).read_bytes() + b"\n")
    monkeypatch.setattr(pins, "MODULES", tmp_path)
    assert before.startswith(f"{pins.ENGINE_VERSION}-{sys.platform}")
    assert pins.version_key() != before


def test_the_pins_agree_with_the_modules() -> None:
    modules = (pins.MODULES / "go.mod").read_text()
    assert f"github.com/pulumi/pulumi/pkg/v3 v{pins.ENGINE_VERSION}\n" in modules
    assert f"github.com/pulumi/pulumi-yaml v{pins.YAML_HOST_VERSION}\n" in modules
