import threading
from pathlib import Path

import pytest

from localcloud.images import cache as cache_module
from localcloud.images.cache import UnpackedImage, pull
from localcloud.images.errors import ImageError
from localcloud.images.oci import Image
from localcloud.images.reference import ImageReference
from localcloud.images.registry import EcrClient, push


@pytest.fixture
def reference(ecr: EcrClient, repository: str, image: Image) -> ImageReference:
    digest = push(ecr, repository, image, "1.0")
    return ImageReference("123456789012.dkr.ecr.eu-west-1.amazonaws.com", repository, digest)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def fills(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders that were filled from ECR."""
    filled: list[Path] = []
    fill = cache_module._fill

    def counted(ecr: EcrClient, reference: ImageReference, folder: Path) -> None:
        filled.append(folder)
        fill(ecr, reference, folder)

    monkeypatch.setattr(cache_module, "_fill", counted)
    return filled


def test_a_pulled_image_is_ready_to_run(ecr: EcrClient, reference: ImageReference, cache: Path) -> None:
    pulled = pull(ecr, reference, cache)
    assert pulled.digest == reference.digest
    assert (pulled.rootfs / "srv" / "app" / "wsgi.py").read_text() == "application = None\n"
    assert pulled.config.command[0] == "gunicorn"


def test_twenty_at_once_pull_once(ecr: EcrClient, reference: ImageReference, cache: Path, fills: list[Path]) -> None:
    pulled: list[UnpackedImage] = []
    threads = [threading.Thread(target=lambda: pulled.append(pull(ecr, reference, cache))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(pulled) == 20
    assert len(fills) == 1


def test_what_a_killed_pull_left_is_swept(ecr: EcrClient, reference: ImageReference, cache: Path) -> None:
    left_over = cache / f"{reference.digest.removeprefix('sha256:')}.abc.part"
    (left_over / "rootfs").mkdir(parents=True)
    pull(ecr, reference, cache)
    assert sorted(path.suffix for path in cache.iterdir()) == ["", ".lock"]


def test_a_failed_pull_leaves_nothing(
    ecr: EcrClient, reference: ImageReference, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(layer: bytes, root: Path) -> None:
        (root / "half").touch()
        raise ImageError("broken")

    monkeypatch.setattr(cache_module, "unpack", fail)
    with pytest.raises(ImageError, match="broken"):
        pull(ecr, reference, cache)
    assert [path.suffix for path in cache.iterdir()] == [".lock"]
    monkeypatch.undo()
    assert pull(ecr, reference, cache).rootfs.is_dir()


def test_a_changed_cache_is_noticed(ecr: EcrClient, reference: ImageReference, cache: Path) -> None:
    pulled = pull(ecr, reference, cache)
    (pulled.rootfs.parent / "config.json").write_text('{"config": {"Cmd": ["rm"]}}')
    with pytest.raises(ImageError, match="was changed after it was pulled"):
        pull(ecr, reference, cache)
