import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from pulumi.automation.events import EngineEvent, PolicyEvent

from cli_world import FakeCloud, Teal
from localcloud.errors import StackFailed
from localcloud.stacks import LocalStack, OnEvent


@pytest.mark.usefixtures("binaries", "cloud")
def test_it_counts_by_operation(teal: Teal, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def preview(stack: LocalStack, on_event: object, *, refresh: bool, expect_no_changes: bool) -> Mapping[str, int]:
        asked.append((stack.name, refresh, expect_no_changes))
        return {"create": 3, "same": 90}

    monkeypatch.setattr(LocalStack, "preview", preview)
    assert teal("local", "preview").out == "    create 3\n      same 90\n"
    shown = teal("local", "preview", "prod", "--refresh", "--expect-no-changes", "--json").out
    assert json.loads(shown) == {"create": 3, "same": 90}
    assert asked == [("dev", False, False), ("prod", True, True)]


@pytest.mark.usefixtures("binaries", "cloud")
def test_changes_where_none_are_expected_fail(teal: Teal, monkeypatch: pytest.MonkeyPatch) -> None:
    def preview(stack: LocalStack, on_event: object, *, refresh: bool, expect_no_changes: bool) -> Mapping[str, int]:
        raise StackFailed("stack dev: no changes were expected but changes were proposed")

    monkeypatch.setattr(LocalStack, "preview", preview)
    ended = teal("local", "preview", "--expect-no-changes")
    assert (ended.code, ended.out) == (1, "")
    assert ended.told == "teal: stack dev: no changes were expected but changes were proposed"


def said(message: str, level: str = "advisory") -> EngineEvent:
    event = PolicyEvent(message, "never", "disk-encrypted", "teal", "1.0.0", "1.0.0", level)
    return EngineEvent(sequence=1, timestamp=1, policy_event=event)


@pytest.mark.usefixtures("binaries", "cloud")
def test_what_policy_advises_is_told_once_and_what_it_cannot_say_yet_is_counted(
    teal: Teal, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "policy").mkdir()
    (project / "policy" / "PulumiPolicy.yaml").write_text("runtime: python\n")
    packs = []

    def preview(stack: LocalStack, on_event: OnEvent, *, refresh: bool, expect_no_changes: bool) -> Mapping[str, int]:
        packs.append(stack.policy_packs)
        for event in (said("data: plain."), said("data: plain."), said("log: policy is not known in a preview")):
            on_event(event)
        return {"same": 90}

    monkeypatch.setattr(LocalStack, "preview", preview)
    lines = teal("local", "preview").err.splitlines()
    assert [line for line in lines if "policy/" in line] == [
        "  Advice of policy/: disk-encrypted: data: plain.",
        "  policy/ decides 1 more questions in the update, when their values are known.",
    ]
    teal("local", "preview", "--no-policy")
    assert packs == [(project / "policy",), ()]


@pytest.mark.usefixtures("binaries")
def test_cancel_frees_the_lock(teal: Teal, cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    freed = []
    monkeypatch.setattr(LocalStack, "cancel", lambda stack: freed.append(stack.name))
    ended = teal("local", "cancel", "prod")
    assert (ended.code, ended.out, ended.told) == (0, "", "Stack prod is free.")
    assert freed == ["prod"]
    assert cloud.status["listeners"] == []
