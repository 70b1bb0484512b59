"""The one way to an engine: PATH, else one that is there already, else a mirror, the official installer, a build."""

import os
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path

from toolchain import mirror, official
from toolchain.build import NEEDED_BYTES, build
from toolchain.cache import Cache
from toolchain.errors import NothingFits, OfficialUnavailable, WrongSetting
from toolchain.located import Source, Toolchain
from toolchain.pins import ENGINE_VERSION, version_key
from toolchain.progress import Progress, Report, silent

MIRROR_BYTES = 400_000_000


class Way(StrEnum):
    """What TEAL_TOOLCHAIN may ask for: only this way is gone then."""

    PATH = "path"
    OFFICIAL = "official"
    MIRROR = "mirror"
    BUILD = "build"


Find = Callable[[], Toolchain | None]


def ensure(report: Report = silent) -> Toolchain:
    """The engine, got in the cheapest way that there is. Raises ToolchainError; nothing half-made stays behind.

    What is on this machine goes first, by far the quickest; then what TEAL_TOOLCHAIN_MIRROR names, the official
    installer, and a build of some minutes. TEAL_TOOLCHAIN=path|official|mirror|build allows that one way alone.
    """
    forced = _forced()
    unavailable: OfficialUnavailable | None = None
    for way, find in _ways(Cache.here(), report):
        if forced not in (None, way):
            continue
        try:
            found = find()
        except OfficialUnavailable as error:
            unavailable = error
            continue
        if found:
            return found
    raise unavailable or NothingFits(
        f"TEAL_TOOLCHAIN={forced} leads to no engine: install the Pulumi CLI {ENGINE_VERSION} or later, or unset it"
    )


def export(destination: Path, report: Report = silent) -> Path:
    """Puts this platform's built engine into destination, for TEAL_TOOLCHAIN_MIRROR; builds it first where needed.

    Returns its folder below destination. Raises ToolchainError.
    """
    cache = Cache.here()
    built = _cached(cache) or _built(cache, report)
    return mirror.fill(destination, version_key(), built.pulumi.parent.parent)


def _forced() -> Way | None:
    asked = os.environ.get("TEAL_TOOLCHAIN")
    if not asked:
        return None
    try:
        return Way(asked)
    except ValueError:
        raise WrongSetting(f"TEAL_TOOLCHAIN is {asked!r}; allowed are {', '.join(Way)}") from None


def _ways(cache: Cache, report: Report) -> Iterator[tuple[Way, Find]]:
    yield Way.PATH, lambda: official.on_path(cache.root, report)
    yield Way.BUILD, lambda: _cached(cache)
    yield Way.OFFICIAL, lambda: official.installed(report)
    yield Way.MIRROR, lambda: _mirrored(cache, report)
    yield Way.OFFICIAL, lambda: _downloaded(cache, report)
    yield Way.BUILD, lambda: _built(cache, report)


def _cached(cache: Cache) -> Toolchain | None:
    folder = cache.find(version_key())
    return _own(folder, Source.CACHED) if folder else None


def _mirrored(cache: Cache, report: Report) -> Toolchain | None:
    named = os.environ.get("TEAL_TOOLCHAIN_MIRROR")
    if not named:
        return None
    key = version_key()
    with cache.held(report):
        report(Progress(f"Copying the engine from {named}", usual_seconds=2))
        with cache.workspace(MIRROR_BYTES) as workspace:
            made = mirror.take(Path(named).expanduser().resolve(), key, workspace)
            return _own(cache.publish(made, key), Source.MIRROR)


def _downloaded(cache: Cache, report: Report) -> Toolchain:
    with cache.held(report):
        return official.download(cache.log("official"), report)


def _built(cache: Cache, report: Report) -> Toolchain:
    key = version_key()
    with cache.held(report):
        if found := _cached(cache):  # made by another process while we waited
            return found
        with cache.workspace(NEEDED_BYTES) as workspace:
            made = build(workspace, cache.log(key), report)
            return _own(cache.publish(made, key), Source.BUILT)


def _own(folder: Path, source: Source) -> Toolchain:
    return Toolchain(folder / "bin" / "pulumi", ENGINE_VERSION, source)
