"""The reference of the shared tables: every column, and which field of which service fills it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import polars as pl

from crmlab.connector.resource import Resource
from crmlab.providers import registry
from crmlab.schema.tables import TABLES, Column, Table
from docs.pages import declared
from docs.pages.declared import Filling
from docs.pages.markdown import code, table

_HEAD = {"provider": "the service", "account": "the account's name"}


def pages() -> dict[str, str]:
    """Return each page by its path."""
    filled = _fillings()
    return {"tables/index.md": _index(filled)} | {
        f"tables/{each.name}.md": _page(each, filled[each.name]) for each in TABLES.values()
    }


def _fillings() -> Mapping[str, Mapping[str, list[Filling]]]:
    found: dict[str, dict[str, list[Filling]]] = defaultdict(lambda: defaultdict(list))
    for provider in registry().values():
        for name, column, filling in declared.fillings(provider):
            found[name][column].append(filling)
    return found


def _index(filled: Mapping[str, Mapping[str, list[Filling]]]) -> str:
    rows = [
        [f"[{each.name}]({each.name}.md)", each.doc, ", ".join(_titles(filled[each.name]))]
        for each in TABLES.values()
    ]
    toctree = "\n".join(TABLES)
    return f"""# Tables

Every frame that `crmlab.fetch` returns has exactly the columns of its table, in this order, whichever services filled
it. `provider`, `account` and `id` are the key, and tables join by them: the `contact_id` of a deal is the `id` of the
contact with the same provider and account. Times are in UTC. A value that a service does not give is null and never
guessed.

{table(["table", "what its rows are", "filled by"], rows)}

```{{toctree}}
:hidden:

{toctree}
```
"""


def _titles(columns: Mapping[str, list[Filling]]) -> list[str]:
    return list(
        dict.fromkeys(each.provider.title for fillings in columns.values() for each in fillings)
    )


def _page(shared: Table, filled: Mapping[str, list[Filling]]) -> str:
    rows = [
        [
            code(name),
            dtype(column.dtype),
            meaning(column) + (" **(personal)**" if column.personal else ""),
            _HEAD.get(name) or "<br>".join(_said(filled.get(name, []))),
        ]
        for name, column in shared.columns.items()
    ]
    return f"""# {shared.name}

{shared.doc} {_window(shared, filled)}

{table(["column", "type", "what it says", "filled from"], rows)}

**personal** marks columns that identify a person or hold a person's words, and you can [mask](../privacy.md) them. In
"filled from", a dot leads into an object and `[]` into each element of a list. If there are several fields, the
column holds the first one that is not blank, or all of them joined.
"""


def meaning(column: Column) -> str:
    """Return what the column says, and with which words."""
    if not column.words:
        return column.doc
    words = ", ".join(code(word) for word in column.words)
    others = ", or another word" if column.other_words else ""
    return f"{column.doc}; one of {words}{others}"


def _window(shared: Table, filled: Mapping[str, list[Filling]]) -> str:
    if shared.window:
        return f"`since` and `until` bound {', where that is null '.join(code(name) for name in shared.window)}."
    every = [each for fillings in filled.values() for each in fillings]
    asked = {
        _link(e.provider.name, e.resource)
        for e in every
        if declared.asks_for_period(e.provider, e.resource)
    }
    return (
        f"Only for the days from `since` to `until`: {', '.join(sorted(asked))}."
        if asked
        else "It comes whole."
    )


def _said(fillings: list[Filling]) -> list[str]:
    """Return a line for each resource; resources that fill it alike share one."""
    alike: dict[tuple[str, str], list[Resource]] = defaultdict(list)
    for each in fillings:
        resources = alike[each.provider.name, _how(each)]
        if each.resource not in resources:
            resources.append(each.resource)
    return [
        f"{', '.join(_link(name, each) for each in found)}: {how}"
        for (name, how), found in alike.items()
    ]


def _link(provider: str, resource: Resource) -> str:
    return f"[{provider}.{resource.name}](#{provider}-{resource.name})"


def _how(filling: Filling) -> str:
    tags = {f"_{tag}": f"the {code(tag)} asked" for tag in filling.resource.tags}
    parts = [tags.get(path) or code(path) for path in filling.fields]
    parts += [f"what {code(name)} says" for name in filling.with_]
    if filling.constant is not None:
        parts.append(f"always {code(filling.constant)}")
    return ", ".join(parts)


def dtype(of: Any) -> str:
    """Return the name of a dtype as Polars prints it, without what is the same everywhere."""
    if isinstance(of, pl.Datetime):
        return "Datetime, UTC"
    if isinstance(of, pl.List):
        return f"List of {dtype(of.inner)}"
    if isinstance(of, pl.Struct):
        return f"{{{', '.join(field.name for field in of.fields)}}}"
    return str(of)
