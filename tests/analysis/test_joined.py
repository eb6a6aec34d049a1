"""Deals behind consent, counted by hand."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from crmlab.analysis.joined import (
    consent_and_win_rate,
    consent_coverage_of_pipeline,
    open_pipeline_by_consent,
)
from crmlab.analysis.person_consent import STATES
from crmlab.analysis.rates import wilson
from crmlab.errors import UsageError
from crmlab.schema import TABLES
from tests.analysis.small_world import AS_OF, at, said, table, who


def deals(*rows: dict[str, Any]) -> pl.DataFrame:
    return table(
        "deals",
        [
            {"provider": "onepagecrm", "account": "crm", "status": "pending", "amount": 1.0} | row
            for row in rows
        ],
    )


def test_open_amounts_fall_under_what_the_person_last_said_in_another_service() -> None:
    frame = deals(
        {"contact_id": "ann", "amount": 100.0},
        {"contact_id": "ann", "amount": 10.0, "total_amount": 120.0},
        {"contact_id": "bo", "amount": 50.0},
        {"contact_id": "cy", "amount": 7.0},
        {"contact_id": "who", "amount": 3.0},
        {"contact_id": None, "amount": None},
        {"contact_id": "ann", "amount": 999.0, "status": "won"},
    )
    events = said(
        ("Ann", "unsubscribe", "email", at(1)),
        ("Ann", "subscribe", "E-Mail", at(2)),
        ("Ann", "unsubscribe", "email", at(2, month=6)),
        ("Ann", "unsubscribe", "sms", at(3)),
        ("Bo", "subscribe", "email", at(1)),
        ("Bo", "complain", None, at(2)),
        ("Cy", "hardbounce", "email", at(1)),
        ("Cy", "subscribe", "email", None),
    )

    found = open_pipeline_by_consent(frame, events, who(ann="A", bo="B", cy="C"), as_of=AS_OF)

    rows = [
        ("opted in", 2, 1, 220.0),
        ("opted out", 1, 1, 50.0),
        ("undecided", 1, 1, 7.0),
        ("unknown person", 2, None, 3.0),
    ]
    schema = {"consent": pl.String, "deals": pl.Int64, "people": pl.Int64, "amount": pl.Float64}
    assert_frame_equal(found, pl.DataFrame(rows, schema=schema, orient="row"))


def test_amounts_of_several_currencies_stay_apart() -> None:
    frame = deals({"currency": "USD", "amount": 5.0}, {"currency": "EUR", "amount": 7.0})

    found = open_pipeline_by_consent(frame, said(), who(), as_of=AS_OF)

    assert found.filter(pl.col("deals") > 0).select("currency", "amount").rows() == [
        ("EUR", 7.0),
        ("USD", 5.0),
    ]
    assert found.height == 8


def test_an_event_that_says_itself_what_it_is_needs_no_kind() -> None:
    events = said(("Ann", "confirm", "email", at(1)), ("Ann", "update", "email", at(2)))
    events = events.with_columns(
        pl.Series("opted_in", [True, False]), provider=pl.lit("complero").cast(pl.Categorical)
    )
    people = who(ann="A").with_columns(
        pl.col("provider").cast(pl.String).replace("altcraft", "complero").cast(pl.Categorical)
    )

    found = open_pipeline_by_consent(deals({"contact_id": "ann"}), events, people, as_of=AS_OF)

    assert found.filter(pl.col("deals") > 0)["consent"].to_list() == ["opted out"]


def test_of_two_decisions_of_one_moment_the_refusal_counts() -> None:
    events = said(("Ann", "unsubscribe", "email", at(1)), ("Ann", "subscribe", "email", at(1)))

    found = open_pipeline_by_consent(
        deals({"contact_id": "ann"}), events, who(ann="A"), as_of=AS_OF
    )

    assert found.filter(pl.col("deals") > 0)["consent"].to_list() == ["opted out"]


def test_coverage_counts_decisions_of_either_kind_for_each_owner() -> None:
    frame = deals(
        {"owner_name": "Zoe", "contact_id": "ann", "amount": 30.0},
        {"owner_name": "Zoe", "contact_id": "bo", "amount": 20.0},
        {"owner_name": "Zoe", "contact_id": "cy", "amount": 50.0},
        {"owner_name": None, "contact_id": None, "amount": 0.0},
    )
    events = said(("Ann", "subscribe", "email", at(1)), ("Bo", "unsubscribe", "email", at(1)))

    found = consent_coverage_of_pipeline(
        frame, events, who(ann="A", bo="B", cy="C"), as_of=AS_OF, by="owner_name"
    )

    rows = [
        ("Zoe", 3, 2, 1, 2 / 3, 100.0, 50.0, 30.0, 0.5),
        (None, 1, 0, 0, 0.0, 0.0, 0.0, 0.0, None),
    ]
    numbers = (
        ["deals", "decided", "opted_in"],
        ["coverage", "amount", "decided_amount", "opted_in_amount", "coverage_by_amount"],
    )
    schema = {
        "owner_name": pl.String,
        **dict.fromkeys(numbers[0], pl.Int64),
        **dict.fromkeys(numbers[1], pl.Float64),
    }
    assert_frame_equal(found, pl.DataFrame(rows, schema=schema, orient="row"))


def test_negative_amounts_make_no_coverage() -> None:
    frame = deals(
        {"owner_name": "Zoe", "contact_id": "ann", "amount": 100.0},
        {"owner_name": "Zoe", "contact_id": "cy", "amount": -50.0},
    )
    events = said(("Ann", "subscribe", "email", at(1)))

    found = consent_coverage_of_pipeline(
        frame, events, who(ann="A", cy="C"), as_of=AS_OF, by="owner_name"
    )

    assert found.select("amount", "decided_amount", "coverage", "coverage_by_amount").row(0) == (
        50.0,
        100.0,
        0.5,
        None,
    )


def test_only_what_was_said_before_the_closing_day_stands_beside_the_win_rate() -> None:
    frame = deals(
        {"contact_id": "ann", "status": "won", "close_date": date(2026, 1, 5)},
        {"contact_id": "ann", "status": "lost", "close_date": date(2026, 1, 4)},
        {"contact_id": "bo", "status": "won", "close_date": date(2026, 3, 1)},
        {"contact_id": "bo", "status": "won", "close_date": None},
        {"contact_id": None, "status": "lost", "close_date": date(2026, 3, 1)},
    )
    events = said(
        ("Ann", "subscribe", "email", at(4, hour=23)),
        ("Bo", "subscribe", "email", at(1)),
        ("Bo", "unsubscribe", "email", at(2)),
    )

    found = consent_and_win_rate(frame, events, who(ann="A", bo="B"))
    further_east = consent_and_win_rate(
        frame, events, who(ann="A", bo="B"), time_zone="Europe/Berlin"
    )

    assert found["consent"].to_list() == list(STATES)
    assert found.select("won", "lost").rows() == [(1, 0), (1, 0), (0, 1), (0, 1)]
    assert found["win_rate"].to_list() == [1.0, 1.0, 0.0, 0.0]
    # in Berlin it is the fifth already
    assert further_east.select("won", "lost").rows() == [(0, 0), (1, 0), (1, 1), (0, 1)]
    assert further_east.row(0) == ("opted in", 0, 0, None, None, None)


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    # Newcombe (1998), Statistics in Medicine 17, table I, method 3
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_the_interval_is_that_of_the_literature(
    part: int, whole: int, low: float, high: float
) -> None:
    ends = pl.select(
        *(end.alias(str(n)) for n, end in enumerate(wilson(pl.lit(part), pl.lit(whole), 1.959964)))
    )

    assert ends.row(0) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(1, 10**9).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_its_rate_and_stays_between_none_and_all(
    counts: tuple[int, int],
) -> None:
    part, whole = counts
    low, high = pl.select(
        *(end.alias(str(n)) for n, end in enumerate(wilson(pl.lit(part), pl.lit(whole), 1.96)))
    ).row(0)

    assert 0 <= low <= part / whole + 1e-12
    assert part / whole - 1e-12 <= high <= 1


def test_no_deals_have_no_rates() -> None:
    none = TABLES["deals"].empty()

    assert open_pipeline_by_consent(none, said(), who(), as_of=AS_OF)["deals"].to_list() == [
        0,
        0,
        0,
        0,
    ]
    assert consent_coverage_of_pipeline(
        none, said(), who(), as_of=AS_OF, by="owner_name"
    ).is_empty()
    assert consent_and_win_rate(none, said(), who())["win_rate"].to_list() == [None] * 4


def test_a_moment_without_zone_and_people_that_are_none_are_refused() -> None:
    with pytest.raises(UsageError, match="no time zone"):
        open_pipeline_by_consent(deals({}), said(), who(), as_of=datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(UsageError, match="people has no column person_id"):
        consent_and_win_rate(deals({}), said(), who().drop("person_id"))


def test_a_consent_without_a_channel_is_one_for_no_channel_that_is_named() -> None:
    events = said(("Ann", "subscribe", None, at(1)), ("Bo", "subscribe", "E-Mail", at(1)))
    each = deals({"contact_id": "ann"}, {"contact_id": "bo"})

    found = open_pipeline_by_consent(each, events, who(ann="A", bo="B"), as_of=AS_OF)

    assert dict(found.select("consent", "deals").rows()) == {
        "opted in": 1, "opted out": 0, "undecided": 1, "unknown person": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("topic", "message"),
    [
        ({"channel": "emial"}, "channel='emial'; did you mean 'email'"),
        ({"purpose": "Newletter"}, "purpose='Newletter'; did you mean 'newsletter'"),
        ({"channel": " "}, "names no channel"),
        ({"channel": None}, "names no channel"),
        ({"purpose": ["newsletter"]}, "names no purpose"),
    ],
)
def test_a_channel_or_purpose_that_is_misspelt_is_refused(
    topic: dict[str, Any], message: str
) -> None:
    events = said(("Ann", "subscribe", "email", at(5))).with_columns(purpose=pl.lit("Newsletter"))

    for analysis in (open_pipeline_by_consent, consent_coverage_of_pipeline):
        with pytest.raises(UsageError, match=message):
            analysis(deals({"contact_id": "ann"}), events, who(ann="A"), as_of=AS_OF, **topic)
    with pytest.raises(UsageError, match=message):
        consent_and_win_rate(deals({"contact_id": "ann"}), events, who(ann="A"), **topic)


@pytest.mark.parametrize(
    "topic", [{"channel": "sms"}, {"channel": "carrier pigeon"}, {"purpose": "surveys"}]
)
def test_about_what_nobody_was_asked_everybody_is_undecided(topic: dict[str, Any]) -> None:
    events = said(("ann", "subscribe", "email", at(5))).with_columns(purpose=pl.lit("Newsletter"))

    found = open_pipeline_by_consent(
        deals({"contact_id": "ann"}), events, who(ann="A"), as_of=AS_OF, **topic
    )

    assert dict(found.select("consent", "deals").rows())["undecided"] == 1
