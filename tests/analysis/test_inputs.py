"""The door of every analysis: what comes in, under which name, and what is said where something is missing."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from crmlab import analysis
from crmlab.analysis.inputs import answer, is_table, keys_of, names_of, read
from crmlab.errors import UsageError
from crmlab.schema import TABLES

DEALS = pl.DataFrame({"status": ["won", "lost"], "row": [1, 2], "mine": ["a", "b"]})


def test_only_what_is_read_comes_in() -> None:
    assert read(DEALS, "deals", "status").columns == ["status"]


def test_what_is_grouped_by_comes_in_under_a_name_that_nothing_else_has() -> None:
    found = read(DEALS, "deals", "status", by=["row", "status"])

    assert found.columns == ["status", *keys_of(["row", "status"])]
    assert answer(found.drop("status")).columns == ["row", "status"]


@pytest.mark.parametrize(
    ("by", "names"), [(None, []), ("row", ["row"]), (["row", "mine", "row"], ["row", "mine"]), ((), [])]
)
def test_by_is_a_name_or_several_or_none(by: Any, names: list[str]) -> None:
    assert names_of(by) == names


def test_by_of_another_kind_is_refused() -> None:
    with pytest.raises(UsageError, match=r"by=\[1\]: give the name of a column, or a list of names"):
        names_of([1])  # type: ignore[list-item]


def test_a_missing_column_is_said_with_the_argument_and_what_to_do() -> None:
    with pytest.raises(UsageError, match=r"deals has no column amount, currency: .*TABLES\['deals'\]"):
        read(DEALS, "deals", "status", "amount", "currency")
    with pytest.raises(UsageError, match=r"people has no column person_id: give what crmlab\.analysis\.people\("):
        read(DEALS, "people", "person_id")
    with pytest.raises(UsageError, match="by='owner' is no column of deals: choose of status, row, mine"):
        read(DEALS, "deals", "status", by="owner")


def test_what_is_no_frame_is_refused() -> None:
    with pytest.raises(UsageError, match=r"deals is of type LazyFrame: give a polars\.DataFrame"):
        analysis.closed_by_month(TABLES["deals"].empty().lazy())  # type: ignore[arg-type]


def test_a_group_that_is_called_like_a_measure_is_refused() -> None:
    frame = TABLES["deals"].empty().with_columns(won=pl.lit("mine"))

    with pytest.raises(UsageError, match="by='won': the answer has a column won of its own"):
        analysis.win_rate(frame, by="won")


def test_a_table_stays_one_with_columns_of_the_users_own() -> None:
    contacts = TABLES["contacts"].empty()

    assert is_table(contacts.with_columns(contact_id=pl.lit("mine")), "contacts")
    assert not is_table(contacts.drop("emails"), "contacts")


@pytest.mark.parametrize("by", [5, pl.col("status"), {"status": 1}, b"status", ["status", 1]])
def test_what_names_no_column_is_refused_as_by(by: Any) -> None:
    with pytest.raises(UsageError, match="give the name of a column, or a list of names"):
        names_of(by)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            pl.Series([["a"]]),
            r"by='mine' holds lists: .* with frame\.explode\('mine'\)",
        ),
        (pl.Series([{"a": 1}]), "by='mine' is of type Struct"),
        (pl.Series([object()], dtype=pl.Object), "by='mine' is of type Object"),
        (pl.Series([b"a"]), "by='mine' is of type Binary"),
        (pl.Series([dt.timedelta(1)]), "by='mine' is of type Duration"),
    ],
)
def test_values_that_are_no_names_of_groups_are_refused(values: pl.Series, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read(DEALS.head(1).with_columns(values.alias("mine")), "deals", "status", by="mine")
