"""How Altcraft is asked: one POST for everything, and lists of numbered objects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from crmlab.connector import Context, Page, PageSize, Request, Resource, Schema, View
from crmlab.errors import ApiError
from crmlab.providers.altcraft import fields, pages

LIMIT = 1000
PAGE_SIZE = PageSize(name="limit", in_body=True)


def post(method: str, *, tags: Mapping[str, str] | None = None, **body: object) -> Request:
    """Return the request for a method."""
    return Request(path=f"/{method}", method="POST", body=body, tags=tags or {})


def ids(context: Context, resource: str) -> list[str]:
    """Return the ids of the objects that were read of a list."""
    return context.rows[resource]["id"].drop_nulls().to_list()


def number(id: str) -> int | str:
    """Return an id as the service takes it: a number where it is one."""
    if not id.isdigit():
        return id
    return int(id)


def objects(
    name: str,
    doc: str,
    record: Schema = fields.OBJECT,
    views: tuple[View, ...] = (),
    *,
    method: str = "",
    never_empty: str = "",
    kind: str = "",
) -> Resource:
    """Return a list of objects, which is paged by the next object's number; `kind` is the type that is asked for."""
    first_request = post(f"{method or name}/list", from_id=pages.FIRST, limit=LIMIT)
    if kind:
        first_request = first_request.with_body(type=kind)
    return Resource(
        name=name,
        doc=doc,
        requests=lambda context: (first_request,),
        follow=pages.objects,
        total=pages.total,
        lacking=pages.objects_lack_pointer,
        absent_is_empty=True,
        page_size=PAGE_SIZE,
        schema=record,
        views=views,
        never_empty=never_empty,
    )


def for_each(method: str, of: str, *, tag: str = "") -> Callable[[Context], Iterable[Request]]:
    """Return a `Resource.requests` with one request for each object of a list; `tag` says which, in its answer."""

    def requests(context: Context) -> Iterable[Request]:
        for object_id in ids(context, of):
            tags = {}
            if tag:
                tags = {tag: object_id}
            yield post(method, tags=tags, id=number(object_id))

    return requests


def lacks_details(what: str) -> Callable[[Page], str]:
    """Return a `Resource.lacking` for answers without a record to requests for one that is listed."""

    def lacking(page: Page) -> str:
        if not page.lacks_list and not pages.is_empty(page):
            return ""
        return f"a {what} that is listed came without its details"

    return lacking


def lacks_counters(what: str) -> Callable[[Page], str]:
    """Return a `Resource.lacking` for answers without counters; an empty list is one of no channel."""
    return _lacks_list(f"{what} came without its counters")


def lacks_fields(what: str) -> Callable[[Page], str]:
    """Return a `Resource.lacking` for answers without a list of fields; an empty list is one of no field."""
    return _lacks_list(f"{what} came without its fields")


def _lacks_list(remark: str) -> Callable[[Page], str]:
    return lambda page: remark if page.lacks_list else ""


def is_other_database(error: ApiError, request: Request) -> bool:
    """Whether a database does not use this resource: then it has no numbers there."""
    return error.code == "413"
