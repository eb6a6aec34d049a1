"""Where the records of a page stand, as types of msgspec: it reads what they name and skips all else."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cache
from typing import Any

import msgspec

from crmlab.connector import JsonPath
from crmlab.decoding.layout import NULL

_RAW_NULL = msgspec.Raw(NULL)
#: a field of a struct that msgspec makes: its name, its type, and what stands there where it is absent
_Field = tuple[str, Any, Any]


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """Where the records of a page stand, as a type by which msgspec reads them and skips all else.

    The type is made of nested objects with one key each. For ``path=("data", "deals")`` and ``listed`` it reads

    >>> body = b'{"status": 0, "data": {"count": 2, "deals": [{"id": 1}, {"id": 2}]}}'
    >>> found = msgspec.json.decode(body, type=Shape(path=("data", "deals"), listed=True).type())
    >>> [bytes(record) for record in found.inner.inner]
    [b'{"id": 1}', b'{"id": 2}']

    Each key of the path is an attribute ``inner`` there. With ``unwrap="deal"`` an item is an object too, whose
    ``inner`` is what stands under that key. With ``ways``, what stands at the end of each way comes as well,
    under the way's keys with an underscore:

    >>> body = b'[{"deal": {"id": 1}, "notes": [{"id": 7}, {"id": 8}]}]'
    >>> shape = Shape(path=(), listed=True, unwrap="deal", ways=frozenset({("notes",)}))
    >>> [item] = msgspec.json.decode(body, type=shape.type())
    >>> bytes(item.inner)
    b'{"id": 1}'
    >>> [bytes(note) for note in item.notes_]
    [b'{"id": 7}', b'{"id": 8}']

    Parameters
    ----------
    path
        The keys that lead to the records.
    listed
        Whether a list stands there, of which every item is wanted; else the value there is wanted as it stands.
    unwrap
        The key inside each item that holds the record.
    ways
        The keys that lead from an item to the records of other resources.
    lists
        Whether lists stand at the end of the ways, of which every item is wanted.
    beside
        The keys beside `unwrap` whose values are wanted as they stand. There are no others then, and a record
        stands under `unwrap`: an item of another shape is an error.
    """

    path: JsonPath
    listed: bool = False
    unwrap: str | None = None
    ways: frozenset[JsonPath] = frozenset()
    lists: bool = True
    beside: tuple[str, ...] | None = None

    def type(self) -> Any:
        """Return the type; the same shape has the same one, so that msgspec learns it only once."""
        return _body(self)


@cache
def _body(shape: Shape) -> Any:
    inner = _item_type(shape)
    if shape.listed:
        inner = list[inner]  # type: ignore[valid-type]
    for key in reversed(shape.path):
        inner = around(key, inner)
    return inner


def _item_type(shape: Shape) -> Any:
    """Return the type of one item, or of the one value that stands where the path ends."""
    if not shape.unwrap and not shape.ways:
        return msgspec.Raw
    if not shape.unwrap or () in shape.ways:
        return _along(shape.ways, lists=shape.lists)
    attributes = {"inner": shape.unwrap}
    fields: list[Any] = [_inner_field(shape)]
    for attribute, key in beside_names(shape.beside or ()).items():
        attributes[attribute] = key
        fields.append((attribute, msgspec.Raw, _RAW_NULL))
    _add_ways(attributes, fields, shape.ways, lists=shape.lists)
    is_strict = shape.beside is not None
    return msgspec.defstruct(
        "Item", fields, rename=attributes, gc=False, forbid_unknown_fields=is_strict
    )


def _inner_field(shape: Shape) -> tuple[str, Any] | _Field:
    """Return the field with the record in its wrapper: it must be there only where `beside` names all others."""
    if shape.beside is None:
        return _optional_field("inner", msgspec.Raw)
    return "inner", msgspec.Raw


def _add_ways(
    attributes: dict[str, str], fields: list[Any], ways: Iterable[JsonPath], *, lists: bool
) -> None:
    """Add a field for the first key of each way; ways that begin with the same key share it."""
    rests_by_key: dict[str, set[JsonPath]] = {}
    for json_path in ways:
        rests_by_key.setdefault(json_path[0], set()).add(json_path[1:])
    for key, key_rests in rests_by_key.items():
        attribute = f"{key}_"
        attributes[attribute] = key
        fields.append(_optional_field(attribute, _along(key_rests, lists=lists)))


def _along(ways: Collection[JsonPath], *, lists: bool) -> Any:
    """Return the type of what stands along these ways; an empty one ends there."""
    if () in ways:
        return list[msgspec.Raw] if lists else msgspec.Raw
    attributes: dict[str, str] = {}
    fields: list[Any] = []
    _add_ways(attributes, fields, ways, lists=lists)
    return msgspec.defstruct("Item", fields, rename=attributes, gc=False)


def beside_names(beside: Iterable[str]) -> dict[str, str]:
    """Return the attributes of an item under which these keys stand."""
    return {f"beside_{number}": key for number, key in enumerate(beside)}


@cache
def with_all(attributes: tuple[tuple[str, str], ...]) -> Any:
    """Return the type of an object with these attributes and their keys, which leaves out what is absent."""
    fields = [(attribute, msgspec.Raw, _RAW_NULL) for attribute, _ in attributes]
    return msgspec.defstruct("Whole", fields, rename=dict(attributes), gc=False, omit_defaults=True)


def around(key: str, inner: Any) -> Any:
    """Return the type of an object with one key, of which all else is skipped."""
    field = _optional_field("inner", inner)
    return msgspec.defstruct("Body", [field], rename={"inner": key}, gc=False)


def _optional_field(name: str, dtype: Any) -> _Field:
    """Return a field that need not be there: raw JSON is null then, everything else None."""
    if dtype is msgspec.Raw:
        return name, dtype, _RAW_NULL
    return name, dtype | None, None
