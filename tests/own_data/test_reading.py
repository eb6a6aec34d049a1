"""Values as people and programs write them, one column at a time."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlab.errors import UsageError
from crmlab.own_data.notation import Notation
from crmlab.own_data.reading import as_shared
from crmlab.own_data.text import present
from crmlab.schema.tables import CUSTOM, TABLES, UTC

NUMBER, WHOLE, FLAG, DATE, TEXT, TEXTS = (
    pl.Float64(),
    pl.Int64(),
    pl.Boolean(),
    pl.Date(),
    pl.String(),
    pl.List(pl.String),
)


def read(values: list[Any] | pl.Series, dtype: Any, **notation: Any) -> list[Any]:
    series = values if isinstance(values, pl.Series) else pl.Series("at", values, strict=False)
    return as_shared(series.alias("at"), dtype, Notation(**notation)).to_list()


# ---- numbers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "notation", "number"),
    [
        ("12", {}, 12.0),
        (" -1.5e3 ", {}, -1500.0),
        ("1,234.50", {"thousands": ","}, 1234.5),
        ("1.234,50", {"decimal": ",", "thousands": "."}, 1234.5),
        ("1\N{NO-BREAK SPACE}234 567,5", {"decimal": ",", "thousands": " "}, 1234567.5),
        ("1'234'567", {"thousands": "'"}, 1234567.0),
        ("1234", {"thousands": ","}, 1234.0),
        # what may be meant otherwise is not read
        ("1,23", {"thousands": ","}, None),
        ("1,234", {}, None),
        ("1.234.5", {"decimal": ",", "thousands": "."}, None),
        ("€ 5", {}, None),
        ("inf", {}, None),
        ("NaN", {}, None),
        ("1_000", {}, None),
        ("", {}, None),
    ],
)
def test_numbers_in_text(text: str, notation: dict[str, Any], number: float | None) -> None:
    assert read([text], NUMBER, **notation) == [number]


@given(
    st.integers(-(10**15), 10**15),
    st.integers(0, 99),
    st.sampled_from([(".", ","), (",", "."), (",", " ")]),
)
def test_every_grouped_number_is_read_back(whole: int, cents: int, signs: tuple[str, str]) -> None:
    decimal, thousands = signs
    text = f"{whole:,}".replace(",", thousands) + f"{decimal}{cents:02}"

    assert read([text], NUMBER, decimal=decimal, thousands=thousands) == [
        float(f"{whole}.{cents:02}")
    ]


def test_numbers_of_other_dtypes() -> None:
    assert read(pl.Series([1, 2], dtype=pl.UInt8), NUMBER) == [1.0, 2.0]
    assert read([1.0, float("nan"), 2.5], WHOLE) == [1, None, None]
    assert read(["9007199254740993", "5.0", "5.5", "1e3"], WHOLE) == [
        9007199254740993,
        5,
        None,
        1000,
    ]
    assert read([True], NUMBER) == [None]
    assert read([float("inf")], NUMBER) == [None]
    assert read(pl.Series([2**64 - 1], dtype=pl.UInt64), WHOLE) == [None]


# ---- yes and no, text, lists --------------------------------------------------------------------


def test_yes_and_no() -> None:
    assert read(["Yes", " TRUE ", "y", "1", "no", "False", "0", "off", "ja", ""], FLAG) == [
        *(True, True, True, True),
        *(False, False, False, False),
        *(None, None),
    ]
    assert read([1, 0, 2], FLAG) == [True, False, None]
    assert read([1.0, 0.0, None], FLAG) == [True, False, None]


def test_text_of_other_dtypes() -> None:
    assert read([5.0, 5.5, None], TEXT) == ["5", "5.5", None]
    assert read([dt.date(2026, 1, 31)], TEXT) == ["2026-01-31"]
    assert read(["a", " ", ""], TEXT) == ["a", None, None]
    assert read([["a"]], TEXT) == [None]


def test_lists_in_text() -> None:
    assert read(["a@x.de; b@x.de;", "a", " ; "], TEXTS) == [["a@x.de", "b@x.de"], ["a"], None]
    assert read(["a, b"], TEXTS, separator=",") == [["a", "b"]]
    assert read([491701234567], TEXTS) == [["491701234567"]]
    assert read([[1, 2]], TEXTS) == [["1", "2"]]


def test_custom_fields_are_lists_of_structs_or_not_read() -> None:
    fields = [[{"key": "a", "label": "A", "value": "1"}]]

    assert read(fields, CUSTOM) == fields
    assert read(["a=1"], CUSTOM) == [None]


# ---- dates and times ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-01-31", dt.date(2026, 1, 31)),
        ("2026-01-31T23:59:59Z", dt.date(2026, 1, 31)),
        ("2026-01-31 23:59", dt.date(2026, 1, 31)),
        ("2026-01-31x", None),
        ("2026-02-30", None),
        ("31/01/2026", None),
    ],
)
def test_iso_dates(text: str, day: dt.date | None) -> None:
    assert read([text], DATE) == [day]


def test_dates_in_a_named_format() -> None:
    assert read(["31/01/2026", "1/2/2026", "2026-01-31"], DATE, date_format="%d/%m/%Y") == [
        dt.date(2026, 1, 31),
        dt.date(2026, 2, 1),
        None,
    ]
    assert read(["31/01/2026 17:05"], DATE, date_format={"at": "%d/%m/%Y %H:%M"}) == [
        dt.date(2026, 1, 31)
    ]
    assert read(["2026-01-31"], DATE, date_format={"other": "%d/%m/%Y"}) == [dt.date(2026, 1, 31)]


def test_a_year_of_two_digits_is_none_of_antiquity() -> None:
    assert read(["31-01-26"], DATE, date_format="%d-%m-%Y") == [None]
    assert read(["31-01-26"], DATE, date_format="%d-%m-%y") == [dt.date(2026, 1, 31)]


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-01-31T10:00:00Z", "2026-01-31T10:00:00+00:00"),
        ("2026-01-31 10:00:00.25 UTC", "2026-01-31T10:00:00.250000+00:00"),
        ("2026-01-31T10:00:00,5+01:00", "2026-01-31T09:00:00.500000+00:00"),
        ("2026-01-31T10:00+0530", "2026-01-31T04:30:00+00:00"),
        ("2026-01-31T10:00-05", "2026-01-31T15:00:00+00:00"),
        ("2026-01-31", "2026-01-31T00:00:00+00:00"),
    ],
)
def test_iso_times_with_a_zone(text: str, time: str) -> None:
    assert read([text], UTC) == [dt.datetime.fromisoformat(time)]


def test_times_without_a_zone_are_of_the_named_one() -> None:
    nine, ten = (
        dt.datetime(2026, 1, 31, 9, tzinfo=dt.UTC),
        dt.datetime(2026, 1, 31, 10, tzinfo=dt.UTC),
    )

    texts = read(["2026-01-31 10:00", "2026-01-31T10:00:00Z"], UTC, time_zone="Europe/Paris")
    values = read([dt.datetime(2026, 1, 31, 10)], UTC, time_zone="Europe/Paris")  # noqa: DTZ001  # the subject
    named = read(["31.01.2026 10:00"], UTC, time_zone="Europe/Paris", date_format="%d.%m.%Y %H:%M")

    assert texts == [nine, ten]
    assert values == named == [nine]


def test_times_without_a_zone_are_refused_where_none_is_named() -> None:
    said = "at holds 1 time without a time zone, such as 2026-01-31 10:00: write time_zone='Europe/Paris'"

    with pytest.raises(UsageError, match=said):
        read(["2026-01-31 10:00"], UTC)
    with pytest.raises(UsageError, match=said):
        read([dt.datetime(2026, 1, 31, 10)], UTC)  # noqa: DTZ001  # the subject
    with pytest.raises(UsageError, match=said):
        read(["31.01.2026 10:00"], UTC, date_format="%d.%m.%Y %H:%M")


def test_times_in_a_format_with_a_zone() -> None:
    found = read(["31/01/2026 10:00 +0100"], UTC, date_format="%d/%m/%Y %H:%M %z")

    assert found == [dt.datetime(2026, 1, 31, 9, tzinfo=dt.UTC)]


def test_a_day_is_its_beginning_on_the_clock_of_the_zone() -> None:
    before = dt.datetime(2026, 1, 30, 23, tzinfo=dt.UTC)

    assert read([dt.date(2026, 1, 31)], UTC, time_zone="Europe/Paris") == [before]
    assert read(["31/01/2026"], UTC, time_zone="Europe/Paris", date_format="%d/%m/%Y") == [before]
    assert read(["2026-01-31"], UTC, time_zone="Europe/Paris") == [before]


def test_an_hour_that_the_clock_leaves_out_is_not_read_and_one_it_shows_twice_is_the_first() -> (
    None
):
    texts = ["2026-03-29 02:30", "2026-10-25 02:30"]

    assert read(texts, UTC, time_zone="Europe/Paris") == [
        None,
        dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC),
    ]


def test_numbers_are_neither_dates_nor_times() -> None:
    assert read([45688], DATE) == [None]
    assert read([1769853600], UTC) == [None]


@pytest.mark.parametrize(
    "dtype", [NUMBER, WHOLE, FLAG, DATE, UTC, TEXT, TEXTS, CUSTOM, pl.Categorical()]
)
def test_nothing_stays_nothing(dtype: Any) -> None:
    found = as_shared(pl.Series("at", [None, None]), dtype, Notation())

    assert found.dtype == dtype
    assert found.to_list() == [None, None]


ANYTHING = (
    *(
        st.integers(),
        st.floats(),
        st.text(),
        st.booleans(),
        st.decimals(allow_nan=False, allow_infinity=False, places=2),
    ),
    *(
        st.dates(),
        st.times(),
        st.timedeltas(dt.timedelta(-9), dt.timedelta(9)),
        st.datetimes(),
        st.binary(max_size=3),
    ),
    *(st.lists(st.text(max_size=2), max_size=2), st.fixed_dictionaries({"a": st.integers(0, 5)})),
)


@given(
    st.one_of(
        st.lists(st.none() | kind, max_size=3) for kind in (*ANYTHING, st.one_of(ANYTHING[:4]))
    )
)
def test_any_values_are_read_or_null_and_never_an_error_of_polars(values: list[Any]) -> None:
    series = pl.Series("at", values, strict=False)

    for dtype in (NUMBER, WHOLE, FLAG, DATE, UTC, TEXT, TEXTS, CUSTOM):
        assert as_shared(series, dtype, Notation(time_zone="UTC")).dtype == dtype
    assert present(series).len() == series.len()


# ---- the notation -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("notation", "said"),
    [
        ({"decimal": ";"}, "decimal=';': write '.' or ','"),
        ({"decimal": ",", "thousands": ","}, "thousands=',' with decimal=','"),
        ({"thousands": "12"}, "thousands='12'"),
        ({"separator": ""}, "separator=''"),
        (
            {"time_zone": "Mars/Olympus"},
            "time_zone='Mars/Olympus' is not in the time zone database",
        ),
        ({"time_zone": "../etc"}, "is not in the time zone database"),
        ({"date_format": "dd/mm/yyyy"}, "has no %: write '%d/%m/%Y'"),
        (
            {"date_format": {"close": "%d/%m/%Y"}},
            "'close' is no column of dates or times of deals; did you mean 'close_",
        ),
        ({"date_format": {"close_date": "dd"}}, "'dd' has no %"),
        ({"date_format": 5}, "date_format=5 has no %"),
        ({"time_zone": 5}, "time_zone=5 is not in the time zone database"),
        ({"thousands": 5}, "thousands=5"),
        ({"thousands": "e"}, "thousands='e'"),
    ],
)
def test_a_notation_that_reads_nothing_is_refused(notation: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Notation(**notation).check(TABLES["deals"])


# ---- what is hardly ever given ------------------------------------------------------------------


def test_a_day_begins_an_hour_later_where_the_clock_leaves_out_midnight() -> None:
    found = read(["2018-11-04", "2018-11-05", None], UTC, time_zone="America/Sao_Paulo")

    assert found == [
        dt.datetime(2018, 11, 4, 3, tzinfo=dt.UTC),
        dt.datetime(2018, 11, 5, 2, tzinfo=dt.UTC),
        None,
    ]


def test_lists_of_what_is_no_text_are_not_read() -> None:
    assert read([[["ann@example.com"]]], TEXTS) == [None]
    assert read([[{"address": "ann@example.com"}]], TEXTS) == [None]
