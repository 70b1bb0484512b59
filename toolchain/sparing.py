"""Imports of provider SDKs that load only what a program names: `ec2.Vpc` reads one file, not a hundred and eighty.

Pulumi generates an SDK's service as a package that imports every one of its files. Here such a package imports a file
when a name of it is asked for. Whatever is not the generated form, and whatever needs the whole (dir(), import *, an
unknown name), is imported in Python's ordinary way.
"""

import importlib
import re
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType

SDK = re.compile(r"pulumi_\w+\.\w+")
"""Names that may be a service of an SDK."""
WHOLE_FILE = re.compile(r"from \.(\w+) import \*")
HARMLESS = re.compile(
    r"\s*(#.*)?|import builtins as _builtins|import typing|from \.\. import _utilities|from \. import outputs"
)
NAMES = re.compile(r"^__all__ = \[(.*?)\]", re.MULTILINE | re.DOTALL)
QUOTED = re.compile(r"""['"](\w+)['"]""")
START = 4096
"""Characters in which a generated file says what it holds; the rest is read where they do not suffice."""


class Service(SourceFileLoader):
    """Loads a generated package by the file."""

    def exec_module(self, module: ModuleType) -> None:
        """Prepares the package to find its files later, or runs it where it is of another form."""
        files = files_of(Path(self.path))
        if files is None:
            super().exec_module(module)
        else:
            parts = Parts(module, self, files)
            module.__dict__.update(__getattr__=parts.find, __dir__=parts.names)


class Parts:
    """The files of one package, found by the names in them."""

    def __init__(self, module: ModuleType, loader: Service, files: Sequence[str]) -> None:
        self._module, self._loader, self._files = module, loader, files
        self._homes: dict[str, str] | None = None

    def find(self, name: str) -> object:
        """The package's attribute of that name, which it does not have yet."""
        if name.startswith("__") and name != "__all__":
            raise AttributeError(name)
        if self._homes is None:
            self._homes = names_in(Path(self._loader.path).parent, self._files)
        if home := self._homes.get(name):
            found: object = getattr(self._import(home), name)
            setattr(self._module, name, found)
            return found
        if name in self._files or name == "outputs":
            return self._import(name)
        self.names()  # import * asks for __all__, too, which is not there, and then takes what is
        return getattr(self._module, name)

    def names(self) -> list[str]:
        """Loads the whole package, and lists what is in it."""
        for hook in ("__getattr__", "__dir__"):
            self._module.__dict__.pop(hook, None)
        SourceFileLoader.exec_module(self._loader, self._module)
        return list(self._module.__dict__)

    def _import(self, file: str) -> ModuleType:
        return importlib.import_module(f"{self._module.__name__}.{file}")


def files_of(package: Path) -> list[str] | None:
    """Modules whose names the package takes over, in order; None if its `__init__.py` does anything else."""
    files = []
    for line in package.read_text(encoding="utf-8").splitlines():
        if whole := WHOLE_FILE.fullmatch(line):
            files.append(whole[1])
        elif not HARMLESS.fullmatch(line):
            return None
    return files or None


def names_in(folder: Path, files: Sequence[str]) -> dict[str, str]:
    """The module that holds each public name; of two that have one, the later, as in a row of imports."""
    homes = {}
    for file in files:
        with folder.joinpath(f"{file}.py").open(encoding="utf-8") as source:
            text = source.read(START)
            listed = NAMES.search(text) or NAMES.search(text + source.read())
        for name in QUOTED.findall(listed[1]) if listed else ():
            homes[name] = file
    return homes


class Sparing(MetaPathFinder):
    """Finds services of SDKs before Python does."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Python's own finding with our loader, for a package just below an SDK; None for anything else."""
        if not SDK.fullmatch(name):
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec and spec.submodule_search_locations and type(spec.loader) is SourceFileLoader:
            spec.loader = Service(spec.loader.name, spec.loader.path)
        return spec


def install() -> None:
    """From now on, services of SDKs are imported by the file."""
    sys.meta_path.insert(0, Sparing())
