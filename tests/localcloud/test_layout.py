"""The copies of the project's files that the engine works with."""

from pathlib import Path

import pytest
import yaml

from localcloud.errors import LocalCloudError
from localcloud.layout import lay_out

ODD = """\
secretsprovider: awskms://alias/state
encryptedkey: AQID
encryptionsalt: v1:theirs
config:
  teal:version: 1.10   # the engine sees what is written
  teal:nat: no
  teal:steps: [0o5, 100]
  app:since: 2026-11-23
  app:token: {secure: v1:abc}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text(
        "name: shop\nruntime: {name: python, options: {virtualenv: .venv, typechecker: mypy}}\n"
        "config:\n  app:since: {default: 2026-11-23}\n"
    )
    (folder / "Pulumi.dev.yaml").write_text(ODD)
    return folder


def copy_of(project: Path, folder: Path) -> str:
    lay_out(project, project / "Pulumi.dev.yaml", folder)
    return (folder / "Pulumi.dev.yaml").read_text()


def test_values_are_copied_as_they_are_written(project: Path, tmp_path: Path) -> None:
    copied = copy_of(project, tmp_path / "work")
    for line in ("teal:version: 1.10", "teal:nat: no", "[0o5, 100]", "app:since: 2026-11-23", "{secure: "):
        assert line in copied
    assert "{default: 2026-11-23}" in (tmp_path / "work" / "Pulumi.yaml").read_text()


def test_how_the_users_backend_keeps_secrets_is_left_out(project: Path, tmp_path: Path) -> None:
    copied = copy_of(project, tmp_path / "work")
    assert not any(word in copied for word in ("secretsprovider", "encryptedkey", "encryptionsalt"))
    copy = tmp_path / "work" / "Pulumi.dev.yaml"
    copy.write_text('encryptionsalt: "v1:ours"\n')
    assert 'encryptionsalt: "v1:ours"' in copy_of(project, tmp_path / "work")


def test_the_copy_of_the_project_file_leads_home(project: Path, tmp_path: Path) -> None:
    copy_of(project, tmp_path / "work")
    about = yaml.safe_load((tmp_path / "work" / "Pulumi.yaml").read_text())
    assert about["main"] == str(project)
    assert about["runtime"]["options"] == {"typechecker": "mypy", "virtualenv": str(project / ".venv")}


def test_an_empty_stack_file_is_one(project: Path, tmp_path: Path) -> None:
    (project / "Pulumi.dev.yaml").write_text("# nothing differs\n")
    assert yaml.safe_load(copy_of(project, tmp_path / "work")) in (None, {})


def test_what_is_no_yaml_is_one_line(project: Path, tmp_path: Path) -> None:
    (project / "Pulumi.dev.yaml").write_text("config: [\n")
    with pytest.raises(LocalCloudError, match=r"Pulumi\.dev\.yaml is not YAML: [^\n]*$"):
        copy_of(project, tmp_path / "work")
