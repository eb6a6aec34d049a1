"""OnePageCRM's records as rows of the shared tables."""

from __future__ import annotations

import json
from typing import Any

import polars as pl

from crmlab.connector import (
    RECORD,
    Context,
    View,
    date,
    each,
    full_name,
    iso_time,
    lookup,
    some,
    text,
    texts,
    unix_time,
)


def utc_time(value: str | pl.Expr) -> pl.Expr:
    """Return a time, in UTC where it says no zone: the document has all its times in UTC."""
    return iso_time(value, zone="UTC")


_TIMES = {"created_at": utc_time("created_at"), "modified_at": utc_time("modified_at")}
BOOTSTRAP_KEY = pl.col("data").struct.field("user_id")


def _in(struct: str, field: str) -> pl.Expr:
    return text(pl.col(struct).struct.field(field))


def _item(field: str) -> pl.Expr:
    return pl.col("item").struct.field(field)


def _custom(column: str, definition: str) -> pl.Expr:
    field = pl.element().struct.field(definition)
    value = pl.element().struct.field("value")
    return some(
        pl.col(column)
        .list.eval(
            pl.struct(
                key=field.struct.field("id"), label=field.struct.field("name"), value=text(value)
            )
        )
        .list.eval(pl.element().filter(pl.element().struct.field("value").is_not_null()))
    )


def _address(address: pl.Expr) -> dict[str, pl.Expr]:
    return {
        "street": text(address.struct.field("address")),
        "city": text(address.struct.field("city")),
        "state": text(address.struct.field("state")),
        "zip_code": text(address.struct.field("zip_code")),
        "country": text(address.struct.field("country_code")),
    }


#: names of ids
LABELS = pl.List(pl.Struct({"id": pl.String, "label": pl.String}))
#: what stands for the id and for the label, in an entry of a list
_ID_NAMES = ("id", "result", "key")
_LABEL_NAMES = ("name", "text", "label")


def _labels_in(name: str) -> pl.Expr:
    """Return the names of ids that the settings hold, as `LABELS`; null where they hold none."""

    def read(records: pl.Series) -> pl.Series:
        return pl.Series([_labels(record, name) for record in records], dtype=LABELS)

    return RECORD.map_batches(read, return_dtype=LABELS, is_elementwise=True)


def _labels(record: str | None, name: str) -> list[dict[str, str]] | None:
    """Return an object of labels by id, or a list of objects with both, in one form."""
    try:
        settings_part = json.loads(record or "{}")["data"][name]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if isinstance(settings_part, dict):
        ids_and_labels = list(settings_part.items())
    elif isinstance(settings_part, list):
        ids_and_labels = [
            (_first(entry, _ID_NAMES), _first(entry, _LABEL_NAMES)) for entry in settings_part
        ]
    else:
        return None
    labels = []
    for label_id, label in ids_and_labels:
        if label_id and isinstance(label, str) and label:
            labels.append({"id": str(label_id), "label": label})
    return labels


def _first(entry: Any, names: tuple[str, ...]) -> Any:
    """Return the value of the first of these names that an object has; None where it has none."""
    if not isinstance(entry, dict):
        return None
    return next((entry[name] for name in names if entry.get(name)), None)


#: maps whose keys are ids of the account's own, so that no type can name them
BOOTSTRAP_COMPUTED = {
    "call_results": _labels_in("call_results"),
    # documented nowhere, seen in answers of live accounts
    "reason_losts": _labels_in("reason_losts"),
}
_TAGS = pl.col("tags").struct.field("tags")
BOOTSTRAP = (
    View(
        table="tags",
        explode=pl.concat_list(
            _TAGS.fill_null([]), pl.col("tags").struct.field("system_tags").fill_null([])
        ),
        columns={"id": _item("name"), "name": _item("name"), "count": _item("total_count")},
    ),
)
USERS = (
    View(
        table="users",
        columns={
            "name": full_name("first_name", "last_name"),
            "email": text("email"),
            "role": text("account_role"),
            "company": text("company_name"),
        },
    ),
)
STAGES = (
    View(
        table="stages",
        explode=pl.col("stages"),
        columns={
            "id": pl.format("{}/{}", pl.col("id"), _item("stage")),
            "pipeline_id": pl.col("id"),
            "pipeline_name": text("name"),
            "stage": _item("stage"),
            "label": text(_item("label")),
            "position": pl.int_range(pl.len()).over("id"),
            "is_default": pl.col("default"),
        },
    ),
)
STATUSES = (
    View(
        table="statuses",
        columns={"name": text("text"), "count": pl.col("total_count"), "colour": text("color")},
    ),
)
LEAD_SOURCES = (
    View(table="lead_sources", columns={"name": text("text"), "count": pl.col("total_count")}),
)


def fields(entity: str) -> tuple[View, ...]:
    """Custom-field definitions of one kind of record."""
    return (
        View(
            table="fields",
            columns={
                "entity": pl.lit(entity),
                "key": pl.col("id"),
                "label": text("name"),
                "type": text("type"),
                "choices": texts("choices"),
            },
        ),
    )


CONTACTS = (
    View(
        table="contacts",
        columns={
            **_TIMES,
            **_address(pl.col("address_list").list.first()),
            "full_name": full_name("first_name", "last_name"),
            "first_name": text("first_name"),
            "last_name": text("last_name"),
            "job_title": text("job_title"),
            "company_id": text("company_id"),
            "company_name": text("company_name"),
            "emails": each("emails", "value"),
            "phones": each("phones", "value"),
            "tags": texts("tags"),
            "status": text("status"),
            "lead_source": pl.coalesce(text("lead_source"), text("lead_source_id")),
            "owner_id": text("owner_id"),
            "custom": _custom("custom_fields", "custom_field"),
        },
    ),
)
COMPANIES = (
    View(
        table="companies",
        columns={
            **_TIMES,
            **_address(pl.col("address")),
            "name": text("name"),
            "url": text("url"),
            "phone": text("phone"),
            "description": text("description"),
            "contacts_count": pl.col("contacts_count"),
            "won_deals_count": pl.col("won_deals_count"),
            "won_amount": pl.col("total_won_amount"),
            "pending_deals_count": pl.col("pending_deals_count"),
            "pending_amount": pl.col("total_pending_amount"),
            "custom": _custom("company_fields", "company_field"),
        },
    ),
)


def deals(context: Context) -> tuple[View, ...]:
    """Deals and their items; currency from the settings, stage labels from the pipelines."""
    months = pl.col("months").fill_null(1)
    return (
        View(
            table="deals",
            columns={
                **_TIMES,
                "name": text("name"),
                "contact_id": text("contact_id"),
                "contact_name": _in("contact_info", "contact_name"),
                "linked_contact_ids": each("linked_contacts", "id"),
                "company_name": _in("contact_info", "company"),
                "owner_id": pl.coalesce(text("owner_id"), _in("owner", "id")),
                "owner_name": _in("owner", "name"),
                "pipeline_id": pl.coalesce(text("pipeline_id"), text("sales_pipeline_id")),
                "stage": pl.col("stage"),
                "stage_label": _stage_label(context),
                # "how close a deal is to being closed"
                # rounded: Polars multiplies where there are many, and 95 would be 0.9500000000000001 among them
                "stage_probability": (pl.col("stage").cast(pl.Float64) / 100).round(2),
                "status": text("status"),
                "amount": pl.col("amount"),
                "months": pl.col("months"),
                "total_amount": pl.coalesce(pl.col("total_amount"), pl.col("amount") * months),
                "cost": pl.col("cost"),
                "margin": pl.col("margin"),
                "currency": pl.lit(_currency(context), pl.String),
                "opened_on": date("date"),
                "expected_close_date": date("expected_close_date"),
                "close_date": date("close_date"),
                "lost_reason_id": text("reason_lost_id"),
                "lost_reason": lookup(text("reason_lost_id"), _labels_of(context, "reason_losts")),
                "custom": _custom("deal_fields", "deal_field"),
            },
        ),
        View(
            table="deal_items",
            explode=pl.col("deal_items"),
            columns={
                "id": pl.coalesce(
                    text(_item("id")), pl.format("{}/{}", pl.col("id"), _item("position"))
                ),
                "created_at": utc_time(_item("created_at")),
                "modified_at": utc_time(_item("modified_at")),
                "deal_id": pl.col("id"),
                "name": text(_item("name")),
                "predefined_item_id": text(_item("predefined_item_id")),
                "quantity": _item("qty"),
                "price": _item("price"),
                "cost": _item("cost"),
                "amount": _item("amount"),
            },
        ),
    )


def _currency(context: Context) -> str | None:
    settings_rows = context.rows["bootstrap"]
    currencies = settings_rows.select(
        pl.col("data").struct.field("settings").struct.field("currency")
    ).to_series()
    return currencies[0] if len(currencies) else None


def _labels_of(context: Context, column: str) -> dict[str, str]:
    """Return the labels that the settings give, by id."""
    label_lists = context.rows["bootstrap"].select(pl.col(column).explode()).to_series()
    return {entry["id"]: entry["label"] for entry in label_lists if entry}


def _stage_label(context: Context) -> pl.Expr:
    stages = context.rows["pipelines"].select("id", "stages").explode("stages").unnest("stages")
    labels = {f"{row['id']}/{row['stage']}": row["label"] for row in stages.iter_rows(named=True)}
    return lookup(pl.format("{}/{}", pl.col("pipeline_id"), pl.col("stage")), labels)


def _activity(kind: str, **columns: pl.Expr) -> tuple[View, ...]:
    columns = {"kind": pl.lit(kind), "contact_id": text("contact_id"), **_TIMES, **columns}
    return (View(table="activities", columns=columns),)


ACTIONS = _activity(
    "action",
    owner_id=text("assignee_id"),
    subject=text("text"),
    status=text("status"),
    starts_at=unix_time("exact_time"),
    due_on=date("date"),
    done=pl.col("done"),
    done_at=date("done_at"),
)
NOTES = _activity(
    "note",
    deal_id=text("linked_deal_id"),
    author=text("author"),
    body=text("text"),
    dated_on=date("date"),
)


def calls(context: Context) -> tuple[View, ...]:
    """Calls; what their results are called stands in the settings."""
    return _activity(
        "call",
        author=text("author"),
        body=text("text"),
        result=text("call_result"),
        result_label=lookup(text("call_result"), _labels_of(context, "call_results")),
        starts_at=unix_time("call_time_int"),
    )


MEETINGS = _activity(
    "meeting",
    author=text("author"),
    body=text("text"),
    place=text("place"),
    starts_at=unix_time("meeting_time_int"),
)
