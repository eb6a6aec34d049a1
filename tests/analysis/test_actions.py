"""What is open, overdue and done on time, where the day begins."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from crmlab.analysis.actions import completion_rate, open_actions
from crmlab.errors import UsageError
from crmlab.sandbox.world.generate import generate
from crmlab.schema import TABLES, conform

TODAY = date(2026, 3, 29)


def actions(**columns: list[Any]) -> pl.DataFrame:
    types: dict[str, Any] = {
        name: dtype for name, dtype in TABLES["activities"].schema.items() if name in columns
    }
    frame = pl.DataFrame(columns, schema=types)
    if "kind" not in columns:
        frame = frame.with_columns(kind=pl.lit("action"))
    return conform(frame, TABLES["activities"])


def users(**names: str) -> pl.DataFrame:
    return conform(pl.DataFrame({"id": list(names), "name": list(names.values())}), TABLES["users"])


def test_overdue_begins_the_day_after_and_is_counted_by_its_days() -> None:
    due = [TODAY - timedelta(days=days) for days in (-1, 0, 1, 7, 8, 30, 31)]
    frame = actions(due_on=[*due, None, due[-1]], done=[False] * 8 + [True], owner_id=["ann"] * 9)

    found = open_actions(frame, as_of=TODAY, users=users(ann="Ann Bee"))

    expected = {
        "owner": ["Ann Bee"], "open": [8], "undated": [1], "upcoming": [2], "overdue": [5],
        "overdue_to_7_days": [2], "overdue_8_to_30_days": [2], "overdue_above_30_days": [1], "overdue_rate": [0.625],
    }  # fmt: skip
    assert_frame_equal(found, pl.DataFrame(expected))


def test_the_same_instant_is_another_day_elsewhere() -> None:
    frame = actions(due_on=[TODAY], done=[False])
    # 23:30 in UTC; Berlin's clocks went forward that Sunday: Monday 01:30
    at = datetime(2026, 3, 29, 23, 30, tzinfo=UTC)

    assert open_actions(frame, as_of=at)["overdue"].item() == 0
    assert open_actions(frame, as_of=at, time_zone="Europe/Berlin")["overdue"].item() == 1
    # the night before, the day of 23 hours has not begun in New York
    early = datetime(2026, 3, 30, 3, 59, tzinfo=UTC)
    assert open_actions(frame, as_of=early, time_zone="America/New_York")["overdue"].item() == 0


def test_a_date_is_that_day_in_every_time_zone() -> None:
    frame = actions(due_on=[TODAY, TODAY - timedelta(days=1)], done=[False, False])

    for zone in ("Pacific/Kiritimati", "UTC", "America/Los_Angeles"):
        assert open_actions(frame, as_of=TODAY, time_zone=zone)["overdue"].item() == 1
        assert open_actions(frame, as_of="2026-03-29", time_zone=zone)["overdue"].item() == 1


def test_an_earlier_moment_sees_what_was_open_then() -> None:
    created = datetime(2026, 3, 1, tzinfo=UTC)
    frame = actions(
        created_at=[created], due_on=[date(2026, 3, 5)], done=[True], done_at=[date(2026, 3, 10)]
    )

    assert open_actions(frame, as_of="2026-02-28").is_empty()
    assert open_actions(frame, as_of="2026-03-09")["overdue"].item() == 1
    assert open_actions(frame, as_of="2026-03-10").is_empty()


def test_without_a_word_on_done_the_day_of_completion_says_it_and_the_exact_time_is_due() -> None:
    at = datetime(2026, 3, 28, 22, 30, tzinfo=UTC)
    frame = actions(done=[None, None], done_at=[TODAY, None], starts_at=[at, at])

    found = open_actions(frame, as_of=TODAY)

    assert found.select("open", "overdue").row(0) == (1, 1)
    # the exact time is within the 28th in UTC, half an hour before midnight; in Athens already on the 29th
    assert open_actions(frame, as_of=TODAY, time_zone="Europe/Athens").select(
        "open", "overdue"
    ).row(0) == (1, 0)


def test_only_actions_are_open() -> None:
    assert open_actions(
        actions(kind=["note", "event", None], done=[False, None, None]), as_of=TODAY
    ).is_empty()


def test_the_completion_rate_counts_days_that_are_over() -> None:
    due = date(2026, 3, 10)
    frame = actions(
        owner_id=["ann"] * 5 + [None],
        due_on=[due, due, due, due, TODAY, due],
        done=[True, True, False, True, False, True],
        done_at=[due, due + timedelta(days=1), None, None, None, due - timedelta(days=3)],
    )

    found = completion_rate(frame, as_of=TODAY)

    expected = {
        "owner": ["ann", None], "due": [4, 1], "on_time": [1, 1], "late": [1, 0], "not_done": [1, 0],
        "done_undated": [1, 0], "completion_rate": [0.25, 1.0],
    }  # fmt: skip
    assert_frame_equal(found, pl.DataFrame(expected))
    assert completion_rate(frame, as_of=TODAY, since=date(2026, 3, 11)).is_empty()
    assert completion_rate(frame, as_of=TODAY, until=due).is_empty()
    # on the leap day's eve nothing was due, later ends do not bring what is not over
    assert completion_rate(frame, as_of=TODAY, until=date(2027, 1, 1))["due"].sum() == 5


_DAY = st.dates(date(2024, 2, 20), date(2024, 3, 10))


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["ann", "bo", None]),
            st.none() | _DAY,
            st.sampled_from([True, False, None]),
            st.none() | _DAY,
        ),
        max_size=30,
    ),
    _DAY,
)
def test_parts_sum_to_the_whole_and_owners_to_all(rows: list[tuple[Any, ...]], today: date) -> None:
    owners, due, done, done_at = (
        (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [], [])
    )
    frame = actions(owner_id=owners, due_on=due, done=done, done_at=done_at)

    found = open_actions(frame, as_of=today)
    closed = completion_rate(frame, as_of=today)

    undone = [
        row for row in rows
        if not ((row[2] if row[2] is not None else row[3] is not None) and (row[3] is None or row[3] <= today))
    ]  # fmt: skip
    assert dict(found.select("owner", "open").iter_rows()) == Counter(row[0] for row in undone)
    assert (found["open"] == found["undated"] + found["upcoming"] + found["overdue"]).all()
    assert (
        found["overdue"] == found.select(pl.sum_horizontal("^overdue_.*_days$")).to_series()
    ).all()
    assert found["overdue"].sum() == sum(row[1] is not None and row[1] < today for row in undone)
    parts = pl.sum_horizontal("on_time", "late", "not_done", "done_undated")
    assert (closed["due"] == closed.select(parts).to_series()).all()
    assert closed["due"].sum() == sum(row[1] is not None and row[1] < today for row in rows)


@pytest.mark.slow
def test_the_sandbox_world_has_as_many_open_and_overdue_as_it_was_made_with() -> None:
    world = generate(300)
    made = world.actions
    frame = actions(
        owner_id=[action.assignee_id for action in made],
        created_at=[action.created_at for action in made],
        due_on=[action.date for action in made],
        done=[action.done for action in made],
        done_at=[action.done_at for action in made],
    )

    found = open_actions(frame, as_of=world.now)

    today = world.now.date()
    undone = [action for action in made if not action.done]
    assert found["open"].sum() == len(undone) > 50
    assert (
        found["overdue"].sum()
        == sum(action.date is not None and action.date < today for action in undone)
        > 5
    )


@pytest.mark.parametrize("as_of", [datetime(2026, 1, 1), "yesterday", None, 5])  # noqa: DTZ001
def test_a_moment_that_is_none_is_refused(as_of: Any) -> None:
    with pytest.raises(UsageError, match="as_of"):
        open_actions(actions(done=[False]), as_of=as_of)


def test_what_is_missing_is_named() -> None:
    with pytest.raises(UsageError, match="activities has no column due_on, done"):
        open_actions(actions(done=[False]).drop("due_on", "done"), as_of=TODAY)
    with pytest.raises(UsageError, match="'Mars/Base' is not in the time zone database"):
        open_actions(actions(done=[False]), as_of=TODAY, time_zone="Mars/Base")
    with pytest.raises(UsageError, match="since must be a date"):
        completion_rate(actions(done=[False]), as_of=TODAY, since=datetime(2026, 1, 1, tzinfo=UTC))


def test_an_empty_table_gives_an_empty_answer_of_the_same_shape() -> None:
    empty = TABLES["activities"].empty()
    one = actions(done=[False], due_on=[date(2020, 1, 1)])

    assert open_actions(empty, as_of=TODAY).schema == open_actions(one, as_of=TODAY).schema
    assert completion_rate(empty, as_of=TODAY).schema == completion_rate(one, as_of=TODAY).schema
