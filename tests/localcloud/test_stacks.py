import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml
from pulumi import automation
from pulumi.automation import errors
from pulumi.automation.events import EngineEvent, PolicyEvent

from localcloud.environment import stack_environment, stack_names
from localcloud.errors import LocalCloudError, StackFailed
from localcloud.home import CloudRecord, Home
from localcloud.stacks import Diagnostics, LocalStack

RECORD = CloudRecord(
    pid=1, started=0, mark="m", api_url="http://127.0.0.1:4000", providers={"docker": 4002, "aws": 4001}
)
NAME = "urn:pulumi:dev::teal::teal:index:Network$aws:ec2/vpc:Vpc::main-vpc"


class FakeStack:
    """The engine's side of a run: does what the test says, and notes the environment that it is done in."""

    def __init__(self, problem: Exception | None = None, events: tuple[EngineEvent, ...] = ()) -> None:
        self.problem, self.events = problem, events
        self.seen: dict[str, str] = {}
        self.packs: list[str] = []

    def up(self, color: str, on_event: Any, policy_packs: list[str]) -> Any:
        self.seen, self.packs = dict(os.environ), policy_packs
        for event in self.events:
            on_event(event)
        if self.problem:
            raise self.problem
        return SimpleNamespace(outputs={"url": SimpleNamespace(value="http://web.example")})


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    about = {"name": "teal", "runtime": {"name": "python", "options": {"virtualenv": ".venv"}}}
    (folder / "Pulumi.yaml").write_text(yaml.safe_dump(about))
    (folder / "Pulumi.dev.yaml").write_text("# told by hand\nsecretsprovider: awskms://key\nconfig:\n  teal:zones: 3\n")
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def stack(project: Path, home: Home) -> LocalStack:
    command = cast(automation.PulumiCommand, None)
    return LocalStack(project, "dev", home, RECORD, "eu-west-1", command, {"PATH": "/engine"})


def runs(monkeypatch: pytest.MonkeyPatch, fake: FakeStack) -> FakeStack:
    monkeypatch.setattr(automation, "create_or_select_stack", lambda *_, **__: fake)
    return fake


def command_error(kind: type[errors.CommandError], text: str) -> errors.CommandError:
    return kind(automation.CommandResult(stdout="", stderr=text, code=255))


def diagnostic(message: str, severity: str = "error", urn: str = NAME) -> EngineEvent:
    told = {"urn": urn, "prefix": "", "message": message, "color": "never", "severity": severity}
    return EngineEvent.from_json({"sequence": 1, "timestamp": 0, "diagnosticEvent": told})


def test_stack_names_are_those_of_the_files(project: Path) -> None:
    (project / "Pulumi.prod.yaml").touch()
    assert stack_names(project) == ["dev", "prod"]


def test_an_unknown_stack_names_the_known_ones(project: Path, home: Home) -> None:
    with pytest.raises(LocalCloudError, match=r"there is no stack 'qa': .*/shop has stack files for dev$"):
        LocalStack(project, "qa", home, RECORD, "eu-west-1", cast(automation.PulumiCommand, None), {})


def test_the_environment_leads_to_loopback_and_to_the_home_alone(home: Home) -> None:
    found = stack_environment(RECORD, home, "eu-west-1")
    assert found["AWS_ENDPOINT_URL"] == "http://127.0.0.1:4000"
    assert found["AWS_REGION"] == found["AWS_DEFAULT_REGION"] == "eu-west-1"
    assert found["PULUMI_DEBUG_PROVIDERS"] == "aws:4001,docker:4002"
    assert found["PULUMI_BACKEND_URL"].startswith(f"file://{home.root}/pulumi/state")
    assert Path(found["PULUMI_HOME"]).is_relative_to(home.root)


def test_the_stack_file_is_copied_and_never_touched(
    stack: LocalStack, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {path.name: path.read_bytes() for path in project.iterdir()}
    runs(monkeypatch, FakeStack())
    stack.up()
    assert {path.name: path.read_bytes() for path in project.iterdir()} == before
    about = yaml.safe_load((stack.work_dir / "Pulumi.yaml").read_text())
    assert about["main"] == str(project)
    assert about["runtime"]["options"]["virtualenv"] == str(project / ".venv")
    assert yaml.safe_load((stack.work_dir / "Pulumi.dev.yaml").read_text()) == {"config": {"teal:zones": 3}}


def test_packages_of_components_are_found_from_the_projects_own_folder(
    stack: LocalStack, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = {"near": "./near", "above": "../components", "far": "https://git.example/far@0.1.0", "known": "random"}
    (project / "Pulumi.yaml").write_text(yaml.safe_dump({"name": "shop", "runtime": "yaml", "packages": sources}))
    runs(monkeypatch, FakeStack())
    stack.up()
    about = yaml.safe_load((stack.work_dir / "Pulumi.yaml").read_text())
    near, above = str(project / "near"), str(project.parent / "components")
    assert about["packages"] == {**sources, "near": near, "above": above}


def test_exports_are_shown_without_secrets(stack: LocalStack, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = runs(monkeypatch, FakeStack())
    told = {"url": SimpleNamespace(value="http://web", secret=False), "key": SimpleNamespace(value="k3y", secret=True)}
    monkeypatch.setattr(fake, "outputs", lambda: told, raising=False)
    assert stack.shown_exports("[secret]") == {"url": "http://web", "key": "[secret]"}


def test_the_salt_that_the_engine_wrote_stays_when_the_stack_file_changes(
    stack: LocalStack, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs(monkeypatch, FakeStack())
    stack.up()
    copy = stack.work_dir / "Pulumi.dev.yaml"
    copy.write_text("encryptionsalt: v1:salt\nconfig:\n  teal:zones: 3\n  teal:old: 1\n")
    (project / "Pulumi.dev.yaml").write_text("config:\n  teal:zones: 4\n")
    stack.up()
    assert yaml.safe_load(copy.read_text()) == {"config": {"teal:zones": 4}, "encryptionsalt": "v1:salt"}


def test_variables_that_lead_elsewhere_are_hidden_while_the_engine_runs(
    stack: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = ("AWS_PROFILE", "AWS_ENDPOINT_URL_EC2", "PULUMI_ACCESS_TOKEN", "HTTPS_PROXY", "http_proxy", "ALL_PROXY")
    for name in foreign:
        monkeypatch.setenv(name, "elsewhere")
    monkeypatch.setenv("MY_AWS_NOTES", "kept")
    fake = runs(monkeypatch, FakeStack(command_error(errors.CommandError, "error: no")))
    with pytest.raises(StackFailed):
        stack.up()
    assert fake.seen.keys() & set(foreign) == set()
    assert fake.seen["MY_AWS_NOTES"] == "kept"
    assert {os.environ[name] for name in foreign} == {"elsewhere"}


def test_a_run_returns_its_exports_and_hands_events_on(stack: LocalStack, monkeypatch: pytest.MonkeyPatch) -> None:
    event = diagnostic("careful", severity="warning")
    runs(monkeypatch, FakeStack(events=(event,)))
    heard: list[EngineEvent] = []
    assert stack.up(heard.append) == {"url": "http://web.example"}
    assert heard == [event]


def test_a_failure_names_the_resource_and_the_reason_once(stack: LocalStack, monkeypatch: pytest.MonkeyPatch) -> None:
    event = diagnostic("<{%reset%}>error: the API refused:\n  ec2 create_vpc <{%reset%}>")
    runs(monkeypatch, FakeStack(command_error(errors.CommandError, "error: update failed"), (event, event)))
    with pytest.raises(StackFailed) as caught:
        stack.up()
    assert str(caught.value) == "stack dev: main-vpc: the API refused: ec2 create_vpc"


def judged(level: str) -> EngineEvent:
    message = "<{%fg 13%}>Disks are encrypted\n<{%reset%}>data: a disk is not said to be encrypted.\n"
    said = PolicyEvent(message, "never", "disk-encrypted", "teal", "1.0.0", "1.0.0", level, NAME)
    return EngineEvent(sequence=1, timestamp=1, policy_event=said)


def test_a_run_that_policy_stops_names_the_rule_and_advice_is_no_error(
    stack: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = command_error(errors.CommandError, "error: update failed")
    runs(monkeypatch, FakeStack(problem, (judged("advisory"), judged("mandatory"))))
    with pytest.raises(StackFailed) as caught:
        stack.up()
    told = "disk-encrypted: Disks are encrypted data: a disk is not said to be encrypted."
    assert str(caught.value) == f"stack dev: {told}"


def test_policy_packs_have_a_say_in_every_run(project: Path, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    command, pack = cast(automation.PulumiCommand, None), project / "policy"
    fake = runs(monkeypatch, FakeStack())
    LocalStack(project, "dev", home, RECORD, "eu-west-1", command, {}, (pack,)).up()
    assert fake.packs == [str(pack)]


def test_what_concerns_no_resource_is_told_without_a_name() -> None:
    heard = Diagnostics()
    for event in (diagnostic("error: the program failed", urn=""), diagnostic("only so you know", severity="info#err")):
        heard(event)
    assert heard.errors == ["the program failed"]


def test_a_failure_without_a_diagnostic_is_told_by_the_engines_own_words(
    stack: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs(monkeypatch, FakeStack(command_error(errors.CommandError, "noise\nerror: no changes were expected\nnoise")))
    with pytest.raises(StackFailed, match=r"^stack dev: no changes were expected$"):
        stack.up()


def test_a_locked_stack_says_how_to_free_it(stack: LocalStack, monkeypatch: pytest.MonkeyPatch) -> None:
    runs(monkeypatch, FakeStack(command_error(errors.ConcurrentUpdateError, "[409] conflict")))
    with pytest.raises(StackFailed, match=r"stack dev is locked by another run.*`teal local cancel dev`$"):
        stack.up()


@pytest.mark.parametrize(
    ("pids", "is_free", "cancels"), [((), True, 0), ((os.getpid(),), False, 0), ((2**22 + 1,), True, 1)]
)
def test_only_the_lock_of_a_run_that_is_gone_is_freed(
    stack: LocalStack, monkeypatch: pytest.MonkeyPatch, pids: tuple[int, ...], is_free: bool, cancels: int
) -> None:
    folder = stack.home.backend / ".pulumi" / "locks" / "organization" / "teal" / "dev"
    folder.mkdir(parents=True)
    for pid in pids:
        (folder / f"{pid}.json").write_text(json.dumps({"pid": pid}))
    cancelled: list[LocalStack] = []
    monkeypatch.setattr(LocalStack, "cancel", lambda self: cancelled.append(self))
    assert stack.free_if_abandoned() is is_free
    assert len(cancelled) == cancels
