import gzip
import io
import json
import os
import shutil
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localcloud.images.errors import ImageError
from localcloud.images.oci import Image, digest_of, read_config, read_manifest
from localcloud.images.packing import opened_gzip, pack, stored_gzip

LABELS = {"org.opencontainers.image.version": "1.0", "a": "b"}
APP = Path(__file__).parents[3] / "app"


def entries(image: Image) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(image.layers[0]), mode="r:gz") as archive:
        return {member.name: member for member in archive}


def test_the_same_files_elsewhere_give_the_same_digest(source: Path, tmp_path: Path) -> None:
    """Another path, another order of making the files, another umask, other times."""
    elsewhere = tmp_path / "a longer path" / "checkout"
    umask = os.umask(0o077)
    try:
        elsewhere.mkdir(parents=True)
        for path in sorted(source.rglob("*"), reverse=True):
            copy = elsewhere / path.relative_to(source)
            copy.parent.mkdir(exist_ok=True)
            if path.is_file():
                copy.write_bytes(path.read_bytes())
                os.utime(copy, (1, 1))
    finally:
        os.umask(umask)
    assert pack(elsewhere, dict(reversed(LABELS.items()))).digest == pack(source, LABELS).digest


def test_this_digest_holds_for_ever(source: Path) -> None:
    """Anything that changes how images are packed changes every digest: then change this one knowingly."""
    assert pack(source, LABELS).digest == "sha256:52bf92dc244a8ab42ed3c51be1cea87cc979fdea75fbca3f09b15124c7b885a2"


def test_a_changed_byte_name_or_label_changes_the_digest(source: Path) -> None:
    digests = {pack(source, LABELS).digest, pack(source, {**LABELS, "a": "c"}).digest}
    (source / "wsgi.py").write_text("application = 0\n")
    digests.add(pack(source, LABELS).digest)
    (source / "wsgi.py").rename(source / "other.py")
    digests.add(pack(source, LABELS).digest)
    (source / "other.py").chmod(0o755)
    digests.add(pack(source, LABELS).digest)
    assert len(digests) == 5


def test_the_layer_holds_the_files_and_their_folders_without_owner_or_time(source: Path) -> None:
    members = entries(pack(source, LABELS))
    assert list(members) == [
        "srv",
        "srv/app",
        "srv/app/Procfile",
        "srv/app/static",
        "srv/app/static/page.css",
        "srv/app/wsgi.py",
    ]
    assert {(m.uid, m.gid, m.uname, m.gname, m.mtime) for m in members.values()} == {(0, 0, "", "", 0)}
    assert {m.mode for m in members.values()} == {0o755, 0o644}


def test_bytecode_empty_folders_and_ignored_files_stay_out(source: Path) -> None:
    before = pack(source, LABELS)
    (source / "__pycache__").mkdir()
    (source / "__pycache__" / "wsgi.cpython-311.pyc").write_bytes(b"x")
    (source / "empty").mkdir()
    assert pack(source, LABELS).digest == before.digest
    (source / ".dockerignore").write_text("static\n.dockerignore\n")
    assert list(entries(pack(source, LABELS))) == ["srv", "srv/app", "srv/app/Procfile", "srv/app/wsgi.py"]


def test_the_config_says_how_to_run_it(image: Image) -> None:
    config = read_config(image.config)
    assert config.command == ("gunicorn", "--config", "a b.py")
    assert (config.working_directory, config.version) == ("/srv/app", "1.0")
    document = json.loads(image.config)
    assert document["created"] == "1970-01-01T00:00:00Z"
    assert document["rootfs"]["diff_ids"] == [digest_of(gzip.decompress(image.layers[0]))]


def test_the_manifest_names_both_blobs(image: Image) -> None:
    manifest = read_manifest(image.manifest)
    assert set(image.blobs) == {manifest.config_digest, manifest.layer_digest}


def test_without_a_web_line_there_is_nothing_to_run(source: Path) -> None:
    (source / "Procfile").write_text("worker: sleep 1\n")
    with pytest.raises(ImageError, match="Procfile has no line 'web: COMMAND'"):
        pack(source, LABELS)


def test_a_link_is_refused(source: Path) -> None:
    (source / "link").symlink_to("/etc/passwd")
    with pytest.raises(ImageError, match="link is neither a file nor a folder"):
        pack(source, LABELS)


def test_the_sample_app_packs_the_same_from_a_copy(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(APP, copy)
    image = pack(APP, LABELS)
    assert pack(copy, LABELS).digest == image.digest
    assert read_config(image.config).command[0] == "gunicorn"


@given(st.binary(max_size=300) | st.integers(0, 200_000).map(lambda size: b"ab" * size))
def test_what_is_stored_comes_out_again(content: bytes) -> None:
    assert gzip.decompress(stored_gzip(content)) == content
    assert opened_gzip(stored_gzip(content), len(content)) == content


def test_a_layer_that_grows_beyond_the_limit_is_refused() -> None:
    with pytest.raises(ImageError, match="more than 999 bytes"):
        opened_gzip(gzip.compress(bytes(1000)), 999)
    with pytest.raises(ImageError, match="not gzip"):
        opened_gzip(stored_gzip(b"abc")[:-2], 999)
