"""What came against what was counted: never called complete where one is missing, on any history of a list."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from email.utils import format_datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crmlab.connector.page import Page
from crmlab.connector.request import Request
from crmlab.fetching.completeness import KEYS, Completeness

NOON = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)


def at(second: float) -> dt.datetime:
    return NOON + dt.timedelta(seconds=second)


def page(
    second: int | None = 0,
    *,
    path: str = "/notes",
    tags: Mapping[str, str] | None = None,
    partial: bool = False,
) -> Page:
    headers = {} if second is None else {"date": format_datetime(at(second), usegmt=True)}
    return Page(
        request=Request(path=path, tags=tags or {}, partial=partial),
        status=200,
        headers=headers,
        body=b"{}",
    )


def keys(
    old: Iterable[int] = (), new: Mapping[int, float] | None = None, *, nameless: int = 0
) -> pl.DataFrame:
    """Records that were there before noon, that came in at a second after it, and that have no key."""
    rows = [(key, at(-3600)) for key in old]
    rows += [(key, at(second)) for key, second in (new or {}).items()]
    return pl.DataFrame([*rows, *[(None, None)] * nameless], schema=KEYS, orient="row")


def reading_of(
    *totals: int | None, came: pl.DataFrame | None = None, lasting: int = 10
) -> Completeness:
    """One reading from noon on, whose answers counted this."""
    reading = Completeness(seen_keys=keys() if came is None else came)
    for number, total in enumerate(totals):
        reading.count(page(lasting * number // max(1, len(totals) - 1)), total)
    return reading


# ---- counting -----------------------------------------------------------------------------------


def test_before_anything_came_there_are_no_keys() -> None:
    assert Completeness().seen_keys.schema == KEYS


def test_nothing_counted_is_nothing_expected() -> None:
    reading = reading_of(None, None, came=keys([1, 2]))

    assert (reading.is_counted, reading.expected, reading.distinct, reading.pages) == (
        False,
        None,
        2,
        2,
    )
    assert reading.is_short(0) is False


def test_an_empty_list_is_counted_as_well() -> None:
    reading = reading_of(0)

    assert (reading.is_counted, reading.expected, reading.distinct) == (True, 0, 0)
    assert not reading.is_short(0)


def test_what_was_counted_last_is_expected_and_lists_are_added_up() -> None:
    reading = reading_of(5, 6)
    reading.count(page(path="/calls"), 10)

    assert reading.expected == 16


def test_parts_of_a_list_are_not_counted_beside_the_whole() -> None:
    reading = reading_of(300)
    reading.count(page(tags={"period": "1-2"}, partial=True), 200)
    reading.count(page(tags={"period": "2-3"}, partial=True), 110)

    assert reading.expected == 300
    assert reading.is_short(0)
    assert reading.is_settled(None, timed=True)
    assert reading.is_settled(None, timed=False)


def test_a_list_of_each_parent_is_a_list_of_its_own() -> None:
    reading = Completeness(seen_keys=keys(range(5)))
    for parent, total in (("a", 2), ("b", 3)):
        reading.count(page(tags={"parent": parent}), total)

    assert reading.expected == 5
    assert not reading.is_short(0)


@given(st.sets(st.integers(0, 9)), st.integers(0, 4), st.integers(0, 3))
def test_repeats_count_once_and_records_without_a_key_each(
    found: set[int], nameless: int, times: int
) -> None:
    repeated = pl.concat([keys(found)] * (times + 1) + [keys(nameless=nameless)])

    assert reading_of(came=repeated).distinct == len(found) + nameless


# ---- added meanwhile ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("second", "added"),
    [(-1, 0), (0, 1), (5.5, 1), (10, 1), (10.9, 1), (11, 1), (11.5, 0), (60, 0)],
)
def test_what_came_in_between_the_first_answer_and_the_last_was_added(
    second: float, added: int
) -> None:
    assert reading_of(3, 3, came=keys([1, 2], {3: second})).inserted == added


def test_what_is_repeated_with_a_later_time_came_in_when_it_first_came() -> None:
    assert reading_of(3, 3, came=keys([1, 2, 3], {3: 5})).inserted == 0


def test_without_a_clock_nothing_is_known_to_be_added() -> None:
    reading = Completeness(seen_keys=keys([1], {2: 5}))
    reading.count(page(None), 2)

    assert reading.inserted == 0
    assert not reading.is_short(0)


def test_an_answer_that_counts_nothing_still_tells_how_long_it_was_read() -> None:
    reading = reading_of(2, came=keys([1], {2: 40}))
    assert not reading.is_short(0)

    reading.count(page(60), None)

    assert reading.inserted == 1
    assert reading.is_short(0)


# ---- short, settled -----------------------------------------------------------------------------


@given(
    there=st.sets(st.integers(0, 30)),
    lost=st.sets(st.integers(0, 30)),
    new=st.dictionaries(st.integers(31, 50), st.floats(0, 10)),
)
def test_a_record_that_is_missing_is_never_made_up_for_by_new_ones(
    there: set[int], lost: set[int], new: dict[int, float]
) -> None:
    reading = reading_of(len(there), len(there) + len(new), came=keys(there - lost, new))

    assert reading.is_short(0) == bool(there & lost)
    assert not reading.is_short(len(there & lost))  # those that were rejected did come


@given(came=st.integers(0, 20), before=st.integers(0, 5), within=st.integers(0, 5))
def test_a_list_that_grew_by_what_was_added_is_settled(came: int, before: int, within: int) -> None:
    """One restored with its old time may push another out of sight; one added at the end does not."""
    new = {100 + n: 5.0 for n in range(within)}
    reading = reading_of(came, came + before + within, came=keys(range(came + before), new))

    assert reading.is_settled(None, timed=True) == (before == 0)
    assert reading.is_settled(None, timed=False) == (before + within == 0)


def test_a_list_that_shrank_is_settled_where_times_are_known_and_its_shortness_tells() -> None:
    reading = reading_of(5, 4, came=keys(range(4)))

    assert reading.is_settled(None, timed=True)
    assert not reading.is_settled(None, timed=False)
    assert reading.is_short(0)


def test_without_times_one_list_that_changed_unsettles_all() -> None:
    reading = reading_of(5, 5)
    for total in (3, 4):
        reading.count(page(path="/calls"), total)

    assert not reading.is_settled(None, timed=False)


def test_times_without_a_clock_settle_nothing() -> None:
    reading = Completeness(seen_keys=keys([1], {2: 5}))
    for total in (1, 2):
        reading.count(page(None), total)

    assert not reading.is_settled(None, timed=True)


# ---- read again ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("came", "again"),
    [
        (keys([1, 2]), True),
        (keys([2, 1, 1]), True),
        (keys([1]), False),
        (keys([1, 2, 3]), False),  # was there before and not seen: there may be more
        (keys([1, 2], {3: 15}), True),
        (keys([1, 2], {3: 0}), True),
        (keys([1, 2], nameless=1), False),
        (keys([1], {3: 15}), False),
    ],
)
def test_a_second_reading_repeats_the_first_but_for_what_is_new(
    came: pl.DataFrame, again: bool
) -> None:
    before = reading_of(None, came=keys([1, 2]))

    assert reading_of(None, came=came).repeats(before) is again
    assert reading_of(None, came=came).is_settled(before, timed=True) is again


def test_a_first_reading_repeats_nothing() -> None:
    assert reading_of(None, came=keys([1])).repeats(None) is False
    assert not reading_of(None, came=keys([1])).is_settled(None, timed=True)


def test_records_without_a_key_repeat_each_other() -> None:
    assert reading_of(None, came=keys([1], nameless=2)).repeats(
        reading_of(None, came=keys([1], nameless=2))
    )


def test_without_a_clock_whatever_else_came_is_old() -> None:
    before = Completeness(seen_keys=keys([1]))

    assert not Completeness(seen_keys=keys([1], {2: 5})).repeats(before)
    assert Completeness(seen_keys=keys([1])).repeats(before)
