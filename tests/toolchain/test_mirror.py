"""A mirror: filled by one machine, used by others that reach nothing, and trusted only by checksum."""

from pathlib import Path

import pytest

import toolchain
from fake_machine import Machine
from toolchain import errors, official, pins


@pytest.fixture
def mirror(fake_go: Path, machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A filled mirror, and a machine that has nothing else."""
    monkeypatch.setattr(official, "is_reachable", lambda _: pytest.fail("the network was asked"))
    filled = toolchain.export(tmp_path / "mirror")
    assert filled == tmp_path / "mirror" / pins.version_key()
    fake_go.unlink()
    monkeypatch.setenv("TEAL_CACHE_HOME", str(tmp_path / "other-cache"))
    monkeypatch.setenv("TEAL_TOOLCHAIN_MIRROR", str(filled.parent))
    return filled


@pytest.mark.usefixtures("mirror")
def test_an_engine_comes_from_the_mirror_and_stays_in_the_cache(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = toolchain.ensure()
    assert (found.source, found.is_official) == ("mirror", False)
    assert found.pulumi.is_relative_to(tmp_path / "other-cache")
    assert toolchain.ensure().source == "cached"


def test_a_damaged_file_is_refused_by_name(mirror: Path) -> None:
    target = mirror / "bin" / "pulumi-language-yaml"
    target.write_bytes(target.read_bytes()[::-1])
    with pytest.raises(errors.MirrorBroken, match="missing or damaged: bin/pulumi-language-yaml; export it again"):
        toolchain.ensure()


def test_a_mirror_without_this_engine_says_what_it_has_and_how_to_fill_it(mirror: Path) -> None:
    mirror.rename(mirror.with_name("3.1.0-plan9-mips-0"))
    with pytest.raises(errors.MirrorBroken, match=r"\(it has: 3\.1\.0-plan9-mips-0\).*teal toolchain export"):
        toolchain.ensure()


def test_exporting_again_replaces_what_was_there(mirror: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TEAL_CACHE_HOME", str(tmp_path / "cache"))
    (mirror / "bin" / "pulumi").write_text("damaged")
    toolchain.export(mirror.parent)
    assert sorted(path.name for path in mirror.parent.iterdir()) == [mirror.name]
    assert "damaged" not in (mirror / "bin" / "pulumi").read_text()


@pytest.mark.usefixtures("fake_go", "machine")
def test_a_destination_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(errors.MirrorBroken, match=r"file/mirror cannot be filled \(Not a directory\)"):
        toolchain.export(tmp_path / "file" / "mirror")
