import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import pytest

from containers.errors import BadImage
from containers.oci_files import Blob, opened, write
from containers_world import BLOBS, blob_of, fetch, manifest_of


@pytest.fixture(params=["image.tar", "image"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """An archive and a folder with an image."""
    made: Path = tmp_path / str(request.param)
    write(made, manifest_of(), fetch)
    return made


def change(path: Path, name: str, turn: Callable[[bytes], bytes | None]) -> Path:
    """The layout with a file changed, or without it, as a folder."""
    folder = path.with_name("changed")
    if path.is_dir():
        path.rename(folder)
    else:
        with tarfile.open(path) as archive:
            archive.extractall(folder, filter="data")
    content = turn((folder / name).read_bytes())
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content)
    return folder


def blob_path(digest: str) -> str:
    return f"blobs/sha256/{digest.removeprefix('sha256:')}"


def test_what_is_written_is_read_and_checked(path: Path) -> None:
    with opened(path) as layout:
        found = layout.manifest(None)
        assert found == manifest_of()
        layout.check(found)
        assert layout.manifest(found.digest) == found


def test_an_archive_made_by_tar_itself_is_read(path: Path, tmp_path: Path) -> None:
    if path.is_file():
        return
    with tarfile.open(tmp_path / "dotted.tar", "w") as archive:
        archive.add(path, ".")
    with opened(tmp_path / "dotted.tar") as layout:
        layout.check(layout.manifest(None))


def test_the_same_image_is_the_same_archive(tmp_path: Path) -> None:
    for name in ("one.tar", "two.tar"):
        write(tmp_path / name, manifest_of(), fetch)
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()


def test_a_changed_layer_is_found(path: Path) -> None:
    [*_, digest] = BLOBS
    with opened(change(path, blob_path(digest), lambda content: content.upper())) as layout:
        found = layout.manifest(None)
        with pytest.raises(BadImage, match=rf"{digest} of 9 bytes is sha256:[0-9a-f]+ of 9 bytes here"):
            layout.check(found)


def test_a_missing_layer_is_found(path: Path) -> None:
    [*_, digest] = BLOBS
    with opened(change(path, blob_path(digest), lambda _: None)) as layout:
        found = layout.manifest(None)
        with pytest.raises(BadImage, match=f"lacks {digest}, which its image is made of"):
            layout.check(found)


def test_a_changed_manifest_is_found(path: Path) -> None:
    with (
        opened(change(path, blob_path(manifest_of().digest), lambda content: content + b" ")) as layout,
        pytest.raises(BadImage, match="it was changed or cut short"),
    ):
        layout.manifest(None)


def test_of_several_images_one_has_to_be_named(path: Path) -> None:
    def twice(content: bytes) -> bytes:
        index = json.loads(content)
        other = {**index["manifests"][0], "digest": blob_of(b"other").digest}
        return json.dumps({**index, "manifests": [*index["manifests"], other]}).encode()

    with opened(change(path, "index.json", twice)) as layout:
        with pytest.raises(BadImage, match="holds 2 images, say which: sha256:"):
            layout.manifest(None)
        assert layout.manifest(manifest_of().digest) == manifest_of()
        with pytest.raises(BadImage, match="has no image sha256:0: it holds"):
            layout.manifest("sha256:0")


def test_an_index_of_platforms_is_no_image() -> None:
    with pytest.raises(BadImage, match="is an index of images for several platforms"):
        manifest_of(manifests=[])


@pytest.mark.parametrize("layers", [None, [{}], [{"digest": "sha256:../../x", "size": 1}]])
def test_a_manifest_that_names_no_layers_is_none(layers: Any) -> None:
    with pytest.raises(BadImage, match="does not name a config and layers"):
        manifest_of(layers=layers)


def test_other_files_are_told_from_images(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no archive")
    with pytest.raises(BadImage, match="is neither a folder nor a tar archive"), opened(tmp_path / "text"):
        pass
    with tarfile.open(tmp_path / "old.tar", "w") as archive:
        archive.addfile(tarfile.TarInfo("manifest.json"), io.BytesIO())
    with opened(tmp_path / "old.tar") as layout, pytest.raises(BadImage, match="is no image in OCI layout"):
        layout.manifest(None)


def test_nothing_is_left_of_a_pull_that_failed_and_nothing_is_overwritten(tmp_path: Path) -> None:
    def cut_short(blob: Blob, into: IO[bytes]) -> None:
        into.write(BLOBS[blob.digest][:-1])

    with pytest.raises(BadImage, match="it was changed or cut short"):
        write(tmp_path / "image.tar", manifest_of(), cut_short)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "image.tar").write_text("mine")
    with pytest.raises(FileExistsError):
        write(tmp_path / "image.tar", manifest_of(), fetch)
    assert (tmp_path / "image.tar").read_text() == "mine"
