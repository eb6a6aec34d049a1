"""One name for each user, however the services write it."""

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from crmlab.analysis.activity import activity_volume_by_owner
from crmlab.analysis.owners import with_owner
from crmlab.errors import UsageError
from crmlab.schema import TABLES, conform


def table(name: str, /, **columns: list[Any]) -> pl.DataFrame:
    types: dict[str, Any] = {
        column: dtype for column, dtype in TABLES[name].schema.items() if column in columns
    }
    return conform(pl.DataFrame(columns, schema=types), TABLES[name])


USERS = table(
    "users",
    account=["a", "a", "a", "b", "a"],
    id=["1", "2", "3", "1", "4"],
    name=["Ann Bee", "Cy Dot", "Cy Dash", "Eve Fir", None],
)


@pytest.mark.parametrize(
    ("owner_id", "author", "owner"),
    [
        ("1", None, "Ann Bee"),
        ("9", None, "9"),
        ("4", None, "4"),
        ("2", "Ann B.", "Cy Dot"),
        (None, "Ann B.", "Ann Bee"),
        (None, "Ann Bee <ann@example.com>", "Ann Bee"),
        (None, "Cy D.", "Cy D."),
        (None, "Eve F.", "Eve F."),
        (None, " ", None),
        (None, None, None),
    ],
)
def test_ids_and_authors_become_names(
    owner_id: str | None, author: str | None, owner: str | None
) -> None:
    frame = table("activities", account=["a"], owner_id=[owner_id], author=[author])

    found = with_owner(frame, USERS)

    assert found["owner"].to_list() == [owner]
    assert_frame_equal(found.drop("owner"), frame)


def test_frames_without_authors_have_owners_too() -> None:
    deals = table("deals", account=["b", "a", "a"], owner_id=["1", "1", None])

    assert with_owner(deals, USERS)["owner"].to_list() == ["Eve Fir", "Ann Bee", None]
    assert with_owner(deals)["owner"].to_list() == ["1", "1", None]


def test_the_same_name_is_the_same_owner() -> None:
    activities = table(
        "activities",
        account=["a", "a", "r", "a"],
        kind=["call", "note", "event", "visit"],
        owner_id=["1", None, None, None],
        author=[None, "Ann B.", "Ann Bee <ann@example.com>", None],
    )

    found = activity_volume_by_owner(activities, USERS)

    rows = [
        ("Ann Bee", "call", 1),
        ("Ann Bee", "event", 1),
        ("Ann Bee", "note", 1),
        (None, "visit", 1),
    ]
    schema = {"owner": pl.String, "kind": pl.String, "count": pl.Int64}
    assert_frame_equal(found, pl.DataFrame(rows, schema=schema, orient="row"))


_NAME = st.sampled_from(["Ann Bee", "Ann Bo", "Ann B.", "Cy", "", None])


@given(
    st.lists(st.tuples(st.sampled_from("123"), _NAME), max_size=6),
    st.lists(
        st.tuples(st.sampled_from(["1", "2", "9", None]), _NAME, st.sampled_from(["call", None])),
        max_size=20,
    ),
)
def test_no_activity_is_lost_or_counted_twice(names: list[Any], rows: list[Any]) -> None:
    users = table("users", id=[id for id, _ in names], name=[name for _, name in names])
    activities = table(
        "activities",
        owner_id=[row[0] for row in rows],
        author=[row[1] for row in rows],
        kind=[row[2] for row in rows],
    )

    assert activity_volume_by_owner(activities, users)["count"].sum() == len(rows)


def test_what_is_missing_is_named() -> None:
    with pytest.raises(UsageError, match="users has no column name"):
        with_owner(TABLES["activities"].empty(), USERS.drop("name"))
    with pytest.raises(UsageError, match="activities has no column kind"):
        activity_volume_by_owner(TABLES["activities"].empty().drop("kind"))
