"""The Pulumi schema of a package, made from its table, for hosts that check programs against one (YAML)."""

from typing import Any

from localcloud.provider.package import Package

ANY = {"$ref": "pulumi.json#/Any"}
"""Properties are untyped: the table's business is names; AWS's own models check the values."""


def schema_of(package: Package) -> dict[str, Any]:
    """A Pulumi package schema (docs: pulumi.com/docs, "Package schema"), as plain data."""
    return {
        "name": package.name,
        "version": package.version,
        "provider": {"inputProperties": _any(package.settings)},
        "resources": {
            token: {
                "properties": _any(kind.output_names),
                "inputProperties": _any(kind.input_names),
                "requiredInputs": sorted(kind.required_names),
            }
            for token, kind in sorted(package.types.items())
        },
        "functions": {
            token: {
                "inputs": {"properties": _any(lookup.arguments)},
                "outputs": {"properties": _any(lookup.results | lookup.arguments)},
            }
            for token, lookup in sorted(package.lookups.items())
        },
    }


def _any(names: frozenset[str]) -> dict[str, Any]:
    return dict.fromkeys(sorted(names), ANY)
