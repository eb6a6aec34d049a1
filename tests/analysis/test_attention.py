"""How many activities deals take, and what nobody has touched for long."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from crmlab.analysis.attention import (
    activities_of_deals,
    activities_per_deal,
    days_since_last_touch,
)
from crmlab.errors import UsageError
from crmlab.sandbox.world.generate import generate
from crmlab.schema import TABLES, conform


def table(name: str, **columns: list[Any]) -> pl.DataFrame:
    types: dict[str, Any] = {
        column: dtype for column, dtype in TABLES[name].schema.items() if column in columns
    }
    return conform(pl.DataFrame(columns, schema=types), TABLES[name])


def at(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


def deals(*status: str, contact: str = "c", created: int = 2, closed: int = 9) -> pl.DataFrame:
    n = len(status)
    return table(
        "deals",
        id=[f"d{place}" for place in range(n)],
        contact_id=[contact] * n,
        status=list(status),
        created_at=[at(created)] * n,
        close_date=[date(2026, 3, closed)] * n,
    )


def notes(
    *days: int, deal: str | None = None, contact: str | None = "c", hour: int = 12
) -> pl.DataFrame:
    n = len(days)
    return table(
        "activities",
        kind=["note"] * n,
        deal_id=[deal] * n,
        contact_id=[contact] * n,
        created_at=[at(day, hour) for day in days],
    )


def test_a_contact_counts_for_its_deal_from_creation_to_close() -> None:
    found = activities_of_deals(deals("won"), notes(1, 2, 5, 9, 10))

    assert found["activities"].to_list() == [3]


def test_what_names_a_deal_counts_for_it_alone_until_its_close() -> None:
    activities = pl.concat([notes(1, 3, 10, deal="d1"), notes(4, deal="elsewhere"), notes(5)])

    found = activities_of_deals(deals("won", "lost"), activities)

    assert found["activities"].to_list() == [1, 3]


def test_the_day_of_closing_is_that_of_the_time_zone() -> None:
    late = notes(9, hour=23)

    assert activities_of_deals(deals("won"), late)["activities"].item() == 1
    assert (
        activities_of_deals(deals("won"), late, time_zone="Europe/Berlin")["activities"].item() == 0
    )


def test_deals_without_creation_have_only_what_names_them() -> None:
    closed = deals("won").with_columns(created_at=pl.lit(None, pl.Datetime("us", "UTC")))

    assert (
        activities_of_deals(closed, pl.concat([notes(3), notes(4, 5, deal="d0")]))[
            "activities"
        ].item()
        == 2
    )


def test_won_and_lost_deals_have_numbers_and_medians() -> None:
    sales = pl.concat([deals("won", "won", "pending", "won"), deals("lost", contact="x")])
    sales = sales.with_columns(id=pl.Series(["a", "b", "c", "d", "e"]))
    activities = pl.concat(
        [notes(3, 4, 5, 6, deal="a"), notes(3, deal="b"), notes(3, contact="nobody")]
    )

    found = activities_per_deal(sales, activities)

    expected = {
        "status": ["won", "lost"], "deals": [3, 1], "without_activity": [1, 1], "activities": [5, 0],
        "mean": [5 / 3, 0.0], "median": [1.0, 0.0], "p90": [4.0, 0.0],
    }  # fmt: skip
    assert_frame_equal(found, pl.DataFrame(expected))


def test_mailings_and_what_is_not_done_are_no_activity_of_a_deal() -> None:
    activities = table(
        "activities",
        kind=["send", "open", "call", "action", "action", "unheard of"],
        campaign_id=["7", "7", "7", None, None, None],
        done=[None, None, None, False, True, None],
        done_at=[None, None, None, None, date(2026, 3, 4), None],
        contact_id=["c"] * 6,
        created_at=[at(3)] * 6,
    )

    assert activities_of_deals(deals("won"), activities)["activities"].item() == 1
    assert (
        activities_of_deals(deals("won"), activities, kinds=["unheard of"])["activities"].item()
        == 1
    )


@pytest.mark.slow
def test_the_sandbox_world_counts_the_notes_it_was_made_with() -> None:
    world = generate(400)
    sales = table(
        "deals",
        id=[deal.id for deal in world.deals],
        contact_id=[deal.contact_id for deal in world.deals],
        status=[deal.status for deal in world.deals],
        created_at=[deal.created_at for deal in world.deals],
        close_date=[deal.close_date for deal in world.deals],
    )
    written = table(
        "activities",
        kind=["note"] * len(world.notes),
        deal_id=[note.deal_id for note in world.notes],
        contact_id=[note.contact_id for note in world.notes],
        created_at=[note.created_at for note in world.notes],
    )

    found = activities_of_deals(sales, written)

    truth = {
        deal.id: sum(
            note.created_at.date() <= deal.close_date
            and (
                note.deal_id == deal.id
                or (
                    note.deal_id is None
                    and note.contact_id == deal.contact_id
                    and note.created_at.date() >= deal.created_at.date()
                )
            )
            for note in world.notes
        )
        for deal in world.deals
        if deal.status != "pending" and deal.close_date
    }
    assert dict(found.select("id", "activities").iter_rows()) == truth
    assert sum(truth.values()) > 20


def test_open_deals_are_recent_stale_or_never_touched() -> None:
    sales = pl.concat([deals("pending", "pending", "won"), deals("pending", contact="x")])
    sales = sales.with_columns(id=pl.Series(["a", "b", "c", "d"]), close_date=pl.lit(None, pl.Date))
    activities = pl.concat([notes(3), notes(17, deal="b"), notes(25)])

    found = days_since_last_touch(sales, activities, as_of=at(18), time_zone="UTC")

    expected = {
        "id": ["a", "b", "d"], "last_touch_on": [date(2026, 3, 3), date(2026, 3, 17), None],
        "days": [15, 1, None], "state": ["stale", "recent", "never"],
    }  # fmt: skip
    assert_frame_equal(found.drop("provider", "account"), pl.DataFrame(expected))
    patient = days_since_last_touch(sales, activities, as_of=at(18), stale_days=15)
    assert patient["state"].to_list() == ["recent", "recent", "never"]


def test_contacts_are_touched_whenever_and_days_are_those_of_the_place() -> None:
    contacts = table("contacts", id=["c", "x"], created_at=[at(5), at(5)])
    midnight = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)

    # Berlin's 29th of March has 23 hours: 00:30 to 00:30 the next day is one day, not 23 / 24 of one
    found = days_since_last_touch(
        contacts, notes(28, hour=23), as_of=midnight, time_zone="Europe/Berlin"
    )
    assert found["days"].to_list() == [0, None]
    later = midnight + timedelta(hours=23)
    found = days_since_last_touch(
        contacts, notes(28, hour=23), as_of=later, time_zone="Europe/Berlin"
    )
    assert found["days"].to_list() == [1, None]
    assert found["last_touch_on"][0] == date(2026, 3, 29)


def test_what_was_not_there_yet_is_not_shown() -> None:
    contacts = table("contacts", id=["c", "x"], created_at=[at(20), None])

    found = days_since_last_touch(contacts, notes(1), as_of=at(10))

    assert found.select("id", "state").rows() == [("x", "never")]


@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(1, 28)), max_size=30),
    st.integers(0, 30),
    st.integers(1, 28),
)
def test_every_contact_has_one_state_and_more_patience_never_makes_more_stale(
    touched: list[tuple[int, int]], patience: int, today: int
) -> None:
    contacts = table("contacts", id=list("01234"))
    activities = table(
        "activities",
        kind=["call"] * len(touched),
        contact_id=[str(person) for person, _ in touched],
        created_at=[at(day) for _, day in touched],
    )

    def states(stale_days: int) -> list[str]:
        return days_since_last_touch(contacts, activities, as_of=at(today), stale_days=stale_days)[
            "state"
        ].to_list()

    last = [
        max((day for who, day in touched if who == person and day <= today), default=None)
        for person in range(5)
    ]
    truth = [
        "never" if day is None else "stale" if today - day > patience else "recent" for day in last
    ]
    assert states(patience) == truth
    assert states(patience + 1).count("stale") <= states(patience).count("stale")


def test_empty_tables_give_empty_answers_and_wrong_ones_are_refused() -> None:
    nothing = TABLES["activities"].empty()

    assert activities_per_deal(TABLES["deals"].empty(), nothing).is_empty()
    assert days_since_last_touch(TABLES["deals"].empty(), nothing, as_of=at(1)).is_empty()
    with pytest.raises(UsageError, match="stale_days=-1: give 0 or more"):
        days_since_last_touch(TABLES["deals"].empty(), nothing, as_of=at(1), stale_days=-1)
    with pytest.raises(UsageError, match="subjects has no column emails"):
        days_since_last_touch(TABLES["contacts"].empty().drop("emails"), nothing, as_of=at(1))
    with pytest.raises(UsageError, match="activities has no column campaign_id"):
        activities_per_deal(deals("won"), nothing.drop("campaign_id"))
