"""How OnePageCRM's lists are asked for: a page of a list, a list that comes whole, a list for each of other records."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import polars as pl

from crmlab.connector import (
    ChangeFilter,
    Context,
    PageSize,
    Request,
    Resource,
    Wanted,
    fill_path,
    get,
    one_value,
)
from crmlab.providers.onepagecrm import fields, views
from crmlab.providers.onepagecrm.pages import (
    asks_for_history,
    ignores_period,
    numbered_pages,
    total,
)

_PER_PAGE = 100
#: ``modified_since`` is compared with the time that the service
#: itself wrote: no more than its machines may differ by
CHANGED = ChangeFilter(overlap=dt.timedelta(minutes=10))
#: how deals are asked for that are one of these
_STATUSES: Mapping[frozenset[str], Mapping[str, str]] = {
    frozenset({"pending"}): {"status": "pending"},
    frozenset({"won"}): {"status": "won"},
    frozenset({"lost"}): {"status": "lost"},
    frozenset({"won", "lost"}): {"status": "closed"},
}
#: what `Resource.requests` is
Requests = Callable[[Context], Iterable[Request]]


def first_page(where: str, *, timed: bool = True, **params: str) -> Requests:
    """Page 1 of a list in which new records come last; of a period, those changed in it."""

    def requests(context: Context) -> Iterable[Request]:
        return [_first(where, _in_order(context, timed=timed) | params)]

    return requests


def first_page_of_each(
    parent: str, where: str, tag: str, *, timed: bool = False, **params: str
) -> Requests:
    """Page 1 of a list for each record of another resource, whose id stands for ``{id}``; `tag` keeps that id."""

    def requests(context: Context) -> Iterable[Request]:
        parameters = _in_order(context, timed=timed) | params
        for parent_id in context.rows[parent]["id"].drop_nulls():
            own_params = {
                parameter: value.format(id=parent_id) for parameter, value in parameters.items()
            }
            yield _first(fill_path(where, id=parent_id), own_params, **{tag: parent_id})

    return requests


def unsorted_page(where: str) -> Requests:
    """Page 1 of a list that takes neither an order nor a period."""
    return lambda context: [_first(where, {})]


def deals(context: Context) -> Iterable[Request]:
    """Page 1 of the deals; with their history where the account asks for it."""
    first_requests = [*first_page("/deals")(context)]
    if not asks_for_history(context):
        return first_requests
    return [request.with_params(include_history="true") for request in first_requests]


def _first(where: str, asked: Mapping[str, str], **tags: str) -> Request:
    request = Request(path=where, params=asked, tags=tags)
    return request.with_params(page=1, per_page=_PER_PAGE)


def _in_order(context: Context, *, timed: bool) -> dict[str, str]:
    """Return the parameters that sort a list and, where it is `timed`, those of the period of the fetch."""
    if not timed:
        return {"sort_by": "created_at", "order": "asc"}
    parameters = {"sort_by": _order(context), "order": "asc"}
    if context.since:
        parameters["modified_since"] = str(int(context.since.timestamp()))
    if context.until:
        parameters["unmodified_since"] = str(int(context.until.timestamp()) + 1)
    return parameters


def _order(context: Context) -> str:
    """Return what a list is sorted by: what comes into it while it is read shall come at its end."""
    return "modified_at" if context.since or context.until else "created_at"


def of_deals(wanted: Wanted) -> Mapping[str, str]:
    """Return the parameters of the deals that have these values; a stage is one of pending deals there."""
    parameters = dict(one_value(owner_id="owner_id", pipeline_id="pipeline_id")(wanted))
    statuses = wanted.get("status", frozenset())
    if statuses:
        parameters |= _STATUSES.get(statuses, {})
    if statuses == {"pending"}:
        parameters |= one_value(stage="stage")(wanted)
    return parameters


def inserted_at(context: Context) -> pl.Expr:
    """Return when a record came into a list that is asked for by a period."""
    return views.utc_time(_order(context))


def created_at(context: Context) -> pl.Expr:
    """Return when a record came into a list that takes no period."""
    return views.utc_time("created_at")


def paged(name: str, record: str, **more: Any) -> Resource:
    """A list in pages that counts itself; `more` says what is different, or beside it."""
    usual_settings: dict[str, Any] = {
        "requests": first_page(f"/{name}"),
        "path": ("data", name),
        "follow": numbered_pages,
        "page_size": PageSize(name="per_page"),
        "total": total,
        "inserted_at": inserted_at,
        "remark": ignores_period,
        "projection": fields.LEAN,
    }
    return Resource(name=name, unwrap=record, **(usual_settings | more))


def told_pages(name: str, record: str | None, **more: Any) -> Resource:
    """A list documented without parameters for pages: asked once, and followed where there are more."""
    return Resource(
        name=name,
        requests=get(f"/{name}"),
        path=("data", name),
        unwrap=record,
        follow=numbered_pages,
        total=total,
        **more,
    )


def whole(name: str, record: str | None, doc: str, **more: Any) -> Resource:
    """A list that comes whole, whatever its length: asked once, never paged."""
    return Resource(name=name, doc=doc, requests=get(f"/{name}"), unwrap=record, **more)
