"""Complero's records as rows of the shared tables."""

from __future__ import annotations

import hashlib
import json

import msgspec
import polars as pl

from crmlab.connector import View, full_name, iso_time, text, texts
from crmlab.providers.complero import fields


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


EVENT_ID = pl.coalesce(
    text("id"),
    text("event_id"),
    pl.struct(*fields.EVENT).map_batches(_fingerprints, return_dtype=pl.String, is_elementwise=True),
)
_EVENT_TIME = iso_time(pl.coalesce(text("occurred_at"), text("timestamp"), text("created_at")))

# The insides of sections are not documented, so what looks like an e-mail address, a telephone
# number or a yes or no is looked for wherever it stands.
_WORK = pl.col("item").struct.field("work")
_PRIVATE = pl.col("item").struct.field("private")
_SECTIONS = pl.concat_str(_WORK, _PRIVATE, separator=" ", ignore_nulls=True)


def _found(pattern: str, where: pl.Expr) -> pl.Expr:
    """Return what the pattern's group holds, wherever it matches, each once."""
    groups = pl.element().str.extract(pattern, 1)
    return texts(where.str.extract_all(pattern).list.eval(groups).list.unique(maintain_order=True))


def _joined(*parts: str) -> pl.Expr:
    """Return these fields of an event's contact as one text."""
    return pl.concat_str(*(inside(part) for part in parts), separator=" ", ignore_nulls=True)


_EMAIL = r'"([^"\s@]+@[^"\s@]+)"'
_EMAILS = _found(_EMAIL, _SECTIONS)
_PHONES = _found(r'"(?i:mobile|phone|tel)[^"]*":\s*"([^"]*\d[^"]*)"', _SECTIONS)

# An event shows the consents of every channel at once, and each is a decision of its own. Where they are gathered
# under "consents", no other yes or no is one.
_BOTH = _joined("section_work", "section_private")
_CONSENTS = pl.coalesce(text(_joined("section_work.consents", "section_private.consents")), _BOTH)
_ASKED = _found(r'"([^"]+)":\s*"?(?:true|false)\b', _CONSENTS)
_NONE = pl.concat_list(pl.lit(""))
_CHANNELS = (
    pl.when(text("channel").is_not_null())
    .then(pl.concat_list(pl.col("channel")))
    .when(_ASKED.list.len() > 0)
    .then(_ASKED)
    .otherwise(_NONE)
)
_CHANNEL = text("item")


def _says(answer: str) -> pl.Expr:
    """Return whether the channel's name stands before this answer, somewhere in the consents."""
    compact = _CONSENTS.str.replace_all(r'"\s*:\s*"?(true|false)\b', '":$1')
    return compact.str.contains(pl.format('"{}":' + answer, _CHANNEL), literal=True)


_HAS_PLACE = _WORK.str.contains(r'"(?:street|city|zip_code|country)":\s*"[^"]')
_ADDRESS = pl.when(_HAS_PLACE).then(_WORK).otherwise(_PRIVATE)


def _place(*names: str) -> pl.Expr:
    """Return the values of the address, joined: that of work, or of home where work has none."""
    values = (text(_ADDRESS.str.json_path_match(f"$.{name}")) for name in names)
    return text(pl.concat_str(*values, separator=" ", ignore_nulls=True))


# https://api.complero.com/docs/glossary. Who confirms looked at the data and left them as they are, a refusal too
_DECIDING = ("confirm", "update")
_SILENT = ("create", "sync", "documentation")
_STEPS = {"create": "request", "confirm": "confirmation"}


def _kind(column: str) -> pl.Expr:
    return pl.col(column).str.strip_chars().str.to_lowercase()


_DOCUMENTATION = pl.coalesce(pl.col("documentation"), inside("documentation")).str.strip_chars()

EVENTS = (
    View(
        table="consent_events",
        explode=_CHANNELS,
        where=EVENT_ID.is_not_null(),  # the vendor's own sample holds an empty event
        columns={
            "id": pl.when(_CHANNELS.list.len() > 1).then(pl.format("{}/{}", EVENT_ID, _CHANNEL)).otherwise(EVENT_ID),
            "created_at": iso_time("created_at"),
            "kind": text("type"),
            "contact_id": pl.coalesce(text(inside("id")), text("contact_id")),
            "contact_email": _found(_EMAIL, _BOTH).list.first(),
            "channel": _CHANNEL,
            "source": text("source"),
            "occurred_at": _EVENT_TIME,
            # work may say yes and home no: then it is not known
            "opted_in": pl.when(_kind("type").is_in(_DECIDING), _says("true") != _says("false")).then(_says("true")),
            "step": _kind("type").replace_strict(_STEPS, default=None, return_dtype=pl.String),
            "has_documentation": pl.when(_kind("type") == "documentation")
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
UNKNOWN_KINDS = {"consent_events": pl.when(~_kind("kind").is_in([*_DECIDING, *_SILENT])).then("kind")}
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
            "items_count": pl.col("items").map_batches(_lengths, return_dtype=pl.Int64, is_elementwise=True),
        },
    ),
)
