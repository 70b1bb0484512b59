"""The search for a planted secret finds it in every form, and in processes; else its silence would mean nothing."""

import base64
import gzip
import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from leaks import Glances, Planted

PLANTED = Planted("plant/ed+s3cret=0f8c1d~ of & dev")
WAIT = "import sys; print(flush=True); sys.stdin.read()"


@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
@pytest.mark.parametrize("after", ["", "z", "zy"])
def test_it_is_found_in_every_form_and_at_every_offset(tmp_path: Path, before: str, after: str) -> None:
    text = (before + PLANTED.word + after).encode()
    leaks = {
        "raw": text,
        "json": json.dumps({"value": text.decode()}).encode(),
        "gzip": gzip.compress(text),
        "base64": base64.b64encode(text),
        "urlsafe": base64.urlsafe_b64encode(text),
        "base64 of gzip": base64.b64encode(gzip.compress(text)),
        "gzip of base64": gzip.compress(base64.b64encode(text)),
        "hex": text.hex().encode(),
        "HEX": text.hex().upper().encode(),
        "url": quote(text).encode(),
        "query": quote(text, safe="").encode(),
        "utf-16": text.decode().encode("utf-16-le"),
    }
    for name, leak in leaks.items():
        (tmp_path / name).write_bytes(leak)
    (tmp_path / "clean").write_text("planted, but not the word")
    found = {line.rpartition(" (")[0] for line in PLANTED.files(tmp_path)}
    expected = set(leaks) - {"url"}  # a slash that stayed is another spelling: forms are of whole escapes
    assert found - {"url"} == expected


def test_a_files_own_name_counts(tmp_path: Path) -> None:
    word = Planted("only-letters-0f8c1d")
    (tmp_path / f"of-{word.word}.log").write_text("")
    assert word.files(tmp_path) == [f"of-{word.word}.log (its name)"]


@pytest.mark.parametrize("where", ["argument", "variable"])
def test_a_process_that_shows_it_is_found(where: str) -> None:
    command = [sys.executable, "-S", "-c", WAIT, *([PLANTED.word] if where == "argument" else [])]
    environment = {**os.environ, **({"LEAK": PLANTED.word} if where == "variable" else {})}
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline()  # Popen returns while the kernel still lays out the arguments
        glances = Glances(PLANTED)
        glances.look()
        assert process.pid in glances.looked
        found = {"argument": glances.command_lines, "variable": glances.environments}
        spared = Glances(PLANTED, spared=b"LEAK=")
        spared.look()
        process.communicate(b"")
    assert len(found[where]) == 1
    assert PLANTED.word not in "".join(found[where])
    assert spared.environments == set()
    assert not [name for name, seen in found.items() if seen and name != where]
