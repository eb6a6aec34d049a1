"""Double opt-in and proof, and what follows what: against answers worked out by hand, and laws."""

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from crmlab.analysis.confirmation import confirmation_rate, documentation_coverage, time_to_confirm
from crmlab.analysis.consent_duration import median_days
from crmlab.analysis.journey import consent_journeys
from crmlab.errors import UsageError
from crmlab.schema import TABLES, conform
from tests.analysis.words import decided

START = datetime(2026, 1, 1, tzinfo=UTC)
AS_OF = START + timedelta(days=31)
FIELDS = ("contact_id", "channel", "kind", "occurred_at", "source", "opted_in", "has_documentation")


def events(*rows: tuple[Any, ...], provider: str = "altcraft") -> pl.DataFrame:
    """Return events of contact, channel, kind, day, and what else is named after them."""
    timed = [(*row[:3], START + timedelta(days=row[3]), *row[4:]) for row in rows]
    whole = [(*row, *[None] * (len(FIELDS) - len(row))) for row in timed]
    schema = {name: TABLES["consent_events"].schema[name] for name in FIELDS}
    frame = pl.DataFrame(whole, schema=schema, orient="row")
    return decided(
        conform(
            frame.with_columns(provider=pl.lit(provider), account=pl.lit("a")),
            TABLES["consent_events"],
        )
    )


# ---- confirmation -------------------------------------------------------------------------------


def test_young_requests_are_in_neither_number_even_if_they_are_confirmed() -> None:
    frame = events(
        ("1", "email", "subscribe", 0),
        ("1", "email", "confirm", 7),
        ("2", "email", "subscribe", 0),
        ("2", "email", "confirm", 7.01),
        ("3", "email", "subscribe", 24),
        ("4", "email", "subscribe", 24.5),
        ("4", "email", "confirm", 25),
        ("5", "email", "confirm", 1),
    )

    assert confirmation_rate(frame, as_of=AS_OF).row(0) == (3, 1, 1, 1 / 3)


def test_a_confirmation_is_of_the_first_request_of_its_person_and_channel() -> None:
    frame = events(
        ("1", "email", "confirm", 0),
        ("1", "email", "subscribe", 1, "form"),
        ("1", "email", "subscribe", 5, "shop"),
        ("1", "email", "confirm", 6),
        ("1", "sms", "subscribe", 1, "shop"),
        ("2", None, "subscribe", 1, "form"),
        ("2", None, "confirm", 1, "form"),
    )

    assert confirmation_rate(frame, as_of=AS_OF, by="channel").rows() == [
        ("email", 1, 1, 0, 1.0),
        ("sms", 1, 0, 0, 0.0),
        (None, 1, 1, 0, 1.0),
    ]
    assert confirmation_rate(frame, as_of=AS_OF, by="source").rows() == [
        ("form", 2, 2, 0, 1.0),
        ("shop", 1, 0, 0, 0.0),
    ]


def test_a_confirmed_refusal_confirms_no_request() -> None:
    frame = events(
        ("1", "email", "subscribe", 0),
        ("1", "email", "confirm", 1, "form", False),
        ("2", "email", "subscribe", 0),
        ("2", "email", "confirm", 1, "form", True),
        provider="complero",
    )

    assert confirmation_rate(frame, as_of=AS_OF).row(0) == (2, 1, 0, 0.5)


def test_what_is_a_request_and_what_confirms_it_stands_in_the_column_and_not_in_the_kind() -> None:
    frame = events(("1", "email", "asked", 0), ("1", "email", "granted", 1))

    said = frame.with_columns(step=pl.Series(["request", "confirmation"]))

    assert confirmation_rate(said, as_of=AS_OF).row(0) == (1, 1, 0, 1.0)
    assert confirmation_rate(frame, as_of=AS_OF).row(0) == (0, 0, 0, None)


def test_who_waits_counts_for_as_long_as_they_have_waited() -> None:
    frame = events(
        ("1", "email", "subscribe", 0),
        ("1", "email", "confirm", 0),
        ("2", "email", "subscribe", 0),
        ("2", "email", "confirm", 2),
        ("3", "email", "subscribe", 30),
        ("4", "email", "subscribe", 0),
        ("4", "email", "confirm", 4),
    )

    found = time_to_confirm(frame, as_of=AS_OF)

    assert found.select("days", "at_risk", "ended", "censored").rows() == [
        (0.0, 4, 1, 0),
        (1.0, 3, 0, 1),
        (2.0, 2, 1, 0),
        (4.0, 1, 1, 0),
    ]
    assert found["confirmed_share"].to_list() == pytest.approx([0.25, 0.25, 0.625, 1.0])
    assert median_days(found).item() == 2.0


def test_a_confirmation_after_the_moment_is_not_read() -> None:
    frame = events(("1", "email", "subscribe", 0), ("1", "email", "confirm", 40))

    assert time_to_confirm(frame, as_of=AS_OF).select(
        "days", "censored", "confirmed_share"
    ).rows() == [(31.0, 1, 0.0)]


def test_no_time_to_confirm_is_refused() -> None:
    with pytest.raises(UsageError, match="within_days must be 1 or more"):
        confirmation_rate(events(), as_of=AS_OF, within_days=0)


# ---- proof --------------------------------------------------------------------------------------


def test_a_consent_is_documented_by_any_event_since_it_was_given() -> None:
    frame = events(
        ("1", "email", "confirm", 0, "form", True, False),
        ("1", "email", "documentation", 1, None, None, True),
        ("2", "email", "confirm", 0, "form", True, True),
        ("2", "email", "update", 1, "form", False, False),
        ("2", "email", "update", 2, None, True, False),
        ("3", "sms", "confirm", 0, "form", True, None),
        ("4", "sms", "update", 0, "form", False, True),
        ("5", "email", "confirm", 0, "form", True, None),
        ("5", "email", "confirm", 40, "form", True, True),
        provider="complero",
    )

    assert documentation_coverage(frame, as_of=AS_OF, by="channel").rows() == [
        ("email", 3, 1, 1, 1, 2, 1 / 3),
        ("sms", 1, 0, 0, 1, 1, 0.0),
    ]
    assert documentation_coverage(frame, as_of=AS_OF, by="source").rows() == [
        ("form", 3, 1, 0, 2, 3, 1 / 3),
        (None, 1, 0, 1, 0, 0, 0.0),
    ]


def test_the_coverage_of_no_consent_is_null() -> None:
    assert documentation_coverage(events(), as_of=AS_OF).row(0) == (0, 0, 0, 0, 0, None)
    assert documentation_coverage(events(), as_of=AS_OF, by="channel").is_empty()


# ---- journeys -----------------------------------------------------------------------------------


def test_journeys_go_step_by_step_to_their_end() -> None:
    frame = events(
        ("1", "email", "subscribe", 0),
        ("1", "sms", "confirm", 1),
        ("1", "email", "unsubscribe", 2),
        ("1", "email", "subscribe", 3),
        ("1", "email", "complaint", 4),
        ("2", "email", "subscribe", 0),
        ("2", "email", None, 1),
        ("3", "email", "subscribe", 0),
    )

    found = consent_journeys(frame)

    rows = [
        (1, "subscribe", "(no kind)", 1),
        (1, "subscribe", "(none)", 1),
        (1, "subscribe", "confirm", 1),
        (2, "(no kind)", "(none)", 1),
        (2, "confirm", "unsubscribe", 1),
        (3, "unsubscribe", "subscribe", 1),
    ]
    schema = {"step": pl.Int64, "before": pl.String, "after": pl.String, "subjects": pl.Int64}
    assert_frame_equal(found, pl.DataFrame(rows, schema=schema, orient="row"))
    assert consent_journeys(frame, steps=2).height == 3
    assert_frame_equal(consent_journeys(events()), pl.DataFrame(schema=schema))


def test_links_of_few_people_are_one() -> None:
    frame = events(
        *((str(n), "email", "subscribe" if n > 1 else f"rare {n}", 0) for n in range(200))
    )

    assert consent_journeys(frame, smallest=0.01).rows() == [
        (1, "subscribe", "(none)", 198),
        (1, "(other)", "(other)", 2),
    ]
    assert (
        consent_journeys(frame, smallest=0).height
        == consent_journeys(frame, smallest=1 / 200).height
        == 3
    )


@given(
    st.lists(
        st.tuples(
            st.sampled_from("123456"),
            st.none(),
            st.sampled_from(["a", "b", "c"]),
            st.integers(0, 9),
        ),
        max_size=40,
    ),
    st.sampled_from([0, 0.2, 0.5]),
)
def test_nobody_is_lost_on_the_way(rows: list[tuple[Any, ...]], smallest: float) -> None:
    found = consent_journeys(events(*rows), smallest=smallest)

    lengths = pl.Series([row[0] for row in rows], dtype=pl.String).value_counts()["count"].to_list()
    for step in (1, 2, 3):
        people = found.filter(pl.col("step") == step)["subjects"].sum()
        assert people == sum(length >= step for length in lengths)


@pytest.mark.parametrize(
    ("name", "value"), [("steps", 1), ("steps", 5), ("smallest", 1), ("smallest", -0.1)]
)
def test_what_no_diagram_can_show_is_refused(name: str, value: Any) -> None:
    with pytest.raises(UsageError, match=f"{name}={value}"):
        consent_journeys(events(), **{name: value})
