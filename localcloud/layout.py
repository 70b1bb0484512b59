"""The project folder that engine and SDK work in, in a cloud's home: our own copies of the project's files.

They write there (a new stack's salt, normalised values). A copy is made of the YAML's nodes, not of what they mean:
the engine then reads the very text that the user wrote, so that 1.10 or `no` come out as they do on AWS.
"""

from pathlib import Path

import yaml

from localcloud.errors import LocalCloudError

TEXT, MAPPING = "tag:yaml.org,2002:str", "tag:yaml.org,2002:map"
NOT_OURS = ("secretsprovider", "encryptedkey", "encryptionsalt")
"""How the user's own backend keeps secrets: the cloud's passphrase, with a salt of its own, takes their place."""


def lay_out(project: Path, stack_file: Path, folder: Path) -> None:
    """Writes both files; the copy of Pulumi.yaml leads to the project's own program. Raises LocalCloudError."""
    folder.mkdir(parents=True, exist_ok=True)
    about = _document(project / "Pulumi.yaml")
    _put(about, "main", str(project))
    options = _below(_below(about, "runtime"), "options")
    environment = _text(options, "virtualenv")
    if options and environment is not None:  # it is relative to where Pulumi.yaml was
        _put(options, "virtualenv", str(project / environment))
    packages = _below(about, "packages") or yaml.MappingNode(MAPPING, [])
    for name, source in packages.value:
        if isinstance(source, yaml.ScalarNode) and source.value.startswith("."):  # components, from a path
            _put(packages, name.value, str((project / source.value).resolve()))
    _write(folder / "Pulumi.yaml", about)

    copy = folder / stack_file.name
    salt = _text(_document(copy), "encryptionsalt") if copy.exists() else None
    settings = _document(stack_file)
    settings.value = [pair for pair in settings.value if pair[0].value not in NOT_OURS]
    if salt is not None:
        _put(settings, "encryptionsalt", salt)
    _write(copy, settings)


def _document(path: Path) -> yaml.MappingNode:
    try:
        found = yaml.compose(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        raise LocalCloudError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    return found if isinstance(found, yaml.MappingNode) else yaml.MappingNode(MAPPING, [])


def _below(node: yaml.Node | None, key: str) -> yaml.MappingNode | None:
    """The keys with values that stand there, if there are any."""
    found = _value(node, key)
    return found if isinstance(found, yaml.MappingNode) else None


def _text(node: yaml.Node | None, key: str) -> str | None:
    found = _value(node, key)
    return str(found.value) if isinstance(found, yaml.ScalarNode) else None


def _value(node: yaml.Node | None, key: str) -> yaml.Node | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next((value for name, value in pairs if name.value == key), None)


def _put(node: yaml.MappingNode, key: str, text: str) -> None:
    kept = [pair for pair in node.value if pair[0].value != key]
    node.value = [*kept, (yaml.ScalarNode(TEXT, key), yaml.ScalarNode(TEXT, text, style='"'))]


def _write(path: Path, content: yaml.MappingNode) -> None:
    draft = path.with_suffix(".new")
    draft.write_text(yaml.serialize(content))
    draft.replace(path)
