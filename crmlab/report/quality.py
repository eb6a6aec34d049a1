"""How good the data of a report is: what was fetched, what is new in it, what failed, what did not fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

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
    drift: list[str]
    failures: Sequence[str]
    rejected: Markup | None


def quality(summary: pl.DataFrame, rejected: pl.DataFrame | None, failures: Sequence[str]) -> Quality:
    """Return what there is to say of a fetch; arguments as of `crmlab.report.write`."""
    return Quality(
        asked=_asked(summary),
        fetched=_fetched(summary),
        notes=_notes(summary),
        drift=_drift(summary),
        failures=failures,
        rejected=_rejected(rejected),
    )


def spaced(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with names of columns as words."""
    return frame.rename(lambda name: name.replace("_", " "))


def _asked(summary: pl.DataFrame) -> str:
    # a resource that fills two tables has a row for each
    resources = summary.unique(["provider", "account", "resource"])
    requests = int(resources["requests"].sum())
    retries = int(resources["retries"].sum())
    rows = int(summary["rows"].sum())
    return f"{rows:,} rows in {requests:,} requests, {retries:,} of them repeated."


def _fetched(summary: pl.DataFrame) -> Markup | None:
    if summary.is_empty():
        return None
    shown = summary.select(*_FIRST, pl.exclude(*_FIRST, "note"))
    return html_table(spaced(shown), label="What was fetched", absent="-")


def _notes(summary: pl.DataFrame) -> list[str]:
    noted = summary.filter(pl.col("note").fill_null("") != "")
    return [f"{account}, {table}: {note}" for account, table, note in noted.select("account", "table", "note").rows()]


def _drift(summary: pl.DataFrame) -> list[str]:
    fields = pl.col("note").str.extract(r"fields nobody documented: ([^;]+)").alias("fields")
    new = summary.select("provider", "resource", fields).drop_nulls("fields").unique(maintain_order=True)
    return [f"{provider}, {resource}: {names}" for provider, resource, names in new.rows()]


def _rejected(rejected: pl.DataFrame | None) -> Markup | None:
    if rejected is None or rejected.is_empty():
        return None
    return html_table(_reasons(rejected), label="Rejected records by reason", absent="-", max_rows=_MAX_REASONS)


def _reasons(rejected: pl.DataFrame) -> pl.DataFrame:
    """Count by reason. Polars quotes the value that does not fit, which may be a person's."""
    reason = pl.col("reason").str.replace_all(r"parse '.*'", "parse '…'").str.replace_all('".*"', '"…"')
    keys = [pl.col(name).cast(pl.String) for name in ("provider", "account", "resource")]
    counts = rejected.group_by(*keys, reason).agg(pl.len().cast(pl.Int64).alias("records"))
    order = ["records", "provider", "account", "resource", "reason"]
    return counts.sort(order, descending=[True, False, False, False, False])
