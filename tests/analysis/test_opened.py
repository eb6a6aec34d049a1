"""Deals and notes brought from elsewhere: the day that people gave them counts, not that of the import."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl

from crmlab import analysis
from crmlab.analysis.opened import read_opened
from crmlab.schema import TABLES, conform

IMPORTED = datetime(2026, 3, 2, 9, tzinfo=UTC)
#: opened and won: 60, 30 and 50 days
SALES = [
    (date(2025, 11, 3), date(2026, 1, 2)),
    (date(2025, 12, 1), date(2025, 12, 31)),
    (date(2026, 1, 15), date(2026, 3, 6)),
]


def migrated(*, opened: bool = True) -> pl.DataFrame:
    rows = {
        "provider": ["onepagecrm"] * 3,
        "account": ["sales"] * 3,
        "id": ["a", "b", "c"],
        "contact_id": ["p"] * 3,
        "status": ["won"] * 3,
        "created_at": [IMPORTED] * 3,
        "opened_on": [first if opened else None for first, _ in SALES],
        "close_date": [last for _, last in SALES],
        "amount": [100.0] * 3,
    }
    return conform(pl.DataFrame(rows), TABLES["deals"])


def test_a_migrated_account_has_its_true_cycle() -> None:
    found = analysis.cycle_length(migrated())
    as_recorded = analysis.cycle_length(migrated(opened=False))

    assert found.select("won", "left_out", "median_days").row(0) == (3, 0, 50.0)
    # two of the three were won before their import
    assert as_recorded.select("left_out", "median_days").row(0) == (2, 4.0)


def test_every_answer_about_beginnings_takes_the_day_that_was_given() -> None:
    deals = migrated()
    still_open = deals.with_columns(status=pl.lit("pending"), close_date=pl.lit(None, pl.Date))

    cohorts = analysis.win_cohorts(deals, as_of="2026-04-01")
    created = analysis.created_against_closed(deals)
    velocity = analysis.sales_velocity(deals, as_of="2026-04-01", opportunities="worked")
    ageing = analysis.ageing(still_open, as_of="2026-03-12")

    assert cohorts["created_month"].unique().sort().to_list() == [
        date(2025, 11, 1),
        date(2025, 12, 1),
        date(2026, 1, 1),
    ]
    assert (
        created.filter(pl.col("created") > 0)["month"].to_list()
        == cohorts["created_month"].unique().sort().to_list()
    )
    assert velocity["mean_days"].item() == (60 + 30 + 50) / 3
    assert ageing["age_days"].to_list() == [129.0, 101.0, 56.0]


def test_a_deal_is_touched_since_the_day_it_was_opened() -> None:
    call = {"provider": "onepagecrm", "account": "sales", "kind": "call", "contact_id": "p"}
    activities = conform(
        pl.DataFrame([{**call, "starts_at": datetime(2025, 12, 20, tzinfo=UTC)}]),
        TABLES["activities"],
    )

    counts = analysis.activities_per_deal(migrated(), activities)

    # of the first two it is between opening and winning, before the third was opened
    assert counts.select("deals", "without_activity", "activities").row(0) == (3, 1, 2)


def test_a_note_is_of_the_day_that_its_author_gave_it() -> None:
    notes: dict[str, list[Any]] = {
        "kind": ["note", "note"],
        "created_at": [IMPORTED, IMPORTED],
        "dated_on": [date(2025, 6, 1), IMPORTED.date()],
    }
    frame = conform(pl.DataFrame(notes), TABLES["activities"])

    volume = analysis.activity_volume(frame, every="1d", time_zone="America/New_York")
    hours = analysis.activity_heatmap(frame)

    assert volume["period"].to_list() == [date(2025, 6, 1), IMPORTED.date()]
    # nobody knows at what hour the first was written
    assert hours["count"].sum() == 1


def test_a_day_begins_at_its_midnight_and_later_where_clocks_skip_it() -> None:
    # clocks in Beirut went from 00:00 to 01:00 on 27 March 2022
    rows = {"created_at": [IMPORTED] * 2, "opened_on": [date(2022, 3, 27), None]}

    found = read_opened(pl.DataFrame(rows), "deals", time_zone="Asia/Beirut")[
        "created_at"
    ].to_list()

    assert found[0] == datetime(2022, 3, 26, 22, tzinfo=UTC)
    assert found[1] == IMPORTED


def test_frames_without_the_day_are_read_as_they_were() -> None:
    frame = migrated(opened=False).drop("opened_on")

    assert analysis.cycle_length(frame).equals(analysis.cycle_length(migrated(opened=False)))
    later = frame.with_columns(opened_on=pl.col("created_at").dt.date() - timedelta(days=100))
    assert analysis.cycle_length(later)["left_out"].item() == 0
