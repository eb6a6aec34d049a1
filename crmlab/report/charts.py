"""Which charts the report shows, each beside the numbers it was drawn from."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import plotly.graph_objects as go
import polars as pl

from crmlab import plots
from crmlab.analysis import (
    actions,
    activity,
    ageing,
    consent,
    consent_expiry,
    consent_state,
    consent_stock,
    consent_survival,
    cycle,
    engagement,
    flow,
    forecast,
    joined,
    objection,
    pipeline,
    response,
)
from crmlab.analysis import people as who
from crmlab.tables import TABLES

#: a chart, and the numbers it shows
Chart = tuple[go.Figure, pl.DataFrame]
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
#: days at which the table tells the curve of survival
_DAYS = (1, 7, 30, 90, 180, 365, 730, 1095)


@dataclass(frozen=True, slots=True)
class Given:
    """The tables, who is who in them, when they were fetched, and the clock they are counted by."""

    tables: Mapping[str, pl.DataFrame]
    people: pl.DataFrame
    as_of: dt.datetime
    time_zone: str

    def __getitem__(self, name: str) -> pl.DataFrame:
        return self.tables[name] if name in self.tables else TABLES[name].empty()

    def __contains__(self, name: str) -> bool:
        return name in self.tables


def _pipeline(given: Given) -> Iterator[Chart]:
    deals, stages, clock = given["deals"], given["stages"], given.time_zone
    yield plots.pipeline_snapshot(deals, stages), pipeline.stage_snapshot(deals, stages)
    yield (
        plots.weighted_pipeline(deals, given.as_of, time_zone=clock),
        forecast.weighted_pipeline(deals, given.as_of, time_zone=clock),
    )
    yield plots.ageing(deals, given.as_of, time_zone=clock), _ages(ageing.ageing(deals, given.as_of, time_zone=clock))
    yield plots.win_rate(deals, by="owner_name"), pipeline.win_rate(deals, by="owner_name")
    yield plots.created_against_closed(deals, time_zone=clock), flow.created_against_closed(deals, time_zone=clock)
    by = "owner_name"
    yield plots.cycle_length(deals, by, time_zone=clock), cycle.cycle_length(deals, by, time_zone=clock)


def _activity(given: Given) -> Iterator[Chart]:
    activities, clock = given["activities"], given.time_zone
    yield plots.activity_volume(activities, time_zone=clock), activity.volume(activities, None, time_zone=clock)
    yield plots.activity_heatmap(activities, given.time_zone), _week(activity.heatmap(activities, given.time_zone))
    users = given["users"]
    yield (
        plots.open_actions(activities, as_of=given.as_of, users=users, time_zone=clock),
        actions.open_actions(activities, as_of=given.as_of, users=users, time_zone=clock),
    )
    if "contacts" in given:
        contacts = given["contacts"]
        yield (
            plots.response_time(contacts, activities, as_of=given.as_of, time_zone=clock),
            response.response_time(contacts, activities, as_of=given.as_of, time_zone=clock),
        )
    campaigns = given["campaigns"]
    yield (
        plots.email_engagement(activities, campaigns),
        engagement.email_engagement(activities, campaigns).drop("provider", "campaign_id"),
    )


def _consent(given: Given) -> Iterator[Chart]:
    events, as_of, clock = given["consent_events"], given.as_of, given.time_zone
    state = consent_state.current_state(events, as_of)
    yield plots.consent_rate(events, as_of), consent_state.consent_rate(state, "channel")
    yield plots.consent_stock(events, time_zone=clock), consent_stock.consent_stock(events, None, time_zone=clock)
    yield plots.consent_trend(events, time_zone=clock), consent.trend(events, time_zone=clock)
    yield plots.consent_survival(events, as_of), _survival(consent_survival.consent_survival(events, as_of))
    yield (
        plots.expiring_consents(events, as_of, time_zone=clock),
        consent_expiry.expiring_consents(state, as_of, time_zone=clock),
    )


def _banner(given: Given) -> Iterator[Chart]:
    statistics = given["consent_statistics"]
    yield plots.consent_banner(statistics), consent.banner(statistics, None)


def _across(given: Given) -> Iterator[Chart]:
    events, people, as_of = given["consent_events"], given.people, given.as_of
    yield plots.people_overlap(people), who.overlap(people)
    if "consent_events" not in given:
        return
    if "deals" in given:
        asked = given["deals"], events, people
        yield (
            plots.open_pipeline_by_consent(*asked, as_of=as_of),
            joined.open_pipeline_by_consent(*asked, as_of=as_of),
        )
    if "activities" in given:
        done = given["activities"], events, people
        yield (
            plots.activities_after_opt_out(*done, as_of=as_of, time_zone=given.time_zone),
            _people_in(objection.activities_after_opt_out(*done, as_of=as_of), "provider", "channel", "kind"),
        )
        mailed = given["contacts"], given["subscriptions"], *done
        yield (
            plots.mailed_but_objected(*mailed, as_of=as_of),
            _people_in(objection.mailed_but_objected(*mailed, as_of=as_of), "objected_provider", "objection"),
        )


#: heading, the table without which there is nothing to draw, the charts
SECTIONS: tuple[tuple[str, str, Callable[[Given], Iterator[Chart]]], ...] = (
    ("Pipeline", "deals", _pipeline),
    ("Activity", "activities", _activity),
    ("Consent", "consent_events", _consent),
    ("Consent banner", "consent_statistics", _banner),
    ("Across services", "contacts", _across),
)


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
    """The last step of the curve at some days; none beyond its end."""
    days = pl.DataFrame({"after_days": _DAYS}, schema={"after_days": pl.Float64})
    steps = curve.select("days", "survival", "lower", "upper")
    return (
        days.filter(pl.col("after_days") <= pl.lit(curve["days"].max(), pl.Float64))
        .join_asof(steps, left_on="after_days", right_on="days")
        .select(pl.col("after_days").cast(pl.Int64), pl.col("survival", "lower", "upper").fill_null(1.0))
    )
