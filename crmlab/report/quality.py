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


def not_complete(summary: pl.DataFrame) -> pl.DataFrame:
    """Return the lines of the tables that lack something; what nobody said to be complete counts as such."""
    is_complete = pl.col("complete").fill_null(value=False)
    return summary.filter(~is_complete)


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
    unused = []
    for bound in ("since", "until"):
        if bound in summary.columns and not summary[bound].count():
            unused.append(bound)
    # notes are a list of their own below
    others = pl.exclude(*_FIRST, *unused, "note")
    shown = summary.select(*_FIRST, others)
    # days as such, other times with the hour
    minutes = cs.datetime().dt.strftime("%Y-%m-%d %H:%M")
    in_utc = minutes.str.strip_suffix(" 00:00").name.suffix(" (UTC)")
    in_words = shown.with_columns(in_utc).drop(cs.datetime())
    return html_table(_spaced(in_words), label="What was fetched", absent="-")


def _notes(summary: pl.DataFrame) -> list[str]:
    has_note = pl.col("note").fill_null("") != ""
    noted = summary.filter(has_note).select("account", "table", "note")
    return [f"{account}, {table}: {note}" for account, table, note in noted.rows()]


def _drift(summary: pl.DataFrame) -> list[str]:
    # as a fetch writes it into the note of a table
    fields = pl.col("note").str.extract(r"fields nobody documented: ([^;]+)")
    by_resource = summary.select("provider", "resource", fields=fields)
    new_fields = by_resource.drop_nulls("fields").unique(maintain_order=True)
    sentences = []
    for provider, resource, names in new_fields.rows():
        sentences.append(f"{provider}, {resource}: {names}")
    return sentences


def _of_resources(summary: pl.DataFrame, column: str) -> int:
    """Return the sum of what is counted by resource: one that fills two tables has a row for each."""
    if column not in summary.columns:
        return 0
    by_resource = summary.unique(["provider", "account", "resource"])
    return int(by_resource[column].sum())


def _incomplete(summary: pl.DataFrame) -> Markup | None:
    """Return the tables that lack something, each with the reason."""
    lacking = not_complete(summary)
    if lacking.is_empty():
        return None
    count_columns = ("rows", "expected", "rejected", "misfits")
    known_counts = [column for column in count_columns if column in lacking.columns]
    # a note without words is none
    note = pl.col("note").fill_null("")
    reason = note.replace("", None).alias("why")
    shown = lacking.select("table", "account", "resource", *known_counts, reason)
    return html_table(_spaced(shown), label="Tables that are not complete", absent="-")


def _by_reason(unread: pl.DataFrame | None, label: str, counted: str, *more: str) -> Markup | None:
    if unread is None or unread.is_empty():
        return None
    reasons = _reasons(unread, counted, *more)
    return html_table(reasons, label=label, absent="-", max_rows=_MAX_REASONS)


def _reasons(unread: pl.DataFrame, counted: str, *more: str) -> pl.DataFrame:
    """Count by reason. Polars quotes the value that does not fit, which may be a person's."""
    without_parsed = pl.col("reason").str.replace_all(r"parse '.*'", "parse '…'")
    reason = without_parsed.str.replace_all('".*"', '"…"')
    key_columns = ["provider", "account", "resource", *more]
    keys = [pl.col(column).cast(pl.String) for column in key_columns]
    row_count = pl.len().cast(pl.Int64)
    by_reason = unread.group_by(*keys, reason)
    counts = by_reason.agg(row_count.alias(counted))
    # the most frequent first, and of equally frequent ones always the same
    most_first = [True] + [False] * (len(key_columns) + 1)
    return counts.sort(counted, *key_columns, "reason", descending=most_first)
