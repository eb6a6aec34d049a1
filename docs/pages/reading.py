"""Which documented fields an expression reads, so that no page has to say it by hand."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import polars as pl

#: what an expression reads: fields, or those of each part of an object that is built on the way
Paths = list[str]
Built = dict[str, Paths]
Names = Mapping[str, Paths | Built]


def fields(expression: pl.Expr, *, item: pl.Expr | None = None) -> Paths:
    """Return the fields of a record that the expression reads: ``contact_info.company``, ``emails[].value``.

    `item`: what ``pl.col("item")`` stands for, the list that a view is exploded by.
    """
    names: Names = {} if item is None else {"item": _items(item)}
    found = [path.removesuffix("[]") for path in _flat(_read(tree(expression), names))]
    # a whole object says nothing where a part of it is read as well
    inside = tuple(found)
    return list(
        dict.fromkeys(
            p for p in found if not any(q.startswith((f"{p}.", f"{p}[]")) for q in inside)
        )
    )


def tree(expression: pl.Expr) -> Any:
    """Return the expression as Polars writes it down; of one with Python inside, the columns it reads."""
    columns = [{"Column": name} for name in dict.fromkeys(expression.meta.root_names())]
    try:
        written = expression.meta.serialize(format="json")
    except pl.exceptions.ComputeError:
        return columns
    # where cloudpickle is installed, Polars writes down what Python does as bytes that say nothing of fields
    return columns if '"AnonymousFunction"' in written else json.loads(written)


def _items(lists: pl.Expr) -> Paths | Built:
    """Return what the elements of a list are; of one that Python makes, each part is made of all that it reads."""
    whole = tree(lists)
    if isinstance(whole, list):
        return defaultdict(lambda: [part["Column"] for part in whole])
    return _elements(_read(whole, {}))


def _elements(whole: Paths | Built) -> Paths | Built:
    return whole if isinstance(whole, dict) else [f"{path.removesuffix('[]')}[]" for path in whole]


def _flat(found: Paths | Built) -> Paths:
    parts = found.values() if isinstance(found, dict) else [found]
    return list(dict.fromkeys(path for part in parts for path in part))


def _all(nodes: list[Any], names: Names) -> Paths | Built:
    found = [_read(node, names) for node in nodes]
    built = next((each for each in found if isinstance(each, dict)), None)
    return built if built is not None else [path for each in found for path in _flat(each)]


def _read(node: Any, names: Names) -> Paths | Built:
    """Return what a node of an expression reads, in Polars' own spelling of expressions."""
    if isinstance(node, list):
        return _all(node, names)
    if not isinstance(node, dict):
        return names["element"] if node == "Element" else []
    found: list[Any] = []
    for kind, inner in node.items():
        if kind == "Column":
            found.append(names.get(inner, [inner]))
        elif kind == "Function":
            found.append(_called(inner["function"], inner["input"], names))
        elif kind == "Eval":
            element = _elements(_read(inner["expr"], names))
            found.append(_read(inner["evaluation"], {**names, "element": element}))
        elif kind != "Literal":
            found.append(_read(inner, names))
    built = next((each for each in found if isinstance(each, dict)), None)
    return built if built is not None else [path for each in found for path in each]


def _called(function: Any, given: list[Any], names: Names) -> Paths | Built:
    if function == "AsStruct":
        return {each["Alias"][1]: _flat(_read(each, names)) for each in given if "Alias" in each}
    whole, part = _all(given, names), _part(function, given)
    if part is None:
        return whole
    if isinstance(whole, dict):
        return whole[part]
    return [f"{path.removesuffix('[]') if part == '*' else path}.{part}" for path in whole]


def _part(function: Any, given: list[Any]) -> str | None:
    """Return the name of the part that is taken out of an object, None where none is."""
    if function == {"StringExpr": "JsonPathMatch"}:
        return str(given[1]["Literal"]["Scalar"]["String"]).removeprefix("$.")
    taken = function.get("StructExpr") if isinstance(function, dict) else None
    name = taken.get("FieldByName") if isinstance(taken, dict) else None
    if name is None:
        return None
    return (
        "*" if name.isdecimal() else str(name)
    )  # a number is a group of a pattern, which may fit several fields
