from pathlib import Path

from app.assets import publish, read_manifest


def test_a_changed_file_gets_another_name(tmp_path: Path) -> None:
    (tmp_path / "page.css").write_text("a")
    before = read_manifest(tmp_path)
    (tmp_path / "page.css").write_text("b")
    after = read_manifest(tmp_path)
    assert before.url("page.css") != after.url("page.css")
    old = after.find(before.hashed["page.css"])
    assert old is not None
    assert (old.name, old.is_current) == ("page.css", False)


def test_published_files_bear_the_names_that_pages_ask_for(tmp_path: Path) -> None:
    publish(tmp_path / "assets")
    assert {path.name for path in (tmp_path / "assets").iterdir()} == set(read_manifest().hashed.values())
