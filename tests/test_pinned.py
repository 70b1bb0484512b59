"""Whatever the project installs is pinned to what it was when somebody looked: by hash, commit or digest."""

import functools
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.ci.audit import LOCKED

ROOT = Path(__file__).parent.parent
SKIPPED = {".venv", ".git", ".teal", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", "node_modules"}
INSTALLS = re.compile(
    r"\b(pip3? install|uv pip install|uv add|npm (?:install|ci)|go install|gem install|cargo install)\b"
)
SCRIPTS = ("Makefile", "Dockerfile", "*.sh", "*.yml", "*.yaml", "*.mk")
DIGEST = re.compile(r"@sha256:[0-9a-f]{64}\b")


@functools.cache
def project_files() -> tuple[Path, ...]:
    """All of the project, without what was made or fetched."""
    found: list[Path] = []
    for folder, below, names in os.walk(ROOT):
        below[:] = [name for name in below if name not in SKIPPED and Path(folder, name) != ROOT / "tests"]
        found += [Path(folder, name) for name in names]
    return tuple(sorted(found))


def files(*patterns: str) -> Iterator[Path]:
    for pattern in patterns:
        yield from (path for path in project_files() if path.relative_to(ROOT).match(pattern))


def entries(text: str) -> list[str]:
    """Requirements of a locked list, continuation lines joined."""
    joined = text.replace("\\\n", " ").splitlines()
    return [line.strip() for line in joined if line.strip() and not line.strip().startswith("#")]


def unlocked(text: str) -> list[str]:
    """Requirements that lack an exact version or a hash."""
    exact = re.compile(r"[A-Za-z0-9_.\[\],-]+==[^\s;]+( ;[^#]*?)?(\s+--hash=sha256:[0-9a-f]{64})+(\s+#.*)?")
    return [line for line in entries(text) if not exact.fullmatch(line)]


def logical_lines(text: str) -> list[str]:
    return re.sub(r"\\\n\s*", " ", text).splitlines()


def loose_installs(text: str) -> list[str]:
    """Lines that install something without checking hashes; the project itself and the pinned uv are none."""
    found = [
        line.strip() for line in logical_lines(text) if INSTALLS.search(line) and not line.lstrip().startswith("#")
    ]
    return [line for line in found if "--require-hashes" not in line and not is_ours(line) and not is_uv(line)]


def is_ours(line: str) -> bool:
    return "--no-deps" in line and bool(re.search(r"(\s-e (\.|components))+\s*$", line))


def is_uv(line: str) -> bool:
    """uv itself, at the version that the locked list has; it then installs all else by hash."""
    return '"uv==$$(sed' in line and "requirements.txt)" in line


def test_the_locked_lists_are_all_that_there_are() -> None:
    found = {str(path.relative_to(ROOT)) for path in files("*requirements*.txt")}
    assert found == set(LOCKED)  # what is audited, too


@pytest.mark.parametrize("name", sorted(LOCKED))
def test_every_entry_of_a_locked_list_has_a_version_and_a_hash(name: str) -> None:
    text = (ROOT / name).read_text()
    assert len(entries(text)) > 5
    assert unlocked(text) == []
    assert not re.search(r"--(extra-)?index-url|--find-links|--trusted-host", text)


def test_nothing_is_installed_without_hashes() -> None:
    scripts = list(files(*SCRIPTS))
    assert {"Makefile", "Dockerfile"} <= {path.name for path in scripts}
    assert {path.name: found for path in scripts if (found := loose_installs(path.read_text()))} == {}


def test_images_are_built_on_a_digest() -> None:
    for path in files("Dockerfile", "*.dockerfile"):
        bases = dict(re.findall(r"^ARG (\w+)=(\S+)$", path.read_text(), re.MULTILINE))
        for base in re.findall(r"^FROM (\S+)", path.read_text(), re.MULTILINE):
            named = bases[base[2:-1]] if base.startswith("${") else base
            assert named == "scratch" or DIGEST.search(named), f"{path.name}: {named}"


def test_actions_of_others_are_pinned_by_commit() -> None:
    for path in files(".github/*/*.yml", ".github/*/*.yaml"):
        for used in re.findall(r"^\s*(?:-\s*)?uses:\s*(\S+)", path.read_text(), re.MULTILINE):
            assert used.startswith("./") or re.search(r"@[0-9a-f]{40}$", used), f"{path.name}: {used}"


def test_every_go_module_has_its_hash() -> None:
    for module in files("go.mod"):
        sums = (module.with_name("go.sum")).read_text()
        block = module.read_text()
        required = re.findall(
            r"^(?:require )?\s*([a-z0-9.-]+\.[a-z]+/\S+|\S+\.\S+/\S*|\S+\.\S+) (v\S+)", block, re.MULTILINE
        )
        replaced = set(re.findall(r"^(?:replace )?\s*(\S+)(?: v\S+)? => ", block, re.MULTILINE))
        assert len(required) > 20
        missing = [
            f"{name} {version}"
            for name, version in required
            if name not in replaced and f"{name} {version}" not in sums
        ]
        assert missing == []


@pytest.mark.parametrize(
    "entry",
    [
        "flask",
        "flask>=3 --hash=sha256:" + "a" * 64,
        "flask==3.1.3",
        "flask==3.1.3 --hash=md5:abc",
        "flask @ https://files.example/flask.whl",
        "-e .",
        "--extra-index-url https://files.example",
    ],
)
def test_a_loose_entry_is_found(entry: str) -> None:
    locked = "click==8.5.1 \\\n    --hash=sha256:" + "b" * 64 + "\n"
    assert unlocked(locked + entry + "\n") == [entry]


@pytest.mark.parametrize(
    "line",
    [
        "pip install flask",
        "RUN apt-get update && python3 -m pip install -r requirements.txt",
        "\t@uv pip install --quiet \\\n\t  flask==3.1.3",
        "      - run: npm install left-pad",
        "go install example.org/tool@latest",
        "pip install --no-deps -e . flask",
    ],
)
def test_a_loose_install_is_found(line: str) -> None:
    assert len(loose_installs(line)) == 1
