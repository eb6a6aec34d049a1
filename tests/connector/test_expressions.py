"""Expressions from wire values to shared values: right or loud."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlab.connector import expressions as ex

UTC = dt.UTC
YEAR_9999 = 253_402_300_799


def run(expression: pl.Expr, values: list[Any], dtype: Any = None) -> list[Any]:
    return pl.DataFrame({"a": pl.Series(values, dtype=dtype)}).select(x=expression)["x"].to_list()


@pytest.mark.parametrize(
    ("expression", "dtype", "values", "found"),
    [
        (ex.text("a"), pl.String, ["x", " x ", "", " \t", None, "0"], ["x", " x ", None, None, None, "0"]),
        (ex.date("a"), pl.String, ["2026-01-31", "2026-01-31T23:59:59Z", ""], [dt.date(2026, 1, 31)] * 2 + [None]),
        (ex.number("a"), pl.String, ["1.5", "-2", "1e3", " ", None], [1.5, -2.0, 1000.0, None, None]),
        (ex.integer("a"), pl.String, ["5", "-7", "", None], [5, -7, None, None]),
        (
            ex.flag("a"),
            pl.String,
            ["TRUE", "1", "yes", "False", "0", "NO", "", None],
            [True] * 3 + [False] * 3 + [None] * 2,
        ),
        (ex.split("a"), pl.String, ["a; b;;", ";", " ", None], [["a", "b"], None, None, None]),
        (ex.split("a", ","), pl.String, ["a,b;c"], [["a", "b;c"]]),
        (ex.some("a"), pl.List(pl.String), [["x"], [], None], [["x"], None, None]),
        (ex.texts("a"), pl.List(pl.String), [["x", "", None, " "], [""], None], [["x"], None, None]),
        (
            ex.unix_time("a"),
            pl.Int64,
            [0, None, 1, -1],
            [
                None,
                None,
                dt.datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC),
                dt.datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC),
            ],
        ),
        (ex.unix_millis("a"), pl.Int64, [1500, None], [dt.datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC), None]),
    ],
)
def test_documented_values_become_shared_values(
    expression: pl.Expr, dtype: Any, values: list[Any], found: list[Any]
) -> None:
    assert run(expression, values, dtype) == found


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31T09:00:00Z", dt.datetime(2026, 1, 31, 9, tzinfo=UTC)),
        ("2026-01-31T09:00:00.123456Z", dt.datetime(2026, 1, 31, 9, 0, 0, 123456, tzinfo=UTC)),
        ("2026-01-31T09:00:00+01:00", dt.datetime(2026, 1, 31, 8, tzinfo=UTC)),
        ("2026-01-31T09:00:00-0530", dt.datetime(2026, 1, 31, 14, 30, tzinfo=UTC)),
        ("", None),
    ],
)
def test_iso_times_become_utc(text: str, moment: dt.datetime | None) -> None:
    assert run(ex.iso_time("a"), [text]) == [moment]


@pytest.mark.parametrize(
    ("make", "value"),
    [
        (ex.iso_time, "2026-01-31T09:00:00"),
        (ex.iso_time, "2026-01-31"),
        (ex.iso_time, "2026-02-30T09:00:00Z"),
        (ex.iso_time, "soon"),
        (ex.date, "31/01/2026"),
        (ex.date, "2026-02-30"),
        (ex.number, "n/a"),
        (ex.number, "1,5"),
        (ex.integer, "1.7"),
        (ex.integer, "9223372036854775808"),
        (ex.flag, "maybe"),
        (ex.unix_time, 10**12),
        (ex.unix_time, 10**18),
        (ex.unix_time, -(10**13)),
        (ex.unix_millis, 10**15),
        (ex.unix_millis, 9 * 10**18),
    ],
)
def test_what_cannot_be_converted_raises_instead_of_becoming_null(
    make: Callable[[str], pl.Expr], value: str | int
) -> None:
    with pytest.raises(pl.exceptions.PolarsError):
        run(make("a"), [value])


@given(st.integers(-62_135_596_800, YEAR_9999).filter(bool))
def test_every_unix_second_of_the_calendar_is_that_second(seconds: int) -> None:
    [found] = run(ex.unix_time("a"), [seconds], pl.Int64)

    assert found == dt.datetime(1970, 1, 1, tzinfo=UTC) + dt.timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("first", "last", "name"),
    [("Ann", "Lee", "Ann Lee"), ("", "Lee", "Lee"), ("Ann", None, "Ann"), ("", " ", None), (None, None, None)],
)
def test_a_full_name_joins_what_is_there(first: str | None, last: str | None, name: str | None) -> None:
    frame = pl.DataFrame({"f": [first], "l": [last]}, schema={"f": pl.String, "l": pl.String})

    assert frame.select(x=ex.full_name("f", "l"))["x"].to_list() == [name]


def test_custom_fields_hold_what_is_filled_in() -> None:
    frame = pl.DataFrame({"season": ["spring", "", None], "size": ["L", "M", None]})

    found = frame.select(x=ex.custom({"s": ("season", "Season"), "z": (pl.col("size"), "Size")}))["x"]

    size = {"key": "z", "label": "Size"}
    assert found.to_list() == [
        [{"key": "s", "label": "Season", "value": "spring"}, {**size, "value": "L"}],
        [{**size, "value": "M"}],
        None,
    ]


def test_without_custom_fields_there_is_none() -> None:
    assert run(ex.custom({}), ["x"]) == [None]


@pytest.mark.parametrize(("labels", "found"), [({"1": "new"}, ["new", None, None]), ({}, [None, None, None])])
def test_a_key_without_label_has_none(labels: dict[str, str], found: list[str | None]) -> None:
    frame = pl.DataFrame({"a": ["1", "2", None]})

    assert frame.with_columns(x=ex.lookup(pl.col("a"), labels))["x"].to_list() == found


def test_a_field_of_every_struct_in_a_list_is_a_list_of_text() -> None:
    dtype = pl.List(pl.Struct({"value": pl.String}))

    found = run(ex.each("a", "value"), [[{"value": "x"}, {"value": ""}, None], [], None], dtype)

    assert found == [["x"], None, None]
