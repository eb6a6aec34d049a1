"""A law: rows of another service never change an answer about the first, though they have the same ids."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import crmlab
from crmlab import analysis
from crmlab.catalogue import CATALOGUE
from tests.truth.further_service import FURTHER, Frames, Renaming, of_further_service, together
from tests.truth.gaps import with_gaps
from tests.truth.questions import NOW, TIME_ZONE

_LIMITS = crmlab.Limits(concurrency=10)

#: columns that say whom a row is about. An answer without any of them is about all services together
_GROUPS = (
    "provider",
    "account",
    "owner_name",
    "owner",
    "currency",
    "channel",
    "pipeline_name",
    "device",
)
#: answers about all services together, and what tells their rows apart
_TOGETHER = {
    "win_cohorts": ("created_month", "months"),
    "created_against_closed": ("month",),
    "activity_heatmap": ("weekday", "hour"),
    "activity_volume": ("period", "kind"),
    "response_time": (),
    "activities_per_deal": ("status",),
    "consent_trend": ("period", "kind"),
    "consent_stock": ("period",),
    "consent_banner": ("day",),
    "people_overlap": ("services",),
    "consent_and_win_rate": ("consent",),
}
#: one more, whose small links are put together: which are small, depends on all that there are
_JOURNEYS = "consent_journeys"
_ALONE = [name for name in CATALOGUE if name not in _TOGETHER and name != _JOURNEYS]


@pytest.fixture(scope="module")
def first() -> Frames:
    """Return every table of a sandbox, with gaps."""
    return with_gaps(_all_tables())


def _all_tables() -> Frames:
    async def fetch() -> crmlab.Fetched:
        async with crmlab.sandbox(rows=60, seed=5, now=NOW) as accounts:
            return await crmlab.fetch(accounts, limits=_LIMITS)

    return dict(asyncio.run(fetch()))


def _variables(tables: Frames) -> dict[str, Any]:
    """Return what the code of the catalogue reads: the tables, and what is made of them."""
    deals = tables["deals"]
    before = deals.with_columns(
        stage=(pl.col("stage") - 20).clip(lower_bound=0), status=pl.lit("pending")
    )
    return {
        **tables,
        "as_of": NOW,
        "time_zone": TIME_ZONE,
        "quota": {"EUR": 100_000.0, "USD": 50_000.0},
        "people": analysis.people(tables["contacts"]),
        "before": before,
        "history": analysis.stage_history([(NOW - dt.timedelta(days=30), before), (NOW, deals)]),
    }


def _about_the_first(answer: pl.DataFrame, alone: pl.DataFrame) -> pl.DataFrame:
    """Return the rows whose groups the answer about the first service has too.

    Decisions of both services name no channel, so that their group is nobody's own; and by channel, all contacts of all
    services are counted beside each.
    """
    for column in _GROUPS:
        if column in alone.columns:
            answer = answer.filter(
                pl.col(column).is_in(alone[column].unique().implode(), nulls_equal=True)
            )
    if "channel" in answer.columns and "provider" not in answer.columns:
        return answer.drop_nulls("channel").drop("contacts", "coverage_of_contacts", strict=False)
    return answer


@pytest.mark.parametrize("renaming", FURTHER.values(), ids=FURTHER)
@pytest.mark.parametrize("name", _ALONE)
def test_rows_of_another_service_change_no_answer_about_the_first(
    name: str, renaming: Renaming, first: Frames
) -> None:
    entry = CATALOGUE[name]
    both = together(first, of_further_service(first, renaming))
    alone = entry.count(_variables(first))

    answer = entry.count(_variables(both))

    assert_frame_equal(
        _about_the_first(answer, alone), _about_the_first(alone, alone), check_row_order=False
    )


@pytest.mark.parametrize("renaming", FURTHER.values(), ids=FURTHER)
@pytest.mark.parametrize("name", _TOGETHER)
def test_an_answer_about_all_services_is_the_sum_of_those_about_each(
    name: str, renaming: Renaming, first: Frames
) -> None:
    entry = CATALOGUE[name]
    further = of_further_service(first, renaming)
    each = [entry.count(_variables(tables)) for tables in (first, further)]

    answer = entry.count(_variables(together(first, further)))

    keys = list(_TOGETHER[name])
    assert_frame_equal(_counts([answer], keys), _counts(each, keys))


@pytest.mark.parametrize("renaming", FURTHER.values(), ids=FURTHER)
def test_journeys_through_all_services_are_the_sum_of_those_through_each(
    renaming: Renaming, first: Frames
) -> None:
    events = first["consent_events"]
    further = of_further_service(first, renaming)["consent_events"]
    each = [analysis.consent_journeys(said, smallest=0) for said in (events, further)]

    answer = analysis.consent_journeys(pl.concat([further, events]), smallest=0)

    keys = ["step", "before", "after"]
    assert_frame_equal(_counts([answer], keys), _counts(each, keys))


def _counts(answers: list[pl.DataFrame], keys: list[str]) -> pl.DataFrame:
    """Return the counts of the answers, added up by what tells their rows apart."""
    counts = pl.selectors.by_dtype(pl.Int64) - pl.selectors.by_name(*keys)
    rows = pl.concat(answers)
    if not keys:
        return rows.select(counts.sum())
    return rows.group_by(keys).agg(counts.sum()).sort(keys)


#: what is joined to the rows that are asked about: none of it is theirs where another service has the same ids
_JOINED = {
    "pipeline_snapshot": ("stages",),
    "funnel": ("stages",),
    "stage_durations": ("stages",),
    "activity_volume_by_owner": ("users",),
    "open_actions": ("users",),
    "completion_rate": ("users",),
    "response_time": ("activities",),
    "activities_per_deal": ("activities",),
    "days_since_last_touch": ("activities",),
    "email_engagement": ("campaigns",),
    "open_pipeline_by_consent": ("consent_events", "contacts"),
    "consent_coverage_of_pipeline": ("consent_events", "contacts"),
    "consent_and_win_rate": ("consent_events", "contacts"),
    "activities_after_opt_out": ("consent_events", "contacts"),
    "mailed_but_objected": ("consent_events", "contacts"),
}


@pytest.mark.parametrize("renaming", FURTHER.values(), ids=FURTHER)
@pytest.mark.parametrize("name", _JOINED)
def test_nothing_of_another_service_is_joined_to_a_row_of_the_first(
    name: str, renaming: Renaming, first: Frames
) -> None:
    entry = CATALOGUE[name]
    further = of_further_service(first, renaming)
    joined = {table: pl.concat([further[table], first[table]]) for table in _JOINED[name]}
    alone = entry.count(_variables(first))

    answer = entry.count(_variables({**first, **joined}))

    assert_frame_equal(
        _about_the_first(answer, alone), _about_the_first(alone, alone), check_row_order=False
    )


def _consent_rate_by_service(tables: Frames) -> pl.DataFrame:
    return analysis.consent_rate(
        tables["consent_events"],
        as_of=NOW,
        by=["provider", "account"],
        subscriptions=tables["subscriptions"],
        contacts=tables["contacts"],
    )


def _current_consent(tables: Frames) -> pl.DataFrame:
    return analysis.current_consent(
        tables["consent_events"],
        as_of=NOW,
        subscriptions=tables["subscriptions"],
        contacts=tables["contacts"],
    )


def _people(tables: Frames) -> pl.DataFrame:
    return analysis.people(tables["contacts"])


def _response_time_by_service(tables: Frames) -> pl.DataFrame:
    return analysis.response_time(
        tables["contacts"],
        tables["activities"],
        as_of=NOW,
        by=["provider", "account"],
        time_zone=TIME_ZONE,
    )


def _velocity_by_service(tables: Frames) -> pl.DataFrame:
    return analysis.sales_velocity(
        tables["deals"], as_of=NOW, by=["provider", "account"], time_zone=TIME_ZONE
    )


def _loss_reasons_by_service(tables: Frames) -> pl.DataFrame:
    return analysis.loss_reasons(tables["deals"], by=["provider", "account"])


#: what the catalogue does not ask, or asks of all services together
_FURTHER_QUESTIONS = (
    _consent_rate_by_service,
    _current_consent,
    _people,
    _response_time_by_service,
    _velocity_by_service,
    _loss_reasons_by_service,
)


@pytest.mark.parametrize("renaming", FURTHER.values(), ids=FURTHER)
@pytest.mark.parametrize("ask", _FURTHER_QUESTIONS, ids=lambda ask: ask.__name__.strip("_"))
def test_a_row_that_names_its_service_is_about_no_other(
    ask: Callable[[Frames], pl.DataFrame], renaming: Renaming, first: Frames
) -> None:
    both = together(first, of_further_service(first, renaming))
    alone = ask(first)

    answer = ask(both)

    assert_frame_equal(
        _about_the_first(answer, alone), _about_the_first(alone, alone), check_row_order=False
    )


@pytest.mark.parametrize("renaming", FURTHER.values(), ids=FURTHER)
def test_an_appointment_of_another_service_answers_nobody_who_has_its_address(
    renaming: Renaming, first: Frames
) -> None:
    further = of_further_service(first, renaming)
    # the address of one contact is that of another there
    contacts = further["contacts"].with_columns(first["contacts"]["emails"].reverse())
    activities = further["activities"].with_columns(first["activities"]["contact_emails"])
    alone = _response_time_by_service(first)

    both = together(first, {**further, "contacts": contacts, "activities": activities})
    answer = _response_time_by_service(both)

    assert (
        first["activities"]
        .filter(pl.col("contact_id").is_null())["contact_emails"]
        .drop_nulls()
        .len()
        > 0
    )
    assert_frame_equal(_about_the_first(answer, alone), _about_the_first(alone, alone))
