"""Gathers what the image holds, in the build stage: `gather.py SOURCE PACKAGES OUT`.

Three folders come out, each a layer of the image, the one that changes least first: `runtime` (Python, NGINX and the
libraries they load), `packages` (Flask, Gunicorn and theirs) and `app`. So a release moves a few kilobytes.

The same input gives the same bytes: times, owners and modes are fixed, and bytecode does not hang on file times.
Python's own library and the packages come as bytecode alone, which halves them; the app keeps its source.
"""

import os
import py_compile
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from sbom import write_inventory  # type: ignore[import-not-found]  # beside it, where it runs

LIBRARY = Path("/usr/lib/python3.11")
SITE = "usr/local/lib/python3.11/dist-packages"
PROGRAMS = ("/usr/bin/python3.11", "/usr/sbin/nginx")
TABLES = ("/etc/nginx/mime.types", "/usr/lib/os-release")
MADE_EPOCH = 0

UNUSED = frozenset(
    [
        "config-3.11",
        "distutils",
        "ensurepip",
        "idlelib",
        "lib2to3",
        "pydoc_data",
        "sqlite3",
        "curses",
        "dbm",
        "test",
        "tests",
        "tkinter",
        "turtledemo",
        "venv",
        "wsgiref",
        "xmlrpc",
        "msilib",
        "__phello__",
        "__pycache__",
        "antigravity.py",
        "turtle.py",
        "pydoc.py",
        "doctest.py",
        "pdb.py",
    ]
)
UNUSED_MODULES = [
    "_test",
    "_xx",
    "xx",
    "_ctypes_test",
    "_codecs_",
    "_crypt",
    "_curses",
    "_dbm",
    "_sqlite3",
    "_lsprof",
    "audioop",
    "nis",
    "ossaudiodev",
    "readline",
]
"""Beginnings of the names of compiled modules that stay out."""
NOT_RUN = frozenset({"image", "Dockerfile", "Procfile", "requirements.txt", ".dockerignore", "__pycache__"})
USERS = {
    "etc/passwd": "root:x:0:0:root:/:/sbin/nologin\nteal:x:10001:10001:teal:/:/sbin/nologin\n",
    "etc/group": "root:x:0:\nteal:x:10001:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}


def gather(source: Path, packages: Path, out: Path) -> None:
    """Fills out/runtime, out/packages and out/app."""
    compiled = [path for path in (LIBRARY / "lib-dynload").iterdir() if not path.name.startswith(tuple(UNUSED_MODULES))]
    binaries = [Path(program) for program in PROGRAMS] + compiled
    taken = add_runtime(out / "runtime", binaries, linked([*binaries, *packages.rglob("*.so")]))
    add_packages(packages, out / "packages" / SITE)
    add_app(source, out / "app" / "srv")
    write_inventory(taken, packages, out / "runtime", out / "packages")
    for layer in out.iterdir():
        settle(layer)


def add_runtime(root: Path, binaries: Iterable[Path], libraries: Iterable[Path]) -> list[Path]:
    """Puts what is Debian's into root; returns the files that were taken, for the inventory."""
    (root / "usr" / "bin").mkdir(parents=True)
    for name in ("bin", "sbin", "lib", "lib64"):
        if (root.joinpath("usr", name).exists() or name.startswith("lib")) and Path("/", name).is_symlink():
            (root / name).symlink_to(f"usr/{name}")
    taken = [*binaries, *libraries, *(Path(table) for table in TABLES)]
    for path in taken:
        copy(path.resolve(), root / merged(path).relative_to("/"))
    (root / "usr/bin/python3").symlink_to("python3.11")
    for path in modules(LIBRARY):
        bytecode(path, root / path.relative_to("/").with_suffix(".pyc"), path)
    for name, text in USERS.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "etc/os-release").symlink_to("../usr/lib/os-release")
    (root / "tmp").mkdir()
    return [*taken, LIBRARY / "os.py", LIBRARY / "asyncio" / "base_events.py"]


def add_packages(packages: Path, site: Path) -> None:
    """Puts installed packages into site, sources as bytecode; commands, records and C sources stay out."""
    for path in sorted(packages.rglob("*")):
        relative = path.relative_to(packages)
        if path.is_dir() or relative.parts[0] == "bin" or "__pycache__" in relative.parts:
            continue
        if path.suffix == ".py":
            bytecode(path, site / relative.with_suffix(".pyc"), Path("/", SITE) / relative)
        elif path.suffix not in {".c", ".h", ".pyi", ".typed"} and path.name not in {"RECORD", "INSTALLER"}:
            copy(path, site / relative)


def add_app(source: Path, srv: Path) -> None:
    """Puts the app into srv/app, with bytecode beside its source, and its static files into srv/public/assets."""
    for path in sorted(source.rglob("*")):
        relative = path.relative_to(source)
        if path.is_file() and NOT_RUN.isdisjoint(relative.parts):
            copy(path, srv / "app" / relative)
            if path.suffix == ".py":
                kept = srv / "app" / relative.parent / "__pycache__" / f"{path.stem}.cpython-311.pyc"
                bytecode(path, kept, Path("/srv/app") / relative)
    publish = [sys.executable, "-B", "-m", "app.assets", str(srv / "public" / "assets")]
    subprocess.run(publish, check=True, cwd=srv)


def modules(library: Path) -> Iterator[Path]:
    """Python's own modules, but for those that no service imports."""
    for path in sorted(library.rglob("*.py")):
        parts = path.relative_to(library).parts
        if not path.is_symlink() and UNUSED.isdisjoint(parts) and not parts[0].startswith("config-"):
            yield path


def linked(binaries: Iterable[Path]) -> list[Path]:
    """The shared libraries that binaries load, the loader among them."""
    told = subprocess.run(["ldd", *map(str, binaries)], capture_output=True, check=True, text=True).stdout
    words = (word for line in told.splitlines() if not line.endswith(":") for word in line.split())
    return sorted({Path(word) for word in words if word.startswith("/")})


def merged(path: Path) -> Path:
    """Where a path of /lib really lies on a Debian whose /lib is a link into /usr."""
    return Path("/usr") / path.relative_to("/") if path.parts[1] in {"bin", "sbin", "lib", "lib64"} else path


def bytecode(source: Path, target: Path, told: Path) -> None:
    """Compiles source into target, for a file that tracebacks are to call `told`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(str(source), str(target), str(told), doraise=True, invalidation_mode=mode, quiet=1)


def copy(source: Path, target: Path) -> None:
    """Copies a file's content, and whether it may be executed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o755 if source.stat().st_mode & 0o100 else 0o644)


def settle(root: Path) -> None:
    """Fixes times and modes of everything in root; nothing keeps more rights than it needs, setuid least of all."""
    for path in [*root.rglob("*"), root]:
        if not path.is_symlink():
            is_open = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o1777 if path.name == "tmp" and path.parent == root else 0o755 if is_open else 0o644)
    for path in [*root.rglob("*"), root]:
        os.utime(path, (MADE_EPOCH, MADE_EPOCH), follow_symlinks=False)


if __name__ == "__main__":
    gather(*map(Path, sys.argv[1:4]))
