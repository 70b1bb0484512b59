"""What an image is made of: a CycloneDX file, Debian's status of each package, and each package's licence.

Scanners that know images without a package manager look for the status files in /var/lib/dpkg/status.d.
"""

import json
import re
import shutil
from collections.abc import Iterable, Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path

SBOM = "usr/share/sbom/teal.cdx.json"
DATABASE = Path("/var/lib/dpkg")
DISTRO = "debian-12"


def write_inventory(taken: Iterable[Path], packages: Path, runtime: Path, site: Path) -> None:
    """Tells in runtime of the Debian packages that the taken files are of, and in site of all of them and Python's.

    Raises LookupError for a file that is of no package: an inventory that leaves something out is worth nothing.
    """
    owners = owner_of_files()
    names = set()
    for path in taken:
        owner = owners.get(str(path)) or owners.get(str(path.resolve()))
        if owner is None:
            raise LookupError(f"{path} belongs to no Debian package")
        names.add(owner)
    stanzas = {name: stanza for name, stanza in statuses().items() if name in names}
    for name, stanza in stanzas.items():
        put(runtime / "var/lib/dpkg/status.d" / name, stanza + "\n")
        target = runtime / "usr/share/doc" / name / "copyright"
        target.parent.mkdir(parents=True)
        shutil.copyfile(Path("/usr/share/doc", name, "copyright"), target)
    python = sorted(distributions(path=[str(packages)]), key=lambda found: found.name.lower())
    components = [debian_component(fields(stanzas[name])) for name in sorted(stanzas)] + [*map(pypi_component, python)]
    document = {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": components}
    put(site / SBOM, json.dumps(document, indent=1, sort_keys=True) + "\n")


def owner_of_files() -> Mapping[str, str]:
    """Name of the package that each file is of, under its path before and after /lib became a link into /usr."""
    owners = {}
    for listing in sorted((DATABASE / "info").glob("*.list")):
        name = listing.stem.partition(":")[0]
        for line in listing.read_text().splitlines():
            owners[line] = name
            owners[re.sub(r"^/(bin|sbin|lib|lib64)/", r"/usr/\1/", line)] = name
    return owners


def statuses() -> Mapping[str, str]:
    """What dpkg knows of each package, by its name."""
    stanzas = (DATABASE / "status").read_text().strip().split("\n\n")
    return {fields(stanza)["Package"]: stanza for stanza in stanzas}


def fields(stanza: str) -> Mapping[str, str]:
    """The one-line fields of a package's status."""
    return dict(re.findall(r"^([A-Za-z-]+): (.*)$", stanza, re.MULTILINE))


def debian_component(status: Mapping[str, str]) -> Mapping[str, str]:
    """A Debian package as CycloneDX has it."""
    name, version = status["Package"], status["Version"]
    where = f"pkg:deb/debian/{name}@{version.replace('+', '%2B')}?arch={status['Architecture']}&distro={DISTRO}"
    return {"type": "library", "name": name, "version": version, "purl": where, "bom-ref": where}


def pypi_component(found: Distribution) -> Mapping[str, str]:
    """A Python package as CycloneDX has it."""
    where = f"pkg:pypi/{found.name.lower()}@{found.version}"
    return {"type": "library", "name": found.name, "version": found.version, "purl": where, "bom-ref": where}


def put(path: Path, text: str) -> None:
    """Writes text to path, folders included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
