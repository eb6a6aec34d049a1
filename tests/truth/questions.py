"""The questions that both sides answer: the query in `sql`, and the analysis that it was written after."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from crmlab import analysis

#: a place far from UTC, so that a day taken from the wrong clock shows
TIME_ZONE = "Pacific/Auckland"
NOW = dt.datetime(2026, 11, 1, 9, 30, tzinfo=dt.UTC)

Tables = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One analysis, how it is called, and the columns that tell the rows of its answer apart."""

    query: str
    keys: tuple[str, ...]
    ask: Callable[[Tables], pl.DataFrame]


def _win_rate(tables: Tables) -> pl.DataFrame:
    return analysis.win_rate(tables["deals"], by="owner_name")


def _win_rate_by_month(tables: Tables) -> pl.DataFrame:
    return analysis.win_rate(tables["deals"], by="month")


def _cycle_length(tables: Tables) -> pl.DataFrame:
    return analysis.cycle_length(tables["deals"], by="owner_name", time_zone=TIME_ZONE)


def _weighted_pipeline(tables: Tables) -> pl.DataFrame:
    return analysis.weighted_pipeline(tables["deals"], as_of=NOW, time_zone=TIME_ZONE)


def _open_actions(tables: Tables) -> pl.DataFrame:
    return analysis.open_actions(tables["activities"], as_of=NOW, time_zone=TIME_ZONE, users=tables["users"])


def _response_time(tables: Tables) -> pl.DataFrame:
    return analysis.response_time(
        tables["contacts"], tables["activities"], as_of=NOW, by="lead_source", time_zone=TIME_ZONE
    )


def _current_consent(tables: Tables) -> pl.DataFrame:
    return analysis.current_consent(tables["consent_events"], as_of=NOW)


def _current_consent_with_states(tables: Tables) -> pl.DataFrame:
    return analysis.current_consent(
        tables["consent_events"], as_of=NOW, subscriptions=tables["subscriptions"], contacts=tables["contacts"]
    )


def _current_consent_by_address(tables: Tables) -> pl.DataFrame:
    return analysis.current_consent(
        tables["consent_events"],
        as_of=NOW,
        subject="email",
        subscriptions=tables["subscriptions"],
        contacts=tables["contacts"],
    )


def _consent_rate(tables: Tables) -> pl.DataFrame:
    return analysis.consent_rate(
        tables["consent_events"],
        as_of=NOW,
        by="channel",
        subscriptions=tables["subscriptions"],
        contacts=tables["contacts"],
    )


def _consent_stock(tables: Tables) -> pl.DataFrame:
    return analysis.consent_stock(tables["consent_events"], every="1mo", time_zone=TIME_ZONE)


def _mailed_but_objected(tables: Tables) -> pl.DataFrame:
    return analysis.mailed_but_objected(
        tables["contacts"],
        tables["subscriptions"],
        tables["activities"],
        tables["consent_events"],
        analysis.people(tables["contacts"]),
        as_of=NOW,
    )


def _open_pipeline_by_consent(tables: Tables) -> pl.DataFrame:
    people = analysis.people(tables["contacts"])
    return analysis.open_pipeline_by_consent(tables["deals"], tables["consent_events"], people, as_of=NOW)


def _people(tables: Tables) -> pl.DataFrame:
    return analysis.people(tables["contacts"])


_CONTACT_AND_OBJECTION = ("provider", "account", "contact_id", "objected_provider", "objected_account", "objected_id")

QUESTIONS = (
    Question(query="win_rate", keys=("owner_name", "currency"), ask=_win_rate),
    Question(query="win_rate_by_month", keys=("month", "currency"), ask=_win_rate_by_month),
    Question(query="cycle_length", keys=("owner_name",), ask=_cycle_length),
    Question(
        query="weighted_pipeline", keys=("bucket", "month", "currency", "probability_from"), ask=_weighted_pipeline
    ),
    Question(query="open_actions", keys=("owner",), ask=_open_actions),
    Question(query="response_time", keys=("lead_source",), ask=_response_time),
    Question(query="current_consent", keys=("subject", "channel"), ask=_current_consent),
    Question(
        query="current_consent_with_states",
        keys=("subject", "channel"),
        ask=_current_consent_with_states,
    ),
    Question(
        query="current_consent_by_address",
        keys=("subject", "channel"),
        ask=_current_consent_by_address,
    ),
    Question(query="consent_rate", keys=("channel",), ask=_consent_rate),
    Question(query="consent_stock", keys=("period",), ask=_consent_stock),
    Question(query="mailed_but_objected", keys=_CONTACT_AND_OBJECTION, ask=_mailed_but_objected),
    Question(query="open_pipeline_by_consent", keys=("consent", "currency"), ask=_open_pipeline_by_consent),
    Question(query="people", keys=("provider", "account", "id"), ask=_people),
)
