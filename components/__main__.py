"""Serves the components to programs in any of Pulumi's languages; the engine starts it as PulumiPlugin.yaml says."""

import importlib
import importlib.util
import sys
from pathlib import Path

PACKAGE = "teal_components"


def adopt(folder: Path) -> None:
    """Makes a folder of modules importable as PACKAGE, whatever the folder is called, and its modules in no other way.

    Python puts the folder of a script first in its path: there `key` or `launch` could take another module's place.
    """
    sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != folder]
    spec = importlib.util.spec_from_file_location(
        PACKAGE, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise SystemExit(f"{folder} cannot be imported: it has no __init__.py")
    package = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = package
    spec.loader.exec_module(package)


if __name__ == "__main__":
    if not __package__:  # started as a folder, not as an installed package
        adopt(Path(__file__).resolve().parent)
    importlib.import_module(f"{PACKAGE}.catalogue").serve()
