from pathlib import Path

import pytest
import yaml

from localcloud import sealing
from localcloud.sealing import Seal, seal_secrets

OTHERS = "v1:fozI5u6B030=:v1:F+6ZduKKd8G0/V7L:PGMFeIzwobWRKmEAzUdaQHqC5mMRIQ=="


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "ROUNDS", 10)
    sealing._key.cache_clear()


def test_a_seal_opens_what_it_closed_and_nothing_else() -> None:
    seal, other = Seal.new("words"), Seal.new("words")
    assert seal.opens(seal.close("hunter2"))
    assert not other.opens(seal.close("hunter2")), "another salt is another key"
    assert "hunter2" not in seal.close("hunter2")
    assert seal.close("hunter2") != seal.close("hunter2")
    for text in ("", "v1", "v1::", "v1:AAAA:!", "hunter2", "v2:" + seal.close("x")[3:]):
        assert not seal.opens(text)


def test_a_salt_is_known_again_by_its_passphrase_only() -> None:
    seal = Seal.new("words")
    assert Seal.of("words", seal.salt) == seal
    assert Seal.of("others", seal.salt) is None
    for salt in ("", "v1", "v1:!:v1:AAAA:AAAA", OTHERS):
        assert Seal.of("words", salt) is None


def passphrase(folder: Path) -> Path:
    file = folder / "passphrase"
    file.write_text("words\n")
    return file


def written(folder: Path, source: str, copy: str | None = None) -> dict[str, object]:
    """The copy, after it was sealed by the words of the cloud."""
    original, sealed = folder / "Pulumi.dev.yaml", folder / "copy.yaml"
    original.write_text(source)
    sealed.write_text(copy or source)
    seal_secrets(original, sealed, passphrase(folder))
    assert sorted(path.name for path in folder.iterdir()) == ["Pulumi.dev.yaml", "copy.yaml", "passphrase"]
    found: dict[str, object] = yaml.safe_load(sealed.read_text())
    return found


def test_a_file_without_secrets_stays_byte_for_byte(tmp_path: Path) -> None:
    for text in (
        "",
        "config: {a: 1.10, b: no}\n",
        "config:\n  a: {secure: x, more: 1}\n",
        "config: {a: {secure: [1]}}\n",
    ):
        original = tmp_path / "Pulumi.dev.yaml"
        original.write_text(text)
        seal_secrets(original, original, tmp_path / "none")
        assert original.read_text() == text


def test_what_was_set_with_the_clouds_passphrase_stays(tmp_path: Path) -> None:
    seal = Seal.new("words")
    source = f"config: {{'app:A': {{secure: '{seal.close('mine')}'}}}}\n"
    found = written(tmp_path, f"encryptionsalt: {seal.salt}\n{source}", source)
    assert found == {**yaml.safe_load(source), "encryptionsalt": seal.salt}


def test_what_others_encrypted_gets_stand_ins_and_the_rest_stays_as_it_is_written(tmp_path: Path) -> None:
    text = "config:\n  a: 1.10\n  b: no\n  app:KEY: {secure: AQICAHh}\n  c: [{d: {secure: v1:abc:def}}]\n"
    found = written(tmp_path, f"secretsprovider: awskms://x\nencryptionsalt: {OTHERS}\n{text}", text)
    seal = Seal.of("words", str(found["encryptionsalt"]))
    assert seal
    config: dict[str, dict[str, str]] = found["config"]  # type: ignore[assignment]
    assert seal.opens(config["app:KEY"]["secure"])
    assert seal.opens(config["c"][0]["d"]["secure"])  # type: ignore[index]
    assert "a: 1.10\n" in (tmp_path / "copy.yaml").read_text()
    assert "b: no\n" in (tmp_path / "copy.yaml").read_text()


def test_the_copys_own_salt_is_kept(tmp_path: Path) -> None:
    """The stack's state is encrypted with it."""
    seal = Seal.new("words")
    text = "config:\n  app:KEY: {secure: AQICAHh}\n"
    assert written(tmp_path, text, f"{text}encryptionsalt: {seal.salt}\n")["encryptionsalt"] == seal.salt
