"""Complero's records as rows of the shared tables."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import msgspec
import polars as pl

from crmlab.connector import RECORD, View, flag, full_name, iso_time, text, texts
from crmlab.providers.complero import fields
from crmlab.providers.complero.consents import statements


def _fingerprints(events: pl.Series) -> pl.Series:
    """Return an id made of all that an event holds, for each that is given; null for empty events."""
    return pl.Series([_fingerprint(event) for event in events], dtype=pl.String)


def _fingerprint(event: str | None) -> str | None:
    if not event:
        return None
    try:
        fields = json.loads(event)
        members = {name: value for name, value in fields.items() if value is not None}
        canonical = json.dumps(members, sort_keys=True, ensure_ascii=False)
    except (ValueError, RecursionError):
        # only our own reader takes what stands there: its text has to do
        return _hash(event)
    if not members:
        return None
    return _hash(canonical)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


#: the parts of a statement, by the names with which the
#: user is told what could not be read: ``contact.consent``
_SAID = {
    "channel": "channel",
    "purpose": "purpose",
    "answer": "answer",
    "consent": "unread",
    "valid_until": "valid_until",
}
_STATEMENT = pl.Struct(dict.fromkeys(_SAID, pl.String))


def _statements(events: pl.Series) -> pl.Series:
    """Return the statements of each event, of which the contact, the channel and its own consents are given."""
    event_parts = events.struct.unnest().select("contact", "channel", "consents")
    columns: dict[str, list[Any]] = {name: [] for name in ("event", *_SAID)}
    for number, event in enumerate(event_parts.iter_rows()):
        for statement in statements(*event):
            columns["event"].append(number)
            for name, part in _SAID.items():
                columns[name].append(statement[part])
    rows = pl.DataFrame(columns, schema={"event": pl.Int64, **_STATEMENT.to_schema()})
    # every event makes one statement at least
    by_event = rows.group_by("event", maintain_order=True).agg(statements=pl.struct(*_SAID))
    return by_event["statements"]


def _lengths(lists: pl.Series) -> pl.Series:
    """Return how many elements each JSON list has; null for what is no list."""
    return pl.Series([_length(text) for text in lists], dtype=pl.Int64)


def _length(text: str | None) -> int | None:
    if not text:
        return None
    items = msgspec.json.decode(text)
    if not isinstance(items, list):
        return None
    return len(items)


def inside(field: str) -> pl.Expr:
    """Return a field of an event's contact, objects as their JSON."""
    return pl.col("contact").str.json_path_match(f"$.{field}")


#: the contact of an event, read once: documented fields, and the JSON of what is not
_CONTACT = pl.concat_list(
    pl.struct(
        pl.col("contact").str.json_decode(pl.Struct(dict(fields.CONTACT))).alias("contact"),
        inside("section_work").alias("work"),
        inside("section_private").alias("private"),
    )
)


def _contact(field: str) -> pl.Expr:
    return pl.col("item").struct.field("contact").struct.field(field)


def _in_record(*fields: str) -> pl.Expr:
    """Return the first of these fields of an event that is there."""
    return pl.coalesce(RECORD.str.json_path_match(f"$.{field}") for field in fields)


_OWN_ID = pl.coalesce(text("id"), text("event_id"))
_NAMELESS = pl.when(_OWN_ID.is_null()).then(RECORD)
#: `fingerprint`: what an event without an id is known by;
#: the other two are what its documentation is asked with
COMPUTED = {
    "fingerprint": _NAMELESS.map_batches(
        _fingerprints, return_dtype=pl.String, is_elementwise=True
    ),
    "its_contact_id": _in_record("contact.id", "contact_id"),
    "its_event_id": _in_record("id", "event_id"),
}
EVENT_ID = pl.coalesce(_OWN_ID, pl.col("fingerprint"))
_EVENT_TIME = iso_time(pl.coalesce(text("occurred_at"), text("timestamp"), text("created_at")))

# The insides of sections are not documented, so what looks like an e-mail address, a telephone
# number is looked for wherever it stands.
_WORK = pl.col("item").struct.field("work")
_PRIVATE = pl.col("item").struct.field("private")
# a backslash stands before a quote inside a text, which is no end of it: ``"says \\"a@b.de\\""``
_ONE_EMAIL = r'(?:[^"<>@]{0,80}<[^"\\\s<>@]+@[^"\\\s<>@]+>|[^"\\\s@]+@[^"\\\s@]+)'
#: a text of one address or several, each perhaps behind a name
_EMAIL = rf'"(\s*{_ONE_EMAIL}(?:[\s,;|]+{_ONE_EMAIL})*\s*)"'
_PHONE = r'"(?i:mobile|phone|tel)[^"]*":\s*(?:"([^"]*\d[^"]*)"|\d{6,})'
#: what follows the name of a number that is none in quotes
_NUMBER = r":\s*(\d+)$"
#: "phone_consent_at" is when, and no number
_DAY = r"^\s*\d{4}-\d{2}-\d{2}"


def _found(pattern: str, *sections: pl.Expr) -> pl.Expr:
    """Return what the pattern's group holds, wherever it matches, each once."""
    value = pl.element().str.extract(pattern, 1).fill_null(pl.element().str.extract(_NUMBER, 1))
    group = pl.when(~value.str.contains(_DAY)).then(value.str.strip_chars())
    everything = pl.concat_str(*sections, separator=" ", ignore_nulls=True)
    groups = everything.str.extract_all(pattern).list.eval(group)
    return texts(groups.list.unique(maintain_order=True))


#: what each event says of a channel and purpose
_STATEMENTS = pl.struct("contact", "consents", channel=text("channel")).map_batches(
    _statements, return_dtype=pl.List(_STATEMENT), is_elementwise=True
)


def _said(field: str) -> pl.Expr:
    return pl.col("item").struct.field(field)


_HAS_PLACE = _WORK.str.contains(r'"(?:street|city|zip_code|country)":\s*"[^"]')
_ADDRESS = pl.when(_HAS_PLACE).then(_WORK).otherwise(_PRIVATE)


def _place(*names: str) -> pl.Expr:
    """Return the values of the address, joined: that of work, or of home where work has none."""
    values = [text(_ADDRESS.str.json_path_match(f"$.{name}")) for name in names]
    joined = pl.concat_str(*values, separator=" ", ignore_nulls=True)
    return text(joined)


# https://api.complero.com/docs/glossary. Who confirms looked
# at the data and left them as they are, a refusal too
_DECIDING = ("confirm", "update")
_SILENT = ("create", "sync", "documentation")
_STEPS = {"create": "request", "confirm": "confirmation"}


def _kind(column: str) -> pl.Expr:
    return pl.col(column).str.strip_chars().str.to_lowercase()


_DECIDES = _kind("type").is_in(_DECIDING)
#: a consent that cannot be read is reported where it
#: would decide, also beside a no, which stays one
_UNREAD_CONSENT = pl.when(_DECIDES).then(_said("consent"))
_ANSWER = pl.when(_DECIDES).then(_said("answer"))
_OPTED_IN = pl.coalesce(flag(_UNREAD_CONSENT), flag(_ANSWER))
_VALID_UNTIL = pl.when(_DECIDES & _OPTED_IN).then(_said("valid_until"))
_STATEMENT_ID = pl.concat_str(
    EVENT_ID,
    _said("channel"),
    _said("purpose"),
    separator="/",
    ignore_nulls=True,
)
_STEP = _kind("type").replace_strict(_STEPS, default=None, return_dtype=pl.String)
_DOCUMENTATION = pl.coalesce(pl.col("documentation"), inside("documentation"))
#: how an event writes that there is none
_NO_DOCUMENTATION = ["", '""', "{}", "[]", "false"]
_IS_DOCUMENTED = ~_DOCUMENTATION.str.strip_chars().is_in(_NO_DOCUMENTATION)
_IS_DOCUMENTATION = _kind("type") == "documentation"
_HAS_DOCUMENTATION = pl.when(_IS_DOCUMENTATION).then(pl.lit(True)).otherwise(_IS_DOCUMENTED)
_SECTION_EMAILS = _found(_EMAIL, inside("section_work"), inside("section_private"))

EVENTS = (
    View(
        table="consent_events",
        explode=_STATEMENTS,
        where=EVENT_ID.is_not_null(),  # the vendor's own sample holds an empty event
        columns={
            "id": _STATEMENT_ID,
            "created_at": iso_time("created_at"),
            "kind": text("type"),
            "contact_id": pl.coalesce(text(inside("id")), text("contact_id")),
            "contact_email": _SECTION_EMAILS.list.first(),
            "channel": _said("channel"),
            "purpose": _said("purpose"),
            "source": text("source"),
            "occurred_at": _EVENT_TIME,
            "opted_in": _OPTED_IN,
            "valid_until": iso_time(_VALID_UNTIL),
            "step": _STEP,
            "has_documentation": _HAS_DOCUMENTATION,
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
            "emails": _found(_EMAIL, _WORK, _PRIVATE),
            "phones": _found(_PHONE, _WORK, _PRIVATE),
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
_IS_KNOWN_KIND = _kind("kind").is_in([*_DECIDING, *_SILENT])
UNKNOWN_KINDS = {"consent_events": pl.when(~_IS_KNOWN_KIND).then("kind")}
USERS = (
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
OPERATIONS = (
    View(
        table="operations",
        columns={
            "created_at": iso_time("created_at"),
            "kind": text("type"),
            "model": text("model"),
            "status": text("status"),
            "items_count": pl.col("items").map_batches(
                _lengths, return_dtype=pl.Int64, is_elementwise=True
            ),
        },
    ),
)
