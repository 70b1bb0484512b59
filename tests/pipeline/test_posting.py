import os
from pathlib import Path

import pytest

from pipeline.comment import MARKER
from pipeline.errors import UntrustedText
from pipeline.posting import CUT, LONGEST, LONGEST_BYTES, checked, comment, read_text


def test_a_file_of_utf_8_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes("grün\r\nblau\n".encode())
    assert read_text(tmp_path / "a") == "grün\nblau\n"


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """An archive that somebody else made could hold one that leads to this process's environment."""
    (tmp_path / "secret").write_text("token")
    (tmp_path / "preview.md").symlink_to(tmp_path / "secret")
    with pytest.raises(UntrustedText, match="can't be read as a plain file"):
        read_text(tmp_path / "preview.md")


def test_what_is_no_plain_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(UntrustedText, match="plain file"):
            read_text(path)
    with pytest.raises(UntrustedText, match="there is no file"):
        read_text(tmp_path / "none")


@pytest.mark.parametrize(
    ("content", "told"),
    [(b"\xff", r"is not UTF-8 \(byte 0\)"), (b"a" * (LONGEST_BYTES + 1), "has more than 262144 bytes")],
)
def test_what_is_no_text_of_ours_is_refused(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(UntrustedText, match=told):
        read_text(tmp_path / "a")


def test_a_text_of_ours_loses_its_marker() -> None:
    assert checked(f"{MARKER}\n\nfine\n", "preview.md") == "\nfine\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "preview.md does not begin with the line <!-- teal:ci:preview -->"),
        (f" {MARKER}\n", "does not begin with the line"),
        (f"{MARKER} and more\n", "does not begin with the line"),
        (f"{MARKER}\n" + "a" * LONGEST, "has 65561 characters, and GitHub takes less than 65536"),
        (f"{MARKER}\n\x1b[2J", r"has the control character U\+001B"),
        (f"{MARKER}\n\u202egnp.exe", r"has the control character U\+202E"),
    ],
)
def test_what_is_none_of_ours_is_refused(text: str, told: str) -> None:
    with pytest.raises(UntrustedText, match=told):
        checked(text, "preview.md")


def test_a_comment_begins_with_its_marker() -> None:
    assert comment("\none\n", is_foreign=False) == f"{MARKER}\n\none\n"


def test_a_comment_from_a_fork_says_so_and_calls_nobody() -> None:
    body = comment("thanks @octocat and @acme/owners, a@b", is_foreign=True)
    assert body.startswith(f"{MARKER}\n> [!NOTE]\n> This comes from a fork.")
    assert "@octocat" not in body
    assert "@acme" not in body
    assert "@\u200boctocat" in body


def test_a_comment_that_grew_too_long_is_cut_and_says_so() -> None:
    body = comment("@a " * 21_000, is_foreign=True)
    assert len(body) == LONGEST - 1
    assert body.endswith(CUT)
