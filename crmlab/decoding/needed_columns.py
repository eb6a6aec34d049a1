"""What of the records has to be read for the wanted tables, told by the expressions that make these."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from crmlab.connector import Context, Resource, Schema, View
from crmlab.schema import UTC


def declared_views(resource: Resource, context: Context, wanted: set[str]) -> Sequence[View]:
    """Return the views of the wanted tables.

    Where no table is wanted none are made, for what they need to know may not be there.
    """
    if not wanted:
        return ()
    views = resource.views
    if callable(views):
        views = views(context)
    return [view for view in views if view.table in wanted]


def inserted_at(resource: Resource, context: Context) -> pl.Expr:
    """Return the time at which a record came to be; null where the resource does not tell it."""
    if resource.inserted_at is None:
        return pl.lit(None, UTC)
    return resource.inserted_at(context)


def computed_columns(
    resource: Resource, context: Context, views: Sequence[View], *, raw: bool, exports: bool
) -> Mapping[str, pl.Expr]:
    """Return the columns that have to be made of the whole record: those that something reads."""
    if raw or not resource.computed:
        return resource.computed
    roots = _roots(_expressions(resource, context, views, exports=exports))
    return {name: expression for name, expression in resource.computed.items() if name in roots}


def needed_fields(
    resource: Resource,
    context: Context,
    views: Sequence[View],
    documented: Schema,
    *,
    exports: bool,
) -> Schema:
    """Return the fields that the wanted tables read, nested ones as narrow as they may be."""
    computed = computed_columns(resource, context, views, raw=False, exports=exports)
    expressions = _expressions(resource, context, views, exports=exports)
    roots = _roots([*expressions, *computed.values()])
    narrow = {**documented, **resource.projection}
    needed = {name: narrow[name] for name in documented if name in roots}
    if not needed:
        # one field at least, so that records without any wanted field are still counted
        first_name = next(iter(documented))
        needed[first_name] = documented[first_name]
    return needed


def _expressions(
    resource: Resource, context: Context, views: Sequence[View], *, exports: bool
) -> list[pl.Expr]:
    """Return all that is made of the columns of a record."""
    expressions = [resource.key, inserted_at(resource, context)]
    if exports:
        expressions += resource.exports.values()
    for wanted_view in views:
        expressions += wanted_view.columns.values()
        if wanted_view.explode is not None:
            expressions.append(wanted_view.explode)
        if wanted_view.where is not None:
            expressions.append(wanted_view.where)
    return expressions


def _roots(expressions: Iterable[pl.Expr]) -> set[str]:
    """Return the columns that these expressions read."""
    roots: set[str] = set()
    for expression in expressions:
        roots.update(expression.meta.root_names())
    return roots
