"""Declarations of a provider read without asking any service: contexts made of placeholders."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any
from urllib.parse import unquote

import polars as pl

from crmlab.connector.provider import Provider
from crmlab.connector.request import Request
from crmlab.connector.resource import JSON, RECORD, Context, Resource, Schema, View
from docs.pages import reading

#: what stands for a value that only the account knows, and another that shows where it was used
ID, OTHER = "{id}", "{other}"
_NOW = dt.datetime(2026, 1, 31, tzinfo=dt.UTC)


@dataclass(frozen=True, kw_only=True)
class Filling:
    """What fills one column of a shared table: fields of a resource's records, and what else is looked at."""

    provider: Provider
    resource: Resource
    #: the documented fields; ``_name`` is a constant of the request
    fields: tuple[str, ...]
    #: the same text in every row
    constant: str | None
    #: resources, or settings of the account, whose values the column depends on
    with_: tuple[str, ...]


def context(provider: Provider, resource: Resource, **values: str) -> Context:
    """Return a context in which the records and settings that it may know each hold one placeholder.

    `values`: other placeholders than `ID`, by resource or setting.
    """
    needed = {
        name: provider.resource(name)
        for name in (*resource.needs_before_request, *resource.needs_before_decode)
    }
    rows = {
        name: _one_row(_known(provider, each), values.get(name, ID))
        for name, each in needed.items()
    }
    options = {
        field.name: values.get(field.name, ID) for field in provider.fields if not field.secret
    }
    return Context(now=_NOW, rows=rows, options=options)


def _known(provider: Provider, resource: Resource) -> Schema:
    """Return what other resources know of its records."""
    if resource.exports:
        return dict.fromkeys(resource.exports, pl.String)
    schema = (
        resource.schema(context(provider, resource))
        if callable(resource.schema)
        else resource.schema
    )
    return {**schema, **_computed(resource, schema)}


def _computed(resource: Resource, schema: Schema) -> Schema:
    """Return the types of what is computed of the whole record."""
    whole = {**schema, RECORD.meta.output_name(): pl.String}
    return pl.LazyFrame(schema=whole).select(**resource.computed).collect_schema()


def _one_row(schema: Schema, text: str) -> pl.DataFrame:
    return pl.DataFrame(
        {name: [_value(dtype, text)] for name, dtype in schema.items()}, schema=dict(schema)
    )


def _value(dtype: Any, text: str) -> Any:
    if isinstance(dtype, pl.List):
        return [_value(dtype.inner, text)]
    if isinstance(dtype, pl.Struct):
        return {field.name: _value(field.dtype, text) for field in dtype.fields}
    plain: Mapping[Any, Any] = {pl.String: text, JSON: b"{}", pl.Boolean: True}
    return plain.get(dtype, 1)


def asked(provider: Provider, resource: Resource) -> Request | None:
    """Return a first request of the resource, placeholders in it; None where it depends on more than one account."""
    return next(iter(islice(resource.requests(context(provider, resource)), 1)), None)


def all_asked(provider: Provider, resource: Resource) -> list[Request]:
    """Return the first requests of the resource, the first hundred where there are more."""
    return list(islice(resource.requests(context(provider, resource)), 100))


def asks_for_period(provider: Provider, resource: Resource) -> bool:
    """Return whether the service is asked for the period of a fetch; found out by asking for another one."""
    whole = context(provider, resource)
    days = replace(whole, since=_NOW - dt.timedelta(days=3), until=_NOW - dt.timedelta(days=1))
    return [each.key for each in resource.requests(whole)] != [
        each.key for each in resource.requests(days)
    ]


def shown(request: Request) -> str:
    """Return method and path, the placeholders in braces."""
    return f"{request.method} {unquote(request.path)}"


def views(provider: Provider, resource: Resource, **values: str) -> tuple[View, ...]:
    """Return how its records become rows."""
    if callable(resource.views):
        return resource.views(context(provider, resource, **values))
    return resource.views


def fillings(provider: Provider) -> Iterator[tuple[str, str, Filling]]:
    """Return (table, column, what fills it) for everything that a provider fills without being told to change it."""
    for resource in provider.resources:
        if resource.destructive:
            continue
        plain = views(provider, resource)
        names = (
            *resource.needs_before_request,
            *resource.needs_before_decode,
            *(f.name for f in provider.fields if not f.secret),
        )
        others = {name: views(provider, resource, **{name: OTHER}) for name in names}
        for place, view in enumerate(plain):
            for column, expression in {"id": resource.key, **view.columns}.items():
                same = reading.tree(expression)
                other = {
                    n: reading.tree(o[place].columns.get(column, resource.key))
                    for n, o in others.items()
                }
                with_ = tuple(name for name, tree in other.items() if tree != same)
                found = reading.fields(expression, item=view.explode)
                yield (
                    view.table,
                    column,
                    Filling(
                        provider=provider,
                        resource=resource,
                        fields=tuple(path for path in found if path != ID),
                        constant=_constant(same) if not found and not with_ else None,
                        with_=with_,
                    ),
                )


def _constant(tree: Any) -> str | None:
    """Return the text that the expression is."""
    literal = tree.get("Literal") if isinstance(tree, dict) else None
    value = literal.get("Scalar") if isinstance(literal, dict) else None
    return str(next(iter(value.values()))) if isinstance(value, dict) else None
