"""The families in which AWS services carry tags."""

from collections.abc import Callable, Mapping
from typing import Any

from localcloud.provider.kind import Change, Tags
from localcloud.provider.translate import lookup, text


def as_list(tags: Mapping[str, Any], key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """A tag map as AWS's list of pairs, values as text."""
    return [{key: name, value: text(content)} for name, content in tags.items()]


def as_map(pairs: Any, key: str = "Key", value: str = "Value") -> dict[str, str]:
    """AWS's list of pairs as a map; nothing is an empty one."""
    return {pair[key]: pair[value] for pair in pairs or []}


def ec2_tags(resource_type: str) -> Tags:
    """EC2: a tag specification in the creating call, then CreateTags and DeleteTags."""

    def at_create(change: Change) -> dict[str, Any]:
        tags = change.inputs.get("tags")
        return {"TagSpecifications": [{"ResourceType": resource_type, "Tags": as_list(tags)}]} if tags else {}

    def write(change: Change, put: dict[str, str], drop: list[str]) -> None:
        if put:
            change.call("create_tags", Resources=[change.id], Tags=as_list(put))
        if drop:
            change.call("delete_tags", Resources=[change.id], Tags=[{"Key": key} for key in drop])

    return Tags(at_create, lambda _, found: as_map(found.get("Tags")), write)


def listed_tags(
    put: str,
    drop: str,
    target: str,
    keys: str,
    *,
    tags: str = "Tags",
    read: str = "Tags",
    as_pairs: bool = True,
    about: Callable[[Change], str] = lambda change: change.id,
    pair: tuple[str, str] = ("Key", "Value"),
) -> Tags:
    """Services that take tags in the creating call and have one call each to put and to drop them.

    `target` is the parameter that names the resource (a list where AWS's model has one), `keys` the one that lists what
    to drop, `tags` the one that carries tags, `read` the key under which a read tells them, `about` what the resource
    is called there where that is not its id, `pair` AWS's names for a tag's key and value.
    """

    def shaped(content: Mapping[str, Any]) -> Any:
        return as_list(content, *pair) if as_pairs else {name: text(value) for name, value in content.items()}

    def at_create(change: Change) -> dict[str, Any]:
        return {tags: shaped(change.inputs["tags"])} if change.inputs.get("tags") else {}

    def told(_: Change, found: Mapping[str, Any]) -> dict[str, str]:
        content = lookup(found, read)
        return as_map(content, *pair) if as_pairs else dict(content or {})

    def write(change: Change, new: dict[str, str], gone: list[str]) -> None:
        is_many = change.api.operation(change.kind.service, put).input_shape.members[target].type_name == "list"  # type: ignore[union-attr]
        whom = {target: [about(change)] if is_many else about(change)}
        if new:
            change.call(put, **whom, **{tags: shaped(new)})
        if gone:
            change.call(drop, **whom, **{keys: gone})

    return Tags(at_create, told, write)
