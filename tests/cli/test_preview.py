import json
from collections.abc import Mapping

import pytest

from cli_world import FakeCloud, Teal
from localcloud.errors import StackFailed
from localcloud.stacks import LocalStack


@pytest.mark.usefixtures("binaries", "cloud")
def test_it_counts_by_operation(teal: Teal, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def preview(stack: LocalStack, *, refresh: bool, expect_no_changes: bool) -> Mapping[str, int]:
        asked.append((stack.name, refresh, expect_no_changes))
        return {"create": 3, "same": 90}

    monkeypatch.setattr(LocalStack, "preview", preview)
    assert teal("local", "preview").out == "    create 3\n      same 90\n"
    shown = teal("local", "preview", "prod", "--refresh", "--expect-no-changes", "--json").out
    assert json.loads(shown) == {"create": 3, "same": 90}
    assert asked == [("dev", False, False), ("prod", True, True)]


@pytest.mark.usefixtures("binaries", "cloud")
def test_changes_where_none_are_expected_fail(teal: Teal, monkeypatch: pytest.MonkeyPatch) -> None:
    def preview(stack: LocalStack, *, refresh: bool, expect_no_changes: bool) -> Mapping[str, int]:
        raise StackFailed("stack dev: no changes were expected but changes were proposed")

    monkeypatch.setattr(LocalStack, "preview", preview)
    ended = teal("local", "preview", "--expect-no-changes")
    assert (ended.code, ended.out) == (1, "")
    assert ended.told == "teal: stack dev: no changes were expected but changes were proposed"


@pytest.mark.usefixtures("binaries")
def test_cancel_frees_the_lock(teal: Teal, cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch) -> None:
    freed = []
    monkeypatch.setattr(LocalStack, "cancel", lambda stack: freed.append(stack.name))
    ended = teal("local", "cancel", "prod")
    assert (ended.code, ended.out, ended.told) == (0, "", "Stack prod is free.")
    assert freed == ["prod"]
    assert cloud.status["listeners"] == []
