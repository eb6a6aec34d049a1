"""Expressions from documented values to shared values: right or loud."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import partial
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlab.connector import View
from crmlab.connector import expressions as ex
from crmlab.decoding.conversions import conversions

UTC = dt.UTC
#: the first and the last second of the years that a time may have
FIRST, LAST = -2_208_988_800, 7_289_654_399


def run(expression: pl.Expr, values: list[Any], dtype: Any = None) -> list[Any]:
    return pl.DataFrame({"a": pl.Series(values, dtype=dtype)}).select(x=expression)["x"].to_list()


@pytest.mark.parametrize(
    ("expression", "dtype", "values", "found"),
    [
        (
            ex.text("a"),
            pl.String,
            ["x", " x ", "", " \t", None, "0"],
            ["x", " x ", None, None, None, "0"],
        ),
        (
            ex.date("a"),
            pl.String,
            ["2026-01-31", "2026-01-31T23:59:59Z", ""],
            [dt.date(2026, 1, 31)] * 2 + [None],
        ),
        (
            ex.number("a"),
            pl.String,
            ["1.5", "-2", "1e3", " ", None],
            [1.5, -2.0, 1000.0, None, None],
        ),
        (
            ex.integer("a"),
            pl.String,
            ["5", "-7", "", None, "12.0", " 3 "],
            [5, -7, None, None, 12, 3],
        ),
        (ex.integer("a"), pl.String, ["9223372036854775807"], [2**63 - 1]),
        (
            ex.flag("a"),
            pl.String,
            ["TRUE", "1", "yes", "False", "0", "NO", "", None],
            [True] * 3 + [False] * 3 + [None] * 2,
        ),
        (ex.split("a"), pl.String, ["a; b;;", ";", " ", None], [["a", "b"], None, None, None]),
        (ex.split("a", ","), pl.String, ["a,b;c"], [["a", "b;c"]]),
        (ex.some("a"), pl.List(pl.String), [["x"], [], None], [["x"], None, None]),
        (
            ex.texts("a"),
            pl.List(pl.String),
            [["x", "", None, " "], [""], None],
            [["x"], None, None],
        ),
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
        (
            # milliseconds, which no service means as seconds after the year 9999
            ex.unix_time("a"),
            pl.Int64,
            [1_767_225_600_500, 1_767_225_600],
            [
                dt.datetime(2026, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC),
                dt.datetime(2026, 1, 1, tzinfo=UTC),
            ],
        ),
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
        (ex.iso_time, "2026-01-31 09:00:00"),
        (ex.iso_time, "2026-01-31"),
        (ex.iso_time, "2026-02-30T09:00:00Z"),
        (ex.iso_time, "soon"),
        (partial(ex.iso_time, zone="UTC"), "soon"),
        (partial(ex.iso_time, zone="UTC"), "2026-02-30T09:00:00"),
        (ex.date, "31/01/2026"),
        (ex.date, "2026-02-30"),
        (ex.number, "n/a"),
        (ex.number, "1,5"),
        (ex.integer, "1.7"),
        (ex.integer, "9223372036854775808"),
        (ex.number, "NaN"),
        (ex.number, "inf"),
        (ex.flag, "maybe"),
    ],
)
def test_what_cannot_be_converted_is_null_and_told_from_what_is_not_given(
    make: Callable[[str], pl.Expr], value: str
) -> None:
    view = View(table="deals", columns={"created_at": make("a")})

    [conversion] = conversions(view, pl.Schema({"a": pl.String}))

    assert run(make("a"), [value]) == [None]
    assert run(conversion.given, [value]) != [None]
    assert run(conversion.value, [value]) == [None]
    assert conversion.field == "a"


@pytest.mark.parametrize(
    "value",
    [
        "2026-01-31T09:00:00Z",
        "2026-01-31T10:00:00.0+01:00",
        "2026-01-31T09:00:00",
        " 2026-01-31 09:00:00 ",
    ],
)
def test_a_time_is_read_in_whichever_way_it_is_written_and_is_no_misfit_then(value: str) -> None:
    time = ex.iso_time("a", zone="UTC")
    view = View(table="deals", columns={"created_at": time})

    [conversion] = conversions(view, pl.Schema({"a": pl.String}))

    assert run(time, [value]) == [dt.datetime(2026, 1, 31, 9, tzinfo=UTC)]
    assert run(conversion.value, [value]) != [None]


@given(
    st.text("0123456789-:TZz .+", min_size=18, max_size=22)
    | st.datetimes().map("{:%Y-%m-%dT%H:%M:%SZ}".format)
)
def test_the_format_that_polars_reads_fast_reads_nothing_otherwise_than_the_general_one(
    value: str,
) -> None:
    fast = (
        pl.col("a")
        .str.to_datetime(ex._ISO_SECONDS, time_unit="us", strict=False)
        .dt.replace_time_zone("UTC")
    )
    general = pl.col("a").str.to_datetime(ex._ISO, time_unit="us", time_zone="UTC", strict=False)

    [found] = run(fast, [value])

    assert found in (None, *run(general, [value]))


@given(
    st.from_regex(ex._IS_ISO_SECONDS, fullmatch=True)
    | st.datetimes().map("{:%Y-%m-%dT%H:%M:%SZ}".format)
)
def test_what_looks_like_the_fast_format_needs_no_other(value: str) -> None:
    fast = (
        pl.col("a")
        .str.to_datetime(ex._ISO_SECONDS, time_unit="us", strict=False)
        .dt.replace_time_zone("UTC")
    )
    general = pl.col("a").str.to_datetime(ex._ISO, time_unit="us", time_zone="UTC", strict=False)
    local = pl.col("a").str.to_datetime(ex._NAIVE, time_unit="us", strict=False)

    assert run(fast, [value]) == run(general, [value])
    assert run(local, [value]) == [None]


@pytest.mark.parametrize(
    ("make", "values"),
    [
        (
            ex.iso_time,
            [
                "0000-00-00T00:00:00Z",
                "0001-01-01T00:00:00Z",
                "1899-12-31T23:59:59Z",
                "9999-12-31T00:00:00Z",
            ],
        ),
        (ex.date, ["0000-00-00", "0001-01-01", "1899-12-31", "2201-01-01"]),
        (
            ex.unix_time,
            [
                *(0, LAST + 1, FIRST - 1, 253_402_300_799, -62_135_596_800),
                *(10**15, 10**18, -(10**13), -(2**63), 2**63 - 1),
            ],
        ),
    ],
)
def test_times_outside_of_three_centuries_mean_no_time(
    make: Callable[[str], pl.Expr], values: list[Any]
) -> None:
    view = View(table="deals", columns={"created_at": make("a")})
    frame = pl.DataFrame({"a": values})

    given = [each.given for each in conversions(view, frame.schema)]

    assert run(make("a"), values) == [None] * len(values)
    assert all(run(each, values) == [None] * len(values) for each in given)


@pytest.mark.parametrize("make", [ex.iso_time, ex.date])
@pytest.mark.parametrize("text", ["1767225600", "1767225600000", "1000000000", "1899999999999"])
def test_seconds_in_place_of_a_written_time_are_no_year(
    make: Callable[[str], pl.Expr], text: str
) -> None:
    frame = pl.DataFrame({"a": [text]})

    [conversion] = conversions(View(table="deals", columns={"created_at": make("a")}), frame.schema)

    assert run(make("a"), [text]) == [None]
    # what is given and makes nothing is a misfit
    assert run(conversion.given, [text]) != [None]


@pytest.mark.parametrize("make", [ex.iso_time, ex.date])
@pytest.mark.parametrize("text", ["00010101", "18991231", "99991231T000000Z", "00010101000000"])
def test_no_time_may_be_written_without_hyphens(make: Callable[[str], pl.Expr], text: str) -> None:
    frame = pl.DataFrame({"a": [text]})

    [conversion] = conversions(View(table="deals", columns={"created_at": make("a")}), frame.schema)

    assert run(conversion.given, [text]) == [None]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2016-01-05 12:03:32", dt.datetime(2016, 1, 5, 10, 3, 32, tzinfo=UTC)),
        ("2016-07-05T12:03:32.5", dt.datetime(2016, 7, 5, 9, 3, 32, 500_000, tzinfo=UTC)),
        ("2016-01-05T12:03:32Z", dt.datetime(2016, 1, 5, 12, 3, 32, tzinfo=UTC)),
        ("2016-01-05T12:03:32-05:00", dt.datetime(2016, 1, 5, 17, 3, 32, tzinfo=UTC)),
        ("2016-03-27 03:30:00", None),  # the clock skipped that hour
        ("soon", None),
        ("", None),
    ],
)
def test_times_without_an_offset_are_read_where_the_zone_is_known(
    text: str, moment: dt.datetime | None
) -> None:
    assert run(ex.iso_time("a", zone="Europe/Kyiv"), [text]) == [moment]


@given(st.integers(FIRST, LAST).filter(bool))
def test_every_unix_second_of_the_calendar_is_that_second(seconds: int) -> None:
    [found] = run(ex.unix_time("a"), [seconds], pl.Int64)

    assert found == dt.datetime(1970, 1, 1, tzinfo=UTC) + dt.timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("first", "last", "name"),
    [
        ("Ann", "Lee", "Ann Lee"),
        ("", "Lee", "Lee"),
        ("Ann", None, "Ann"),
        ("", " ", None),
        (None, None, None),
    ],
)
def test_a_full_name_joins_what_is_there(
    first: str | None, last: str | None, name: str | None
) -> None:
    frame = pl.DataFrame({"f": [first], "l": [last]}, schema={"f": pl.String, "l": pl.String})

    assert frame.select(x=ex.full_name("f", "l"))["x"].to_list() == [name]


def test_custom_fields_hold_what_is_filled_in() -> None:
    frame = pl.DataFrame({"season": ["spring", "", None], "size": ["L", "M", None]})

    found = frame.select(x=ex.custom({"s": ("season", "Season"), "z": (pl.col("size"), "Size")}))[
        "x"
    ]

    size = {"key": "z", "label": "Size"}
    assert found.to_list() == [
        [{"key": "s", "label": "Season", "value": "spring"}, {**size, "value": "L"}],
        [{**size, "value": "M"}],
        None,
    ]


def test_without_custom_fields_there_is_none() -> None:
    assert run(ex.custom({}), ["x"]) == [None]


@pytest.mark.parametrize(
    ("labels", "found"), [({"1": "new"}, ["new", None, None]), ({}, [None, None, None])]
)
def test_a_key_without_label_has_none(labels: dict[str, str], found: list[str | None]) -> None:
    frame = pl.DataFrame({"a": ["1", "2", None]})

    assert frame.with_columns(x=ex.lookup(pl.col("a"), labels))["x"].to_list() == found


def test_a_field_of_every_struct_in_a_list_is_a_list_of_text() -> None:
    dtype = pl.List(pl.Struct({"value": pl.String}))

    found = run(ex.each("a", "value"), [[{"value": "x"}, {"value": ""}, None], [], None], dtype)

    assert found == [["x"], None, None]


def test_a_time_without_a_zone_is_written_in_utc_and_nothing_else_is_changed() -> None:
    given = [
        "2026-07-05 12:03:32",
        "2026-01-05T12:03",
        "2026-01-05T12:03:32Z",
        "2026-03-29T02:30:00",
        "2026-01-05",
        "x",
        None,
    ]

    found = run(ex.with_zone("a", "Europe/Berlin"), given)

    assert found[:2] == ["2026-07-05T10:03:32.000000Z", given[1]]
    assert found[2:] == given[2:]
