"""How good the data of a report is: what was fetched, what is new in it, what failed, what did not fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl
import polars.selectors as cs

from crmlab.display import html_table

if TYPE_CHECKING:
    from markupsafe import Markup

_MAX_REASONS = 50
#: shown first of the summary's columns
_FIRST = ("account", "provider", "resource", "table", "complete")


@dataclass(frozen=True, slots=True)
class Quality:
    """What the section says; the tables are None where there is nothing."""

    asked: str
    fetched: Markup | None
    notes: list[str]
    incomplete: Markup | None
    drift: list[str]
    failures: Sequence[str]
    rejected: Markup | None
    misfits: Markup | None
    #: how many values could not be read; of each field no more than 1,000 are among the misfits
    unread: int


def quality(
    summary: pl.DataFrame,
    rejected: pl.DataFrame | None,
    misfits: pl.DataFrame | None,
    failures: Sequence[str],
) -> Quality:
    """Return what there is to say of a fetch; arguments as of `crmlab.report.write`."""
    return Quality(
        asked=_asked(summary),
        fetched=_fetched(summary),
        notes=_notes(summary),
        incomplete=_incomplete(summary),
        drift=_drift(summary),
        failures=failures,
        rejected=_by_reason(rejected, "Rejected records by reason", "records"),
        misfits=_by_reason(
            misfits, "Values that could not be read, by field and reason", "values", "field"
        ),
        unread=_of_resources(summary, "misfits"),
    )


def _spaced(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with names of columns as words."""
    return frame.rename(lambda name: name.replace("_", " "))


def _asked(summary: pl.DataFrame) -> str:
    requests = _of_resources(summary, "requests")
    retries = _of_resources(summary, "retries")
    rows = int(summary["rows"].sum())
    return f"{rows:,} rows in {requests:,} requests, {retries:,} of them repeated."


def _fetched(summary: pl.DataFrame) -> Markup | None:
    if summary.is_empty():
        return None
    # of a fetch of all times these are empty
    unused = [
        name for name in ("since", "until") if name in summary.columns and not summary[name].count()
    ]
    shown = summary.select(*_FIRST, pl.exclude(*_FIRST, *unused, "note"))
    # days as such, other times with the hour
    in_utc = (
        cs.datetime().dt.strftime("%Y-%m-%d %H:%M").str.strip_suffix(" 00:00").name.suffix(" (UTC)")
    )
    shown = shown.with_columns(in_utc).drop(cs.datetime())
    return html_table(_spaced(shown), label="What was fetched", absent="-")


def _notes(summary: pl.DataFrame) -> list[str]:
    noted = summary.filter(pl.col("note").fill_null("") != "")
    return [
        f"{account}, {table}: {note}"
        for account, table, note in noted.select("account", "table", "note").rows()
    ]


def _drift(summary: pl.DataFrame) -> list[str]:
    fields = pl.col("note").str.extract(r"fields nobody documented: ([^;]+)").alias("fields")
    new = (
        summary.select("provider", "resource", fields)
        .drop_nulls("fields")
        .unique(maintain_order=True)
    )
    return [f"{provider}, {resource}: {names}" for provider, resource, names in new.rows()]


def _of_resources(summary: pl.DataFrame, column: str) -> int:
    """Return the sum of what is counted by resource: one that fills two tables has a row for each."""
    if column not in summary.columns:
        return 0
    return int(summary.unique(["provider", "account", "resource"])[column].sum())


def _incomplete(summary: pl.DataFrame) -> Markup | None:
    """Return the tables that lack something, each with the reason."""
    lacking = summary.filter(~pl.col("complete").fill_null(value=False))
    if lacking.is_empty():
        return None
    counts = [
        name for name in ("rows", "expected", "rejected", "misfits") if name in lacking.columns
    ]
    reason = pl.col("note").fill_null("").replace("", None).alias("why")
    shown = lacking.select("table", "account", "resource", *counts, reason)
    return html_table(_spaced(shown), label="Tables that are not complete", absent="-")


def _by_reason(unread: pl.DataFrame | None, label: str, counted: str, *more: str) -> Markup | None:
    if unread is None or unread.is_empty():
        return None
    return html_table(
        _reasons(unread, counted, *more), label=label, absent="-", max_rows=_MAX_REASONS
    )


def _reasons(unread: pl.DataFrame, counted: str, *more: str) -> pl.DataFrame:
    """Count by reason. Polars quotes the value that does not fit, which may be a person's."""
    reason = (
        pl.col("reason").str.replace_all(r"parse '.*'", "parse '…'").str.replace_all('".*"', '"…"')
    )
    keys = [pl.col(name).cast(pl.String) for name in ("provider", "account", "resource", *more)]
    counts = unread.group_by(*keys, reason).agg(pl.len().cast(pl.Int64).alias(counted))
    order = [counted, "provider", "account", "resource", *more, "reason"]
    return counts.sort(order, descending=[True] + [False] * (len(order) - 1))
