"""Relenta CRM API v3: contacts, activities and the custom fields of contacts.

Source: the vendor's public document "Relenta API v3" (docs.google.com, linked from relenta.com).
It tells neither page sizes nor where a list ends nor how fast it may be asked; `PROVIDER.assumptions`
says what is assumed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec
import polars as pl

from crmlab.connector import (
    Context,
    Field,
    Limits,
    Page,
    PageSize,
    Provider,
    Request,
    Resource,
    Schema,
    View,
    count_and_names,
    custom,
    first_page_fact,
    flag,
    full_name,
    get,
    iso_time,
    loaded_from,
    page_size_fact,
    read_refusal,
    refuse,
    split,
    text,
    texts,
    time_zone_fact,
    widening,
)
from crmlab.providers.relenta.recurrence import MAX_TIMES, following_times

_PAGE_SIZE = 100
_PLAN_LIMIT = (
    "Relenta answers this also when a limit of the plan is reached, such as the number of contacts"
)

#: what PHP may write for a list without entries
_NO_DATA = (b"[]", b"{}", b"null", b'""', b"false")


class _Envelope(msgspec.Struct):
    status: Any
    code: Any = None
    message: Any = None
    error: Any = None


class _Data(msgspec.Struct):
    data: msgspec.Raw = msgspec.Raw(b"null")


def _sign(request: Request, secrets: Mapping[str, str]) -> Request:
    return request.with_headers(X_Relenta_Department_Key=secrets["api_key"])


def _check(page: Page) -> None:
    """Refuse what HTTP or the envelope calls an error: both are said to carry the code."""
    envelope = (
        page.read(_Envelope) if page.succeeded else read_refusal(page, _Envelope(status=False))
    )
    code = _number(envelope.code)
    says_success = envelope.status in (True, "true", "1") and (200 <= code < 300 or code == 0)
    if page.succeeded and says_success:
        return

    status = page.status
    if page.succeeded:
        # an error that does not say which one may pass, as a failure of the server does
        status = code if code >= 400 else 500
    description = str(envelope.message or envelope.error or "")
    if status == 401:
        description = f"{description} ({_PLAN_LIMIT})".strip()
    raise refuse(page, now=time.time(), detail=description, status=status)


def _number(code: object) -> int:
    written = str(code)
    if not written.isdecimal():
        return 0
    return int(written)


def _is_empty(page: Page) -> bool:
    data = bytes(page.read(_Data).data)
    if len(data) >= 64:  # no need to copy a whole page
        return False
    return data.translate(None, b" \t\r\n") in _NO_DATA


def _pages(path: str) -> Callable[[Context], Iterable[Request]]:
    return get(path, page=1, page_size=_PAGE_SIZE)


# ---- records as documented ----------------------------------------------------------------------
# All text: ids come as text in lists and as numbers elsewhere, truths as true, 1 or "1".

_TIMES = ("dt_created", "dt_modified")
CONTACT: Schema = dict.fromkeys(
    (
        "id", "full_name", "first_name", "last_name", *_TIMES, "emails", "title", "company", "comment",
        "phone", "url", "fax", "messenger", "twitter", "linkedin", "facebook", "text", "address",
        "do_not_mass_email", "do_no_mass_email", "groups", "tags",
    ),
    pl.String,
)  # fmt: skip
ACTIVITY: Schema = dict.fromkeys(
    (
        "id", "activity_type", "label", "calendar_id", "all_day", *_TIMES, "dt_start", "dt_end", "rrule",
        "status", "author", "users", "contacts", "subject", "body",
    ),
    pl.String,
)  # fmt: skip
CUSTOM_FIELD: Schema = {
    **dict.fromkeys(("id", "type", "key", "label", "default_value"), pl.String),
    "choices": pl.List(pl.String),
}
#: of the records of each resource, what tells nothing of a person; custom fields may hold anything
NOT_PERSONAL: Mapping[str, tuple[str, ...]] = {
    "custom_fields": tuple(CUSTOM_FIELD),
    "contacts": (*_TIMES, "title", "company", "do_not_mass_email", "do_no_mass_email", "groups", "tags"),
    "activities": (
        "activity_type", "label", "calendar_id", "all_day", *_TIMES, "dt_start", "dt_end", "rrule", "status",
    ),
}  # fmt: skip


def _labels(context: Context) -> dict[str, str]:
    """Return the label of each custom field by its key, which is its name in a contact."""
    labels = {}
    for key, label in context.rows["custom_fields"].select("key", "label").iter_rows():
        # Polars reads ``*`` and ``^...$`` as patterns for column names
        if key and not key.startswith(("*", "^")):
            labels[key] = label or key
    return labels


def _contact(context: Context) -> Schema:
    return {**CONTACT, **dict.fromkeys(_labels(context), pl.String)}


# ---- records as rows of the shared tables -------------------------------------------------------


def _parts(column: str) -> pl.Expr:
    """Return the values of joined text without their labels: ``800-555 (Cell);12`` is 800-555 and 12.

    A label holds a letter; ``+44 (0)`` has none.
    """
    label_pattern = r"(\S)\s*\([^()]*\p{L}[^()]*\)$"
    return texts(split(column).list.eval(pl.element().str.replace(label_pattern, "$1")))


def _addresses(column: str) -> pl.Expr:
    """Return the e-mail addresses of ``Name <e-mail>;Name <e-mail>``.

    A part without one is a person without address, or the piece of a name that holds a semicolon.
    """
    bracketed = pl.element().str.extract(r"<([^<>@\s]+@[^<>\s]+)>$")
    bare = pl.element().str.extract(r"^([^<>@\s]+@[^<>@\s]+)$")
    return texts(split(column).list.eval(pl.coalesce(bracketed, bare)))


def _times() -> dict[str, pl.Expr]:
    return {"created_at": iso_time("dt_created"), "modified_at": iso_time("dt_modified")}


def _contacts(context: Context) -> tuple[View, ...]:
    """Contacts; what a custom field holds is told by the list of custom fields.

    A custom field whose key is that of a built-in field cannot be told apart from it: the value
    is in both places.
    """
    return (
        View(
            table="contacts",
            columns={
                **_times(),
                "full_name": pl.coalesce(text("full_name"), full_name("first_name", "last_name")),
                "first_name": text("first_name"),
                "last_name": text("last_name"),
                "job_title": text("title"),
                "company_name": text("company"),
                "emails": _parts("emails"),
                "phones": _parts("phone"),
                "street": text("address"),
                "tags": split("tags"),
                "groups": split("groups"),
                "do_not_contact": flag(
                    pl.coalesce(text("do_not_mass_email"), text("do_no_mass_email"))
                ),
                "custom": custom({key: (key, label) for key, label in _labels(context).items()}),
            },
        ),
    )


def _activities(context: Context) -> tuple[View, ...]:
    """Appointments; one that repeats is a row for each of its times in the period.

    The first row is the record. Those of the times that follow have no time of recording, and so are in every
    period that they happen in, whenever the series was made.
    """
    following = following_times(context)
    columns = {
        "kind": pl.lit("event"),
        "type": text("activity_type"),
        "label": text("label"),
        "contact_emails": _addresses("contacts"),
        "user_emails": _addresses("users"),
        "author": text("author"),
        "subject": text("subject"),
        "body": text("body"),
        "status": text("status"),
        "all_day": flag("all_day"),
        "recurrence": text("rrule"),
    }
    first_time = {
        **_times(),
        **columns,
        "starts_at": iso_time("dt_start"),
        "ends_at": iso_time("dt_end"),
        "series_id": pl.when(following.is_not_null()).then(text("id")),
    }
    starts_at = pl.col("item").struct.field("starts_at")
    further_times = {
        **columns,
        "id": pl.format("{}/{}", text("id"), starts_at.dt.strftime("%Y-%m-%dT%H:%M:%SZ")),
        "starts_at": starts_at,
        "ends_at": pl.col("item").struct.field("ends_at"),
        "series_id": text("id"),
    }
    return (
        View(table="activities", columns=first_time),
        View(table="activities", explode=following, columns=further_times),
    )


#: rules that could not be written out: such an appointment is there once
_RULES_NOT_READ = {"activities": pl.when(pl.col("series_id").is_null()).then("recurrence")}
_FIELDS = (
    View(
        table="fields",
        columns={
            "entity": pl.lit("contact"),
            "key": text("key"),
            "label": text("label"),
            "type": text("type"),
            "choices": texts("choices"),
        },
    ),
)


PROVIDER = Provider(
    name="relenta",
    title="Relenta",
    base_url="https://{account_name}.relenta.com/api/v3",
    home="https://www.relenta.com/",
    fields=(
        Field(
            name="account_name",
            label="Account name",
            secret=False,
            pattern=r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?",
            help="the first part of your Relenta address: mycompany in mycompany.relenta.com",
        ),
        Field(
            name="api_key",
            label="Department API key",
            help="Relenta > the logo at the top left > API; each department has its own",
        ),
    ),
    sign=_sign,
    check=_check,
    limits=Limits(rate=5, burst=5, concurrency=8, scope="ip", ceiling=20),
    ping=Request(path="/custom_field.list.json"),
    reached=count_and_names("custom field", "label"),
    ping_resource="custom_fields",
    resources=(
        Resource(
            name="custom_fields",
            doc="Definitions of the custom fields of contacts: one list, no pages.",
            requests=get("/custom_field.list.json"),
            absent_is_empty=True,
            schema=CUSTOM_FIELD,
            views=_FIELDS,
        ),
        Resource(
            name="contacts",
            doc="Contacts of the key's department (no time filter: always all).",
            requests=_pages("/contact.list.json"),
            plain_request=Request(path="/contact.list.json"),
            follow=widening(_is_empty, max_window=4),
            may_repeat_last_page=True,
            absent_is_empty=True,
            page_size=PageSize(name="page_size"),
            schema=_contact,
            views=_contacts,
            view_tables=("contacts",),
            needs_before_decode=("custom_fields",),
        ),
        Resource(
            name="activities",
            doc="Activities of the calendars (no time filter: always all). One that repeats is a "
            "row for each of its times from since to until, or to the time of the fetch.",
            requests=_pages("/activity.list.json"),
            plain_request=Request(path="/activity.list.json"),
            follow=widening(_is_empty, max_window=4),
            may_repeat_last_page=True,
            absent_is_empty=True,
            page_size=PageSize(name="page_size"),
            schema=ACTIVITY,
            views=_activities,
            view_tables=("activities",),
            unknown_words=_RULES_NOT_READ,
        ),
    ),
    operations=loaded_from("crmlab.providers.relenta.operations", "OPERATIONS"),
    targets=loaded_from("crmlab.providers.relenta.targets", "TARGETS"),
    assumptions=(
        "the first page is number 1, or 0 where the list without parameters begins with another "
        "record than page 1",
        "null, nothing, an empty object or text in the place of data is an empty list, where "
        "status says success",
        f"pages of {_PAGE_SIZE} are allowed, or the service gives smaller ones of one size",
        "a list ends with a page without data, with the last page repeated, or with 400 or 404 "
        "for all pages after a last one that is not full; a short page is not the end",
        "nothing counts a list, and a record deleted while it is read can hide another one: lists "
        "of several pages are read until two readings agree",
        "appointments repeat at the same time of day in UTC, whatever the clock of the department does in summer; "
        f"a series of more than {MAX_TIMES:,} times, or with a rule that cannot be read, is there once and noted",
        "e-mail addresses of a contact are joined by ; as its phones are, perhaps with a (label)",
        "a custom field named like a built-in field shares its place in the record: the value "
        "shows in both",
        "errors carry the code in HTTP or in the envelope; an error without code may pass and is "
        "tried again",
        "no rate limit is documented: 5 requests a second to begin with, slowly more, up to 20, "
        "while none is refused",
    ),
    not_personal=NOT_PERSONAL,
    probes=loaded_from("crmlab.providers.relenta.probes", "PROBES"),
    facts=(
        first_page_fact(
            "the number of the first page of a list, 0 or 1; without it the two are compared where a "
            "list begins"
        ),
        page_size_fact(),
        time_zone_fact(
            contacts=("dt_created", "dt_modified"),
            activities=("dt_created", "dt_modified", "dt_start", "dt_end"),
        ),
    ),
    not_covered=("e-mail, groups, users, mailings: the API has no lists of them",),
)
