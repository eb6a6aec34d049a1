"""Rows of a further service that look like those of the first: the same ids, other people, other names."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

Frames = dict[str, pl.DataFrame]
#: what tells a row of one service from one of another
Renaming = Mapping[str, str]

#: the further service is another account of the same services, or a service that crmlab does not know
FURTHER: Mapping[str, Renaming] = {
    "another account": {"account": "second"},
    "another provider": {"provider": "zoho", "account": "eu"},
}

#: columns whose values are names: those of the further service say something else, so that its groups are its own
_NAMES = (
    "owner_name",
    "pipeline_name",
    "lead_source",
    "name",
    "author",
    "device",
    "banner_id",
    "contact_name",
)
_CURRENCY = "XTS"
_CHANNEL = "pigeon"
_MARK = "further "


def of_further_service(tables: Mapping[str, pl.DataFrame], renaming: Renaming) -> Frames:
    """Return a copy of the tables as those of another service: it shares no person and no name with the first."""
    return {name: _further(frame, renaming) for name, frame in tables.items()}


def _further(frame: pl.DataFrame, renaming: Renaming) -> pl.DataFrame:
    changes = [
        pl.lit(value).cast(frame.schema[column]).alias(column) for column, value in renaming.items()
    ]
    for column in frame.columns:
        change = _CHANGES.get(column)
        if change is not None:
            changes.append(change(pl.col(column)).alias(column))
    return frame.with_columns(changes)


def _marked(column: pl.Expr) -> pl.Expr:
    return pl.lit(_MARK) + column.fill_null("nobody")


def _other_addresses(column: pl.Expr) -> pl.Expr:
    return column.list.eval("further." + pl.element())


def _none(column: pl.Expr) -> pl.Expr:
    return pl.lit(None, pl.List(pl.String))


def _not_said(column: pl.Expr) -> pl.Expr:
    return pl.lit(None, pl.Boolean)


def _other_currency(column: pl.Expr) -> pl.Expr:
    return pl.lit(_CURRENCY)


def _other_channel(column: pl.Expr) -> pl.Expr:
    return pl.when(column.is_not_null()).then(pl.lit(_CHANNEL))


_CHANGES: Mapping[str, Callable[[pl.Expr], pl.Expr]] = {
    **dict.fromkeys(_NAMES, _marked),
    "currency": _other_currency,
    "channel": _other_channel,
    "emails": _other_addresses,
    "contact_emails": _other_addresses,
    "phones": _none,
    # a mark that bars a contact is about e-mail, which is a channel of the first
    "do_not_contact": _not_said,
}


def together(first: Mapping[str, pl.DataFrame], further: Mapping[str, pl.DataFrame]) -> Frames:
    """Return the tables with the rows of both, those of the further service in front."""
    return {name: pl.concat([further[name], frame]) for name, frame in first.items()}
