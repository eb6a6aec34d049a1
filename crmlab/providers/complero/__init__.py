"""Complero API 1.0: who confirmed or changed the data and consents that companies hold of them.

Sources: the vendor's API reference and api.complero.com/docs (basics: security, poll, push,
guarantees). There is no list of contacts: the events feed is the only bulk read, so a contact is
here as its newest event shows it, and a contact without events is not seen at all.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import msgspec
import polars as pl

from crmlab.connector import (
    ChangeFilter,
    Context,
    Fact,
    Field,
    Limits,
    Page,
    PageSize,
    Paginator,
    Provider,
    Pushdown,
    Request,
    Resource,
    Span,
    chain,
    fill_path,
    link_parts,
    linked,
    loaded_from,
    page_size_fact,
    pointer,
    read_refusal,
    refuse,
    text,
    time_slices,
    time_zone_fact,
    unix_seconds,
    until_empty,
    whole_number,
)
from crmlab.errors import ApiError, PagingError, TransportError
from crmlab.providers.complero import fields, views
from crmlab.providers.complero.asking import at_path, iso
from crmlab.providers.complero.paths import PATHS

if TYPE_CHECKING:
    from crmlab.connector import Operation

#: the kinds of event asked for, one list each: without a filter only the first two come, and how
#: several are joined in one filter is not documented
EVENT_TYPES = ("confirm", "update", "documentation")
_LIMIT = 1000
#: the address in a link that is written as in a Link header (RFC 8288): ``<https://...>; rel="next"``
_LINK = re.compile(r'<([^<>]*)>(?:\s*;[^,]*\brel="?next\b|\s*$)')
#: the header that names the next page; words in the names
#: of headers like it, and in those that count a list
_CURSOR = "next-cursor"
_LEADS_ON = re.compile("next|cursor|continu|has-?more", re.IGNORECASE)
_COUNTS = re.compile(r"^x-total(-count)?$|^total-count$|^x-count$", re.IGNORECASE)
_LINK_TO_NEXT = re.compile(r"""rel=["']?next\b""", re.IGNORECASE)
#: parameters that a list is asked with whatever its period, and whatever its page
_FILTERS = ("type", "limit")
#: seconds; whether the edges of a period belong to it is not documented: ask for a little more
_OVERLAP = 1
#: an event is chosen by when it occurred: one of a device that was offline
#: may arrive later; an upload of a day before may have been done since
_CHANGED = ChangeFilter(overlap=dt.timedelta(days=1), of_events=True)


class _Refusal(msgspec.Struct):
    message: Any = None
    validation_errors: Any = None


def _sign(request: Request, secrets: Mapping[str, str]) -> Request:
    return request.with_headers(Authorization=f"Bearer {secrets['api_key']}")


def _check(page: Page) -> None:
    if page.succeeded:
        if page.request.path != PATHS["ping"]:  # what it answers is not documented
            page.read(msgspec.Raw)
        return
    refusal = read_refusal(page, _Refusal())
    description = str(refusal.message or "")
    if refusal.validation_errors:
        description = f"{description} {json.dumps(refusal.validation_errors)}".strip()
    raise refuse(page, now=time.time(), detail=description)


class _Timed(msgspec.Struct):
    """A record's time; of an event's names for it, the first that stands there."""

    occurred_at: Any = None
    timestamp: Any = None
    created_at: Any = None


class _Upload(msgspec.Struct):
    created_at: str = ""
    model: str = ""
    type: str = ""


def _times(page: Page) -> Iterable[object]:
    try:
        records = page.read(list[_Timed])
    except TransportError:
        # records of a shape that nobody expects are rejected one by one, elsewhere
        return []
    return [record.occurred_at or record.timestamp or record.created_at for record in records]


def _span(request: Request) -> Span:
    return Span(unix_seconds(request.params.get("from")), unix_seconds(request.params.get("to")))


def _ignores_period(page: Page) -> str:
    """Return what is to be said of the first page of a period that holds a record of another time."""
    period = _span(page.request)
    if "cursor" in page.request.params or period == (None, None):
        return ""
    for moment in map(unix_seconds, _times(page)):
        if moment is None:
            continue
        is_earlier = period.since is not None and moment < period.since
        is_later = period.until is not None and moment > period.until
        if is_earlier or is_later:
            return (
                "records of other times came than from and to ask for: shared tables leave them out, and the "
                "service's own records hold them"
            )
    return ""


def _within(request: Request, since: int | None, until: int | None) -> Request:
    """Return the same request for another period."""
    parameters = {name: value for name, value in request.params.items() if name in _FILTERS}
    if since is not None:
        parameters["from"] = iso(since)
    if until is not None:
        parameters["to"] = iso(until)
    return replace(request, params=parameters)


def _next_page(page: Page, header: str) -> Request | None:
    """Return the request for the next page: by the cursor of its own header, else by the link, without its host."""
    token = pointer(page.header(header))
    if token:
        return page.request.with_params(cursor=token)
    address = page.header("next-link") or ""
    in_brackets = _LINK.search(address)
    if in_brackets:
        address = in_brackets[1]
    next_link = pointer(address)
    if next_link is None:
        return None
    cursors = parse_qs(link_parts(next_link).query).get("cursor", [""])
    token = pointer(cursors[0])
    if token:  # the filters of the request stay as they are, whatever the link makes of them
        return page.request.with_params(cursor=token)
    return linked(page.request, next_link)


def _lacks_pointer(page: Page, header: str = _CURSOR) -> str:
    """Return what is to be said of a page that names no next one where others would, but in a header like it."""
    try:
        following = _next_page(page, header)
    except PagingError:  # it names one that is not followed, which is told
        return ""
    if following or _is_empty(page):
        return ""
    similar_headers = []
    linked_next = []
    for name, value in page.headers.items():
        may_lead_on = _LEADS_ON.search(name) and pointer(value) is not None
        if may_lead_on and name not in (header, "next-link"):
            similar_headers.append(name)
        if name == "link" and _LINK_TO_NEXT.search(value):
            linked_next.append(name)
    if not similar_headers and not linked_next:
        return ""
    headers = ", ".join([*similar_headers, *linked_next])
    return (
        f"a page names no next one in {header}, but there is the header {headers}, which nobody documents: "
        "there may be more. crmlab.probe(account) looks what leads to it"
    )


def _mentioned(page: Page) -> int | None:
    """Return how many records a list has by a header that nobody documents."""
    counts = []
    for name, value in page.headers.items():
        if _COUNTS.search(name):
            counts.append(whole_number(value))
    return max((count for count in counts if count is not None), default=None)


def _followed(header: str) -> Paginator:
    """Return how a list is followed whose next page that header names."""
    pages = chain(partial(_next_page, header=header))
    return time_slices(pages, times=_times, span=_span, cut=_within, overlap=_OVERLAP)


_slices = _followed(_CURSOR)


def _list(name: str, context: Context) -> Request:
    """Ask for a list, for the period of the fetch if it has one."""
    since = None
    until = None
    if context.since:
        since = int(context.since.timestamp()) - _OVERLAP
    if context.until:
        until = int(context.until.timestamp()) + _OVERLAP
    return _within(Request(path=PATHS[name], params={"limit": str(_LIMIT)}), since, until)


def _event_lists(context: Context) -> Iterable[Request]:
    return [_list("events", context).with_params(type=kind) for kind in EVENT_TYPES]


def _type_not_known(error: ApiError, request: Request) -> bool:
    """One page of the documentation knows this type as a filter, another does not."""
    return error.status == 400 and request.params.get("type") == "documentation"


def _is_empty(page: Page) -> bool:
    """Whether nothing was left; an answer that is no list of events is told elsewhere, and asked no further."""
    try:
        return not page.read(list[msgspec.Raw])
    except TransportError:
        return True


def _latest_events(context: Context) -> Iterable[Request]:
    return [Request(path=PATHS["latest_events"], params={"limit": str(_LIMIT)})]


def _operation_list(context: Context) -> Iterable[Request]:
    return [_list("operations", context)]


def _one_each(
    context: Context, operation: str, exported: str, path: str | None = None
) -> Iterable[Request]:
    """One request for each employee or contact that the events read name: there is no list of either."""
    ids = context.rows["events"][exported].drop_nulls().unique(maintain_order=True)
    # a part of a path that is nothing, or dots alone, would make it another path
    usable_ids = [record_id for record_id in ids if record_id.strip() not in ("", ".", "..")]
    template = path or PATHS[operation]
    return [Request(path=fill_path(template, id=record_id)) for record_id in usable_ids]


_employees = partial(_one_each, operation="employee", exported="employee_id")
_contacts = partial(_one_each, operation="contact", exported="contact_id")


def _is_gone(error: ApiError, request: Request) -> bool:
    """An employee or contact that old events name may have been deleted since."""
    return error.status == 404


def _newest_upload(page: Page) -> str:
    """Say what there is to recognise the company by: nothing that can be read names it."""
    uploads = page.read(list[_Upload])
    if not uploads:
        return "no uploads yet"
    newest_upload = uploads[0]
    return f"newest upload: {newest_upload.model or newest_upload.type} of {newest_upload.created_at:.10}"


def _operations() -> tuple[Operation, ...]:
    from crmlab.providers.complero.operations import operations  # noqa: PLC0415  # its models load when one is called

    return operations()


# ---- facts ----------------------------------------------------------------------------------------


def _follow_by(resource: Resource, header: str) -> Resource:
    """Return a list whose next page another header names."""
    if resource.follow is not _slices:
        return resource
    return replace(
        resource, follow=_followed(header), lacking=partial(_lacks_pointer, header=header.lower())
    )


def _path_fact(resource: str, name: str) -> Fact:
    """Return the fact that a resource is at another path."""

    def apply(each: Resource, path: str) -> Resource:
        if each.name != resource:
            return each
        if "{id}" in PATHS[name]:
            requests = partial(_one_each, operation=name, exported=f"{name}_id", path=path)
            return replace(each, requests=requests)
        return replace(each, requests=at_path(each.requests, path))

    def ask(request: Request, path: str) -> Request:
        if request.path != PATHS[name]:
            return request
        return replace(request, path=path)

    return Fact(
        name=f"{name}_path",
        doc=f"the path of {resource}, such as {PATHS[name]!r}",
        type_=str,
        check=partial(_checked_path, name=name),
        apply=apply,
        ask=ask,
    )


#: a path that may be asked for, with or without the place for an id
_PATH = re.compile(r"(/(?!\.+(?:/|$))([\w.~%@:+-]+|{\w+}))+/?")


def _checked_path(path: str, name: str) -> str:
    needed_parts = set(re.findall(r"{\w+}", PATHS[name]))
    if not _PATH.fullmatch(path) or set(re.findall(r"{[^{}]*}", path)) != needed_parts:
        raise ValueError(f"it must be a path such as {PATHS[name]!r}")
    return path


_FACTS = (
    Fact(
        name="cursor_header",
        doc="the header that names the next page, in the place of 'Next-Cursor'",
        type_=str,
        apply=_follow_by,
        only_adds=True,
    ),
    page_size_fact(),
    time_zone_fact(events=("occurred_at", "timestamp", "created_at"), operations=("created_at",)),
    _path_fact("events", "events"),
    _path_fact("operations", "operations"),
    _path_fact("employees", "employee"),
    _path_fact("contacts", "contact"),
)

PROVIDER = Provider(
    name="complero",
    title="Complero",
    base_url="https://api.complero.com/v1",
    home="https://api.complero.com/docs/",
    fields=(
        Field(
            name="api_key",
            label="API key",
            help="from your Complero customer success manager; each company has its own, and the "
            "sandbox another",
        ),
    ),
    sign=_sign,
    check=_check,
    limits=Limits(rate=20, burst=20, concurrency=10, scope="ip"),
    # /ping would not notice a wrong key, and reading an event would mark it as received
    ping=Request(path=PATHS["operations"], params={"limit": "1"}),
    reached=_newest_upload,
    ping_resource="operations",
    resources=(
        Resource(
            name="events",
            doc="Confirmations, changes and documentation, with the contact; reading them takes "
            "them out of the latest events.",
            requests=_event_lists,
            path=(),
            follow=_slices,
            change_filter=_CHANGED,
            remark=_ignores_period,
            lacking=_lacks_pointer,
            mentioned=_mentioned,
            page_size=PageSize(name="limit"),
            is_empty_answer=_type_not_known,
            schema=fields.EVENT,
            inside_json={"contact": fields.INSIDE_CONTACT},
            computed=views.COMPUTED,
            key=views.EVENT_ID,
            views=views.EVENTS,
            pushdown={"consent_events": Pushdown(time="occurred_at")},
            unknown_words=views.UNKNOWN_KINDS,
            exports={
                "employee_id": views.inside("employee_id"),
                "contact_id": pl.coalesce(views.inside("id"), text("contact_id")),
            },
        ),
        Resource(
            name="latest_events",
            doc="Events that no call has returned yet; each call takes them out of the list for "
            "good.",
            requests=_latest_events,
            path=(),
            follow=until_empty(_is_empty),
            schema=fields.EVENT,
            inside_json={"contact": fields.INSIDE_CONTACT},
            computed=views.COMPUTED,
            key=views.EVENT_ID,
            views=views.EVENTS,
            unknown_words=views.UNKNOWN_KINDS,
            destructive=True,
        ),
        Resource(
            name="employees",
            doc="Employees whom contacts of the events read are assigned to, one request each.",
            requests=_employees,
            path=(),
            single=True,
            is_empty_answer=_is_gone,
            never_all_empty=True,
            schema=fields.EMPLOYEE,
            views=views.USERS,
            needs_before_request=("events",),
        ),
        Resource(
            name="contacts",
            doc="Each contact that the events read name, as it is now, one request each: the "
            "contacts of the shared table are as their newest event shows them.",
            requests=_contacts,
            path=(),
            single=True,
            is_empty_answer=_is_gone,
            never_all_empty=True,
            schema=fields.INSIDE_CONTACT,
            needs_before_request=("events",),
        ),
        Resource(
            name="operations",
            doc="Uploads of contacts and employees, and how they went.",
            requests=_operation_list,
            path=(),
            follow=_slices,
            change_filter=_CHANGED,
            remark=_ignores_period,
            lacking=_lacks_pointer,
            mentioned=_mentioned,
            page_size=PageSize(name="limit"),
            schema=fields.OPERATION,
            views=views.OPERATIONS,
        ),
    ),
    operations=_operations,
    targets=loaded_from("crmlab.providers.complero.targets", "TARGETS"),
    assumptions=(
        *(
            f"{name.replace('_', ' ')}: the path is {where}"
            for name, where in PATHS.items()
            if name != "ping"
        ),
        "an event has id or event_id, type, occurred_at, timestamp or created_at, and contact; "
        "perhaps source, channel, contact_id, consents, documentation; one without id gets one "
        "made of its content",
        "events are asked for type by type; a service that does not know documentation as a type "
        "has none",
        "a contact's sections hold e-mail addresses, mobile, phone, street, house_number, city, "
        "zip_code, state, country, and consents by channel and purpose",
        "a consent is a yes or no under a key that names a consent, an opt-in or an opt-out; it "
        "is about the event's channel where it names none; yes at work and no at home decides "
        "nothing; documentation and data hold none",
        "a word that names an opt-out itself (unsubscribed, opted out) is a no under any key; one "
        "that names an opt-in there is told as a value that could not be read",
        "the time of an opt-out (opted_out_at) is a no; the time of an opt-in alone is no yes, "
        "and is told as a value that could not be read",
        "an empty documentation object means that there is none",
        "a contact is as its newest event shows it; contacts without events of these types are "
        "not seen",
        "an employee or contact that answers 404 was deleted since the event; where all do, the "
        "path is wrong",
        "a documentation is a PDF; one that is not there answers 404, and any other answer in its "
        "place is an error",
        "a list ends where neither Next-Cursor nor Next-Link names another page; after a full "
        "last page more is asked for by its last time",
        "the latest events are all read when a call returns none",
        "a cursor is sent with the filters that it came from; errors have a message; too many "
        "requests answer 429",
        "every record has a time that from and to filter by; whatever order a list is in, it is "
        "complete within from and to, so long lists are read in slices of time",
    ),
    not_personal=fields.NOT_PERSONAL,
    probes=loaded_from("crmlab.providers.complero.probes", "PROBES"),
    facts=_FACTS,
    not_covered=(
        "the PDF that documents a consent in a table: crmlab.download brings the files, the "
        "events say whether there is one",
    ),
)
