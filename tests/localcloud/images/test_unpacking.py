import io
import tarfile
from pathlib import Path

import pytest

from localcloud.images.errors import ImageError
from localcloud.images.packing import stored_gzip
from localcloud.images.unpacking import unpack

Entry = tuple[str, bytes, str]
FILE, FOLDER, LINK, HARD, DEVICE = tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE


def layer(*entries: Entry) -> bytes:
    """A layer of (name, type, content or link target)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, kind, text in entries:
            member = tarfile.TarInfo(name)
            member.type = kind
            if kind == FILE:
                member.size = len(text)
            else:
                member.linkname = text
            archive.addfile(member, io.BytesIO(text.encode()))
    return stored_gzip(buffer.getvalue())


def test_files_folders_and_links_within_arrive(tmp_path: Path) -> None:
    unpack(
        layer(("a/b.txt", FILE, "text"), ("empty", FOLDER, ""), ("a/link", LINK, "b.txt"), ("up", LINK, "a/../a")),
        tmp_path,
    )
    assert (tmp_path / "a" / "link").read_text() == "text"
    assert (tmp_path / "up" / "b.txt").read_text() == "text"
    assert (tmp_path / "empty").is_dir()


@pytest.mark.parametrize(
    ("entries", "problem"),
    [
        ([("../evil", FILE, "x")], "leads out"),
        ([("a/../../evil", FILE, "x")], "leads out"),
        ([("/evil", FILE, "x")], "leads out"),
        ([("..", FOLDER, "")], "leads out"),
        ([("link", LINK, "/etc/passwd")], "link link that leads out"),
        ([("a/link", LINK, "../../outside")], "leads out"),
        ([("p/q/r", LINK, "../.."), ("s", LINK, "p/q/r/../..")], "leads out"),
        ([("a", LINK, "."), ("a/b", FILE, "x")], "below something that is no folder"),
        ([("a", LINK, "."), ("a/b", LINK, "..")], "below something that is no folder"),
        ([("a", FILE, "x"), ("a/b", FILE, "y")], "below something that is no folder"),
        ([("a", FILE, "x"), ("a", FILE, "y")], "twice"),
        ([("a", LINK, "b"), ("./a", FILE, "y")], "twice"),
        ([("a", HARD, "/etc/passwd")], "no file, folder or symbolic link"),
        ([("a", DEVICE, "")], "no file, folder or symbolic link"),
        ([(".wh.a", FILE, "")], "whiteout"),
    ],
)
def test_nothing_is_written_outside(tmp_path: Path, entries: list[Entry], problem: str) -> None:
    root = tmp_path / "outer" / "root"
    root.mkdir(parents=True)
    with pytest.raises(ImageError, match=problem):
        unpack(layer(*entries), root)
    assert [path for path in tmp_path.rglob("*") if root not in (path, *path.parents)] == [tmp_path / "outer"]


def test_only_whether_a_file_is_executable_is_taken_over(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, mode in (("run", 0o4777), ("data", 0o666)):
            member = tarfile.TarInfo(name)
            member.mode = mode
            archive.addfile(member)
    unpack(stored_gzip(buffer.getvalue()), tmp_path)
    assert [(tmp_path / name).stat().st_mode & 0o7777 for name in ("run", "data")] == [0o755, 0o644]


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="not a tar archive"):
        unpack(stored_gzip(b"x" * 2000), tmp_path)
