"""Questions of deals."""

from __future__ import annotations

from collections.abc import Mapping

from crmlab.catalogue.entry import Entry, Filter, Filters, narrowed


def _deals(*period: str) -> Filters:
    return narrowed("deals", *period, owner="owner_name", pipeline="pipeline_id")


def _deals_of_both() -> Filters:
    """Return the filters of deals, each for those of both fetches: else what is filtered would count as gone."""
    filters: dict[Filter, Mapping[str, tuple[str, ...]]] = {}
    for choice, frames in _deals().items():
        columns = frames["deals"]
        filters[choice] = {"before": columns, "deals": columns}
    return filters


#: the history of stages is of all fetches, and knows neither an owner nor a close date
_HISTORY: Filters = {"pipeline": {"history": ("pipeline_id",), "stages": ("pipeline_id",)}}

ENTRIES = (
    Entry(
        name="win_rate",
        question="Which share of the closed deals do we win, and who wins it?",
        tables=("deals",),
        arguments='deals, by="owner_name"',
        filters=_deals("close_date"),
    ),
    Entry(
        name="pipeline_snapshot",
        question="Where are the open deals now?",
        tables=("deals",),
        adds=("stages",),
        arguments="deals, stages",
        filters={**_deals(), "pipeline": {"deals": ("pipeline_id",), "stages": ("pipeline_id",)}},
    ),
    Entry(
        name="closed_by_month",
        question="How many deals do we win and lose per month?",
        tables=("deals",),
        arguments="deals",
        filters=_deals("close_date"),
    ),
    Entry(
        name="weighted_pipeline",
        question="What are the open deals worth, and when are they expected to close?",
        tables=("deals",),
        arguments="deals, as_of=as_of, time_zone=time_zone",
        filters=_deals("expected_close_date"),
    ),
    Entry(
        name="coverage",
        question="Do the open deals cover what is missing of this year's quota?",
        tables=("deals",),
        arguments="deals, quota, since=dt.date(as_of.year, 1, 1), until=dt.date(as_of.year + 1, 1, 1)",
        filters=_deals(),
    ),
    Entry(
        name="funnel",
        question="How many deals reach each stage?",
        tables=("deals",),
        adds=("stages",),
        arguments="history, stages",
        filters=_HISTORY,
    ),
    Entry(
        name="stage_durations",
        question="How long do deals stay in each stage?",
        tables=("deals",),
        adds=("stages",),
        arguments="history, stages",
        filters=_HISTORY,
    ),
    Entry(
        name="cycle_length",
        question="How long does it take to win a deal?",
        tables=("deals",),
        arguments='deals, by="owner_name", time_zone=time_zone',
        filters=_deals("close_date"),
    ),
    Entry(
        name="sales_velocity",
        question="What does the pipeline bring per day?",
        tables=("deals",),
        arguments='deals, as_of=as_of, by="owner_name", time_zone=time_zone',
        filters=_deals(),
    ),
    Entry(
        name="win_cohorts",
        question="Which share of each month's new deals is won, and after how long?",
        tables=("deals",),
        arguments="deals, as_of=as_of, time_zone=time_zone",
        filters=_deals("opened_on", "created_at"),
    ),
    Entry(
        name="ageing",
        question="How old are the open deals, and which are stuck?",
        tables=("deals",),
        arguments="deals, as_of=as_of, time_zone=time_zone",
        filters=_deals(),
    ),
    Entry(
        name="created_against_closed",
        question="Do more deals come in than go out?",
        tables=("deals",),
        arguments="deals, time_zone=time_zone",
        filters=_deals(),
    ),
    Entry(
        name="waterfall",
        question="Why did the open amount change since the earlier fetch?",
        tables=("deals",),
        arguments="before, deals",
        filters=_deals_of_both(),
    ),
    Entry(
        name="loss_reasons",
        question="Why are deals lost?",
        tables=("deals",),
        arguments="deals",
        filters=_deals("close_date"),
    ),
)
