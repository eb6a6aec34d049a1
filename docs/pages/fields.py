"""Where every documented field of every service went: into columns, into whole records, or nowhere, and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import polars as pl

from crmlab.connector.provider import Provider
from crmlab.connector.resource import JSON, Resource, Schema
from crmlab.providers import registry
from docs.pages import declared
from docs.pages.markdown import code, table

_CUSTOM = "a custom field"
#: table, column, and what fills it
_Named = tuple[str, str, declared.Filling]
#: field, shared tables, whole records
_Row = tuple[str, str, str]


def pages() -> dict[str, str]:
    """Return each page by its path."""
    known = {name: _Fields(provider) for name, provider in registry().items()}
    return {"fields/index.md": _index(known)} | {
        f"fields/{name}.md": _page(each) for name, each in known.items()
    }


class _Fields:
    """Where the documented fields of a service went, by resource: found out once, for the index and its own page."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        fillings = list(declared.fillings(provider))
        self.rows = {each.name: _rows(provider, each, fillings) for each in provider.resources}


def _index(known: Mapping[str, _Fields]) -> str:
    rows = []
    for name, fields in known.items():
        provider = fields.provider
        found = [where for of_resource in fields.rows.values() for where in of_resource]
        in_tables = sum(bool(tables) for _, tables, _ in found)
        never = len(provider.never_kept) + sum(
            whole.startswith("never kept") for _, _, whole in found
        )
        rows.append([f"[{provider.title}]({name}.md)", str(len(found)), str(in_tables), str(never)])
    toctree = "\n".join(registry())
    return f"""# Fields

These pages show where each field that a vendor documents went. The whole records have all of them:
`fetch(account, "service.resource")` returns these. Many are also in columns of the
[shared tables](../tables/index.md). crmlab never keeps fields that hold keys or passwords. It does not read them from
an answer, so they are in no frame, file, log or message.

{table(["service", "fields", "of them in shared tables", "never kept"], rows)}

```{{toctree}}
:hidden:

{toctree}
```
"""


def _page(fields: _Fields) -> str:
    provider = fields.provider
    parts = [_resource(resource, fields.rows[resource.name]) for resource in provider.resources]
    if provider.never_kept:
        rows = [[code(field), f"never kept: {why}"] for field, why in provider.never_kept.items()]
        parts.append(f"## Records that are not read\n\n{table(['field', 'whole records'], rows)}\n")
    return f"""# Fields of {provider.title}

A dot leads into an object and `[]` into each element of a list. "Whole records" names the column of
`fetch(account, "{provider.name}.resource")`, and a field of an object is inside the object's column. If crmlab
searches an object as a whole, the table names all fields in it that may have any shape.

{chr(10).join(parts)}"""


def _resource(resource: Resource, found: list[_Row]) -> str:
    rows = [[code(field), tables, whole] for field, tables, whole in found]
    return f"""## {resource.name}

{resource.doc}

{table(["field", "shared tables", "whole records"], rows)}
"""


def _rows(provider: Provider, resource: Resource, fillings: Iterable[_Named]) -> list[_Row]:
    """Return each documented field with the columns that it fills, and its column in the whole records."""
    filled = _filled(resource, fillings)
    rows = []
    for field, dtype in documented(provider, resource).items():
        has_any_shape = dtype == JSON
        columns = [
            column
            for path, found in filled.items()
            if _meets(path, field) or (has_any_shape and _plain(field).startswith(f"{path}."))
            for column in found
        ]
        shown = field.replace(declared.ID, _CUSTOM)
        tables = ", ".join(dict.fromkeys(columns))
        rows.append((shown, tables, code(shown.partition(".")[0].removesuffix("[]"))))
    rows += [(name, "", f"{code(name)}, made of the whole record") for name in resource.computed]
    rows += [
        (".".join(each.path), "", f"records of {code(each.resource)}")
        for each in resource.embeds
        if not resource.embedding
    ]
    rows += [(field, "", f"never kept: {why}") for field, why in resource.never_kept.items()]
    return rows


def documented(provider: Provider, resource: Resource) -> dict[str, Any]:
    """Return the type of each documented field of a record by the way to it, those inside objects included."""
    declared_schema = resource.schema
    schema = (
        declared_schema(declared.context(provider, resource))
        if callable(declared_schema)
        else declared_schema
    )
    found: dict[str, Any] = {}
    for name, dtype in schema.items():
        inside = resource.inside_json.get(name)
        if inside:
            found |= {f"{name}.{way}": part for way, part in _ways(inside)}
        else:
            found |= dict(_ways_inside(name, dtype))
    return found | dict(_ways(resource.envelope_fields))


def _ways(schema: Schema) -> Iterator[tuple[str, Any]]:
    for name, dtype in schema.items():
        yield from _ways_inside(name, dtype)


def _ways_inside(way: str, dtype: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(dtype, pl.List) and isinstance(dtype.inner, pl.Struct | pl.List):
        yield from _ways_inside(f"{way}[]", dtype.inner)
    elif isinstance(dtype, pl.Struct):
        for field in dtype.fields:
            yield from _ways_inside(f"{way}.{field.name}", field.dtype)
    else:
        yield way, dtype


def _filled(resource: Resource, fillings: Iterable[_Named]) -> Mapping[str, list[str]]:
    """Return the columns that each way to a field fills."""
    filled: dict[str, list[str]] = defaultdict(list)
    if resource.destructive:
        return filled
    for name, column, filling in fillings:
        if filling.resource is resource:
            for path in filling.fields:
                filled[_plain(path)].append(code(f"{name}.{column}"))
    return filled


def _meets(path: str, field: str) -> bool:
    """Return whether a way that an expression reads is that of a field, or leads into it."""
    own = _plain(field)
    if path.endswith(".*"):
        return "{n}" in own and own.startswith(path.removesuffix("*"))
    return path == own or path.startswith(f"{own}.")


def _plain(way: str) -> str:
    return way.replace("[]", "")
