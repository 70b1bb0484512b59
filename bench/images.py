"""Images of the sample app for benches: sound ones, and some with a fault. The app's own files carry neither."""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from localcloud.images.oci import VERSION_LABEL
from localcloud.images.packing import pack
from localcloud.images.registry import push

ROOT = Path(__file__).resolve().parent.parent
DEMO = {"TEAL_DEMO": "1"}
"""Serves /slow, for requests that take long."""
FAULTY_WSGI = '''"""The application, with a fault."""

import os

from app.factory import create_app
from app.fault import faulty

application = faulty(create_app(), os.environ)
'''


def push_image(ecr: Any, repository_name: str, version: str, fault: Mapping[str, str] | None = None) -> str:
    """The digest of the app as it stands, under another version, which is then in the repository.

    `fault` are the variables of bench.fault; without them the version is sound. Raises ImageError.
    """
    with tempfile.TemporaryDirectory(prefix="teal-bench-image-") as folder:
        source = Path(folder) / "app"
        shutil.copytree(ROOT / "app", source, ignore=shutil.ignore_patterns("__pycache__"))
        variables = {**DEMO, **(fault or {})}
        words = " ".join(f"{name}={value}" for name, value in sorted(variables.items()))
        procfile = source / "Procfile"
        procfile.write_text(procfile.read_text().replace("web: ", f"web: env {words} "))
        if fault:
            shutil.copy(ROOT / "bench" / "fault.py", source)
            (source / "wsgi.py").write_text(FAULTY_WSGI)
        image = pack(source, {VERSION_LABEL: version})
    return push(ecr, repository_name, image, tag=f"bench-{version}")
