"""Which questions the report answers, each with a chart and the numbers it was drawn from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import plotly.graph_objects as go
import polars as pl

from crmlab.catalogue import CATALOGUE
from crmlab.plots import with_note
from crmlab.schema import TABLES, Asked, unread_note

#: a chart, and the numbers it shows
Chart = tuple[go.Figure, pl.DataFrame]
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
#: days at which the table tells the curve of survival
_DAYS = (1, 7, 30, 90, 180, 365, 730, 1095)


@dataclass(frozen=True, slots=True)
class NotDrawn:
    """A question that these data cannot answer, and why."""

    question: str
    why: str


@dataclass(frozen=True, slots=True)
class ReportInputs:
    """The tables, who is who in them, when they were fetched, the clock they are counted by, and what was asked."""

    tables: Mapping[str, pl.DataFrame]
    people: pl.DataFrame
    as_of: dt.datetime
    time_zone: str
    asked: Asked
    #: that of the fetch: how many values of each table could not be read
    summary: pl.DataFrame = field(default_factory=pl.DataFrame)

    def __getitem__(self, name: str) -> pl.DataFrame:
        return self.tables[name] if name in self.tables else TABLES[name].empty()

    def __contains__(self, name: str) -> bool:
        return name in self.tables


#: heading, the table without which there is nothing to draw, the questions of the catalogue
SECTIONS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (
        "Pipeline",
        "deals",
        ("pipeline_snapshot", "weighted_pipeline", "ageing", "win_rate", "created_against_closed", "cycle_length"),
    ),
    (
        "Activity",
        "activities",
        ("activity_volume", "activity_heatmap", "open_actions", "response_time", "email_engagement"),
    ),
    (
        "Consent",
        "consent_events",
        ("consent_rate", "consent_stock", "consent_trend", "consent_survival", "expiring_consents"),
    ),
    ("Consent banner", "consent_statistics", ("consent_banner",)),
    (
        "Across services",
        "contacts",
        ("people_overlap", "open_pipeline_by_consent", "activities_after_opt_out", "mailed_but_objected"),
    ),
)


def charts(names: tuple[str, ...], inputs: ReportInputs) -> Iterator[Chart | NotDrawn]:
    """Return the charts of those questions whose tables are given; what needs more than their period is not drawn."""
    known = {"people": inputs.people, "as_of": inputs.as_of, "time_zone": inputs.time_zone}
    variables = {name: inputs[name] for name in TABLES} | known
    for name in names:
        entry = CATALOGUE[name]
        if not all(table in inputs for table in entry.tables):
            continue
        lacking = entry.lacks(inputs.asked)
        if lacking:
            yield NotDrawn(entry.question, f"Not drawn: this needs {lacking}.")
            continue
        numbers = entry.count(variables)
        shown = _SHORTER[name](numbers) if name in _SHORTER else numbers
        figure = with_note(entry.draw(variables), entry.period_note(inputs.asked))
        yield with_note(figure, unread_note(inputs.summary, (*entry.tables, *entry.adds))), shown


def _ages(deals: pl.DataFrame) -> pl.DataFrame:
    """Count by stage: the names of single deals are not for a report."""
    stage = ["pipeline_id", "stage", "stage_label"]
    return (
        deals.group_by(stage)
        .agg(
            pl.len().cast(pl.Int64).alias("open_deals"),
            pl.col("stuck").sum().cast(pl.Int64),
            pl.col("age_days").median().alias("median_age_days"),
        )
        .sort(stage, nulls_last=True)
        .drop("pipeline_id", "stage")
    )


def _people_in(found: pl.DataFrame, *by: str) -> pl.DataFrame:
    """Count rows and people: who they are is not for a report."""
    counts = pl.len().cast(pl.Int64).alias("rows"), pl.col("person_id").n_unique().cast(pl.Int64).alias("people")
    return found.group_by(by).agg(counts).sort("rows", *by, descending=[True] + [False] * len(by))


def _week(counts: pl.DataFrame) -> pl.DataFrame:
    """A row for each hour, a column for each weekday."""
    return counts.pivot("weekday", index="hour", values="count").select(
        "hour", *(pl.col(str(number)).alias(name) for number, name in enumerate(_WEEKDAYS, 1))
    )


def _survival(curve: pl.DataFrame) -> pl.DataFrame:
    """The last step of each curve at some days; none beyond its end."""
    days = pl.DataFrame({"after_days": _DAYS})
    steps = curve.join(days, how="cross").filter(pl.col("after_days") <= pl.col("days").max().over("channel"))
    before = pl.col("survival", "lower", "upper").filter(pl.col("days") <= pl.col("after_days"))
    return (
        steps.group_by("channel", "after_days")
        .agg(before.last().fill_null(1.0))
        .sort("channel", "after_days", nulls_last=True)
    )


#: numbers of which the report shows no more than what can be read, and nobody who is in them
_SHORTER: Mapping[str, Callable[[pl.DataFrame], pl.DataFrame]] = {
    "ageing": _ages,
    "activity_heatmap": _week,
    "email_engagement": lambda campaigns: campaigns.drop("provider", "campaign_id"),
    "consent_survival": _survival,
    "activities_after_opt_out": lambda done: _people_in(done, "provider", "channel", "kind"),
    "mailed_but_objected": lambda mailed: _people_in(mailed, "objected_provider", "objection"),
}
