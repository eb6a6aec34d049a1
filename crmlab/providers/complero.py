"""Complero API 1.0: who confirmed or changed the data and consents that companies hold of them.

Sources: the vendor's API reference and api.complero.com/docs (basics: security, poll, push,
guarantees). There is no list of contacts: the events feed is the only bulk read, so a contact is
here as its newest event shows it, and a contact without events is not seen at all.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
import polars as pl

from crmlab.errors import ApiError
from crmlab.expressions import full_name, iso_time, text, texts
from crmlab.paging import cursor
from crmlab.provider import JSON, Context, Field, Limits, Operation, Provider, Resource, Schema, View
from crmlab.request import Page, Request, path, refuse

#: only ``/ping`` is documented with its path; the others are guessed from the documented names.
#: Read whenever a request is made: to correct one, assign to it before fetching
PATHS = {
    "ping": "/ping",
    "events": "/events",
    "latest_events": "/events/latest",
    "contact": "/contacts/{id}",
    "employee": "/employees/{id}",
    "operations": "/operations",
    "operation": "/operations/{id}",
}

#: the kinds of event asked for, one list each: without a filter only the first two come, and how
#: several are joined in one filter is not documented
EVENT_TYPES = ("confirm", "update", "documentation")
_LIMIT = 1000
#: whether the edges of a period belong to it is not documented: ask for a little more
_OVERLAP = dt.timedelta(seconds=1)


class _Refusal(msgspec.Struct):
    message: Any = None
    validation_errors: Any = None


def _sign(request: Request, secrets: Mapping[str, str]) -> Request:
    return request.with_headers(Authorization=f"Bearer {secrets['api_key']}")


def _check(page: Page) -> None:
    if 200 <= page.status < 300:
        if page.request.path != PATHS["ping"]:  # what it answers is not documented
            page.read(msgspec.Raw)
        return
    try:
        refusal = msgspec.json.decode(page.body, type=_Refusal)
    except (msgspec.DecodeError, UnicodeDecodeError):  # a proxy's page, say: the status is enough
        refusal = _Refusal()
    detail = str(refusal.message or "")
    if refusal.validation_errors:
        detail = f"{detail} {json.dumps(refusal.validation_errors)}".strip()
    raise refuse(page, now=time.time(), detail=detail)


_pages = cursor(
    lambda page: page.header("next-cursor"), lambda request, token: request.with_params(cursor=token)
)


def _period(context: Context) -> dict[str, str]:
    asked = {"limit": str(_LIMIT)}
    if context.since:
        asked["from"] = _iso(context.since - _OVERLAP)
    if context.until:
        asked["to"] = _iso(context.until + _OVERLAP)
    return asked


def _iso(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _event_lists(context: Context) -> Iterable[Request]:
    return [
        Request(path=PATHS["events"], params={**_period(context), "type": kind}) for kind in EVENT_TYPES
    ]


def _type_not_known(error: ApiError, request: Request) -> bool:
    """One page of the documentation knows this type as a filter, another does not."""
    return error.status == 400 and request.params.get("type") == "documentation"


def _latest_events(context: Context) -> Iterable[Request]:
    return [Request(path=PATHS["latest_events"], params={"limit": str(_LIMIT)})]


def _operation_list(context: Context) -> Iterable[Request]:
    return [Request(path=PATHS["operations"], params=_period(context))]


def _employees(context: Context) -> Iterable[Request]:
    """One request for each employee whom contacts are assigned to: there is no list of them."""
    ids = context.rows["events"].select(_inside("employee_id")).to_series()
    return [
        Request(path=path(PATHS["employee"], id=each))
        for each in ids.unique(maintain_order=True).drop_nulls()
        if each.strip()
    ]


def _is_gone(error: ApiError, request: Request) -> bool:
    """An employee that old events name may have been deleted since."""
    return error.status == 404


def _by_id(name: str, doc: str) -> Operation:
    def request(id: str) -> Request:
        return Request(path=path(PATHS[name], id=id))

    return Operation(name=name, doc=doc, request=request)


def _plain(name: str) -> Callable[[], Request]:
    return lambda: Request(path=PATHS[name])


# ---- records ------------------------------------------------------------------------------------
# Contact, employee and operation as documented. The fields of an event are lost from every copy of
# the reference, and so are the insides of a contact's sections, documentation and data: an event
# keeps its contact as JSON.


def _scalars(*names: str) -> Schema:
    return dict.fromkeys(names, pl.String)


CONTACT: Schema = {
    **_scalars(
        "id", "first_name", "last_name", "birthday", "company", "degree", "employee_id", "language",
        "name_suffix", "nationality", "position", "salutation", "title", "website",
    ),
    "tags": pl.List(pl.String),
}  # fmt: skip
EVENT: Schema = {
    **_scalars("id", "event_id", "type", "created_at", "occurred_at", "timestamp", "source", "channel", "contact_id"),
    "contact": JSON,
    "documentation": JSON,
}
EMPLOYEE: Schema = {
    **_scalars(
        "id", "email", "first_name", "last_name", "city", "department", "fax_number", "house_number",
        "phone_number", "position", "profile_picture_url", "street", "website", "zip_code",
    ),
    "data": JSON,
    "tags": pl.List(pl.String),
}  # fmt: skip
OPERATION: Schema = {**_scalars("id", "created_at", "status", "type", "model"), "items": JSON}


def _fingerprints(events: pl.Series) -> pl.Series:
    """Return an id made of the content for events without one; null for empty events."""
    frame = events.struct.unnest()
    found: list[str | None] = [None] * len(frame)
    nameless = pl.coalesce(text("id"), text("event_id")).is_null()
    for row in frame.with_row_index("").filter(nameless).iter_rows(named=True):
        if content := {name: value for name, value in row.items() if name and value is not None}:
            canonical = json.dumps(content, sort_keys=True, ensure_ascii=False).encode()
            found[row[""]] = hashlib.sha256(canonical).hexdigest()[:32]
    return pl.Series(found, dtype=pl.String)


def _lengths(lists: pl.Series) -> pl.Series:
    """Return how many elements each JSON list has; null for what is no list."""
    found = [msgspec.json.decode(each) if each else None for each in lists]
    return pl.Series([len(each) if isinstance(each, list) else None for each in found], dtype=pl.Int64)


# ---- records as rows of the shared tables -------------------------------------------------------


def _inside(field: str) -> pl.Expr:
    return pl.col("contact").str.json_path_match(f"$.{field}")


#: the contact of an event, read once: documented fields, and the JSON of what is not
_CONTACT = pl.concat_list(
    pl.struct(
        pl.col("contact").str.json_decode(pl.Struct(dict(CONTACT))).alias("contact"),
        _inside("section_work").alias("work"),
        _inside("section_private").alias("private"),
        _inside("documentation").alias("documentation"),
    )
)


def _contact(field: str) -> pl.Expr:
    return pl.col("item").struct.field("contact").struct.field(field)


_EVENT_ID = pl.coalesce(
    text("id"),
    text("event_id"),
    pl.struct(*EVENT).map_batches(_fingerprints, return_dtype=pl.String, is_elementwise=True),
)
_EVENT_TIME = iso_time(pl.coalesce(text("occurred_at"), text("timestamp"), text("created_at")))

# The insides of sections are not documented, so what looks like an e-mail address, a telephone
# number or a yes or no is looked for wherever it stands.
_WORK, _PRIVATE = pl.col("item").struct.field("work"), pl.col("item").struct.field("private")
_SECTIONS = pl.concat_str(_WORK, _PRIVATE, separator=" ", ignore_nulls=True)


def _found(pattern: str) -> pl.Expr:
    """Return what the pattern's group holds, wherever it matches, each once."""
    groups = pl.element().str.extract(pattern, 1)
    return texts(_SECTIONS.str.extract_all(pattern).list.eval(groups).list.unique(maintain_order=True))


_EMAILS = _found(r'"([^"\s@]+@[^"\s@]+)"')
_PHONES = _found(r'"(?i:mobile|phone|tel)[^"]*":\s*"([^"]*\d[^"]*)"')
_CHANNELS = _found(r'"([^"]+)":\s*(?:true|false)\b')
_HAS_PLACE = _WORK.str.contains(r'"(?:street|city|zip_code|country)":\s*"[^"]')
_ADDRESS = pl.when(_HAS_PLACE).then(_WORK).otherwise(_PRIVATE)


def _place(*names: str) -> pl.Expr:
    """Return the values of the address, joined: that of work, or of home where work has none."""
    values = (text(_ADDRESS.str.json_path_match(f"$.{name}")) for name in names)
    return text(pl.concat_str(*values, separator=" ", ignore_nulls=True))


_DOCUMENTATION = pl.coalesce(pl.col("documentation"), pl.col("item").struct.field("documentation")).str.strip_chars()

_EVENTS = (
    View(
        table="consent_events",
        explode=_CONTACT,
        where=_EVENT_ID.is_not_null(),  # the vendor's own sample holds an empty event
        columns={
            "created_at": iso_time("created_at"),
            "kind": text("type"),
            "contact_id": pl.coalesce(text(_contact("id")), text("contact_id")),
            "contact_email": _EMAILS.list.first(),
            "channel": pl.coalesce(
                text("channel"), pl.when(_CHANNELS.list.len() == 1).then(_CHANNELS.list.first())
            ),
            "source": text("source"),
            "occurred_at": _EVENT_TIME,
            "has_documentation": pl.when(pl.col("type") == "documentation")
            .then(pl.lit(True))
            .otherwise(~_DOCUMENTATION.is_in(["", '""', "{}", "[]", "false"])),
        },
    ),
    View(
        table="contacts",
        explode=_CONTACT,
        where=text(_contact("id")).is_not_null(),
        columns={
            "id": text(_contact("id")),
            "modified_at": _EVENT_TIME,
            "full_name": full_name(_contact("first_name"), _contact("last_name")),
            "first_name": text(_contact("first_name")),
            "last_name": text(_contact("last_name")),
            "job_title": text(_contact("position")),
            "company_name": text(_contact("company")),
            "emails": _EMAILS,
            "phones": _PHONES,
            "street": _place("street", "house_number"),
            "city": _place("city"),
            "state": _place("state"),
            "zip_code": _place("zip_code"),
            "country": _place("country"),
            "language": text(_contact("language")),
            "tags": texts(_contact("tags")),
            "owner_id": text(_contact("employee_id")),
        },
    ),
)
_USERS = (
    View(
        table="users",
        columns={
            "name": full_name("first_name", "last_name"),
            "email": text("email"),
            "role": text("position"),
            "company": text("department"),
            "phone": text("phone_number"),
        },
    ),
)
_OPERATIONS = (
    View(
        table="operations",
        columns={
            "created_at": iso_time("created_at"),
            "kind": text("type"),
            "model": text("model"),
            "status": text("status"),
            "items_count": pl.col("items").map_batches(_lengths, return_dtype=pl.Int64, is_elementwise=True),
        },
    ),
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
            help="from your Complero customer success manager; each company has its own, and the sandbox another",
        ),
    ),
    sign=_sign,
    check=_check,
    # 20 a second by IP: at most one at once and 19 after it leave in any second
    limits=Limits(rate=19, burst=1, concurrency=10, scope="ip"),
    # /ping would not notice a wrong key, and reading an event would mark it as received
    ping=Request(path=PATHS["operations"], params={"limit": "1"}),
    resources=(
        Resource(
            name="events",
            doc="Confirmations, changes and documentation, with the contact; reading them takes them out of "
            "the latest events.",
            requests=_event_lists,
            path=(),
            follow=_pages,
            nothing=_type_not_known,
            wire=EVENT,
            key=_EVENT_ID,
            views=_EVENTS,
        ),
        Resource(
            name="latest_events",
            doc="Events that no call has returned yet; each call takes them out of the list for good.",
            requests=_latest_events,
            path=(),
            wire=EVENT,
            key=_EVENT_ID,
            views=_EVENTS,
            destructive=True,
        ),
        Resource(
            name="employees",
            doc="Employees whom contacts of the events read are assigned to, one request each.",
            requests=_employees,
            path=(),
            single=True,
            nothing=_is_gone,
            wire=EMPLOYEE,
            views=_USERS,
            after=("events",),
        ),
        Resource(
            name="operations",
            doc="Uploads of contacts and employees, and how they went.",
            requests=_operation_list,
            path=(),
            follow=_pages,
            wire=OPERATION,
            views=_OPERATIONS,
        ),
    ),
    operations=(
        Operation(name="ping", doc="Whether the service can be reached; the key is not looked at.", request=_plain("ping")),
        _by_id("contact", "One contact by its id, as it is now."),
        _by_id("employee", "One employee by the company's own id."),
        _by_id("operation", "One operation by its id."),
        Operation(
            name="latest_events",
            doc="Events that no call has returned yet; they do not come again.",
            request=_plain("latest_events"),
            destructive=True,
        ),
    ),
    assumptions=(
        *(
            f"{name.replace('_', ' ')}: the path is {where}"
            for name, where in PATHS.items()
            if name != "ping"
        ),
        "an event has id or event_id, type, occurred_at, timestamp or created_at, and contact; perhaps source, "
        "channel, contact_id, documentation; one without id gets one made of its content",
        "events are asked for type by type; a service that does not know documentation as a type has none",
        "a contact's sections hold e-mail addresses, mobile, phone, street, house_number, city, zip_code, state, "
        "country, and consents as true or false by channel; an event that names one channel is about that one",
        "an empty documentation object means that there is none",
        "a contact is as its newest event shows it; contacts without events of these types are not seen",
        "an employee that answers 404 was deleted since the event",
        "a cursor is sent with the filters that it came from; errors have a message; too many requests answer 429",
    ),
)
