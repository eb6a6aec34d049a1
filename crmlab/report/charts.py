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
    pipeline,
    response,
)
from crmlab.plots import actions as action_plots
from crmlab.plots import consent_state as state_plots
from crmlab.plots import cycle as cycle_plots
from crmlab.plots import engagement as engagement_plots
from crmlab.plots import flow as flow_plots
from crmlab.plots import forecast as forecast_plots
from crmlab.plots import response as response_plots
from crmlab.plots.consent_stock import consent_stock as plot_stock
from crmlab.plots.consent_survival import consent_survival as plot_survival
from crmlab.tables import TABLES

#: a chart, and the numbers it shows
Chart = tuple[go.Figure, pl.DataFrame]
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
#: days at which the table tells the curve of survival
_DAYS = (1, 7, 30, 90, 180, 365, 730, 1095)


@dataclass(frozen=True, slots=True)
class Given:
    """The tables, when they were fetched, and the clock they are counted by."""

    tables: Mapping[str, pl.DataFrame]
    as_of: dt.datetime
    time_zone: str

    def __getitem__(self, name: str) -> pl.DataFrame:
        return self.tables[name] if name in self.tables else TABLES[name].empty()

    def __contains__(self, name: str) -> bool:
        return name in self.tables


def _pipeline(given: Given) -> Iterator[Chart]:
    deals, stages, clock = given["deals"], given["stages"], {"time_zone": given.time_zone}
    yield plots.pipeline_snapshot(deals, stages), pipeline.stage_snapshot(deals, stages)
    yield (
        forecast_plots.weighted_pipeline(deals, given.as_of, **clock),
        forecast.weighted_pipeline(deals, given.as_of, **clock),
    )
    yield cycle_plots.ageing(deals, given.as_of, **clock), _ages(ageing.ageing(deals, given.as_of, **clock))
    yield plots.win_rate(deals, by="owner_name"), pipeline.win_rate(deals, by="owner_name")
    yield flow_plots.created_against_closed(deals, **clock), flow.created_against_closed(deals, **clock)
    by = "owner_name"
    yield cycle_plots.cycle_length(deals, by, **clock), cycle.cycle_length(deals, by, **clock)


def _activity(given: Given) -> Iterator[Chart]:
    activities, clock = given["activities"], {"time_zone": given.time_zone}
    yield plots.activity_volume(activities, **clock), activity.volume(activities, None, **clock)
    yield plots.activity_heatmap(activities, given.time_zone), _week(activity.heatmap(activities, given.time_zone))
    users = given["users"]
    yield (
        action_plots.open_actions(activities, as_of=given.as_of, users=users, **clock),
        actions.open_actions(activities, as_of=given.as_of, users=users, **clock),
    )
    if "contacts" in given:
        contacts = given["contacts"]
        yield (
            response_plots.response_time(contacts, activities, as_of=given.as_of, **clock),
            response.response_time(contacts, activities, as_of=given.as_of, **clock),
        )
    campaigns = given["campaigns"]
    yield (
        engagement_plots.email_engagement(activities, campaigns),
        engagement.email_engagement(activities, campaigns).drop("provider", "campaign_id"),
    )


def _consent(given: Given) -> Iterator[Chart]:
    events, as_of, clock = given["consent_events"], given.as_of, {"time_zone": given.time_zone}
    state = consent_state.current_state(events, as_of)
    yield state_plots.consent_rate(events, as_of), consent_state.consent_rate(state, "channel")
    yield plot_stock(events, **clock), consent_stock.consent_stock(events, None, **clock)
    yield plots.consent_trend(events, **clock), consent.trend(events, **clock)
    yield plot_survival(events, as_of), _survival(consent_survival.consent_survival(events, as_of))
    yield (
        state_plots.expiring_consents(events, as_of, **clock),
        consent_expiry.expiring_consents(state, as_of, **clock),
    )


def _banner(given: Given) -> Iterator[Chart]:
    statistics = given["consent_statistics"]
    yield plots.consent_banner(statistics), consent.banner(statistics, None)


#: heading, the table without which there is nothing to draw, the charts
SECTIONS: tuple[tuple[str, str, Callable[[Given], Iterator[Chart]]], ...] = (
    ("Pipeline", "deals", _pipeline),
    ("Activity", "activities", _activity),
    ("Consent", "consent_events", _consent),
    ("Consent banner", "consent_statistics", _banner),
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
