"""Parts of large tables: every row is in one of them, keys stay together, and the parts are in order."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from crmlab import analysis
from crmlab.analysis.parts import ranges
from crmlab.analysis.subjects import Evidence
from crmlab.schema import TABLES, conform

texts = st.one_of(st.none(), st.text("ab/é", max_size=3))
rows_of_keys = st.lists(st.tuples(texts, texts), min_size=1, max_size=60)


@given(rows_of_keys, st.integers(1, 20))
def test_each_row_is_in_one_part_and_the_parts_are_in_order(
    rows: list[tuple[str, str]], size: int
) -> None:
    frame = pl.LazyFrame(
        rows, schema={"one": pl.String, "two": pl.String}, orient="row"
    ).with_row_index("row")

    found = ranges([(frame, ["one", "two"])], rows_in_a_part=size)
    parts = [frame.filter(part.holds("one", "two")).collect() for part in found]

    together = pl.concat(parts)
    assert sorted(together["row"]) == list(range(len(rows)))
    in_order = pl.concat(part.fill_null("").sort("one", "two", "row") for part in parts)
    assert in_order.equals(frame.collect().fill_null("").sort("one", "two", "row"))


@given(st.lists(st.tuples(texts, texts), max_size=40), st.integers(1, 9))
def test_frames_are_parted_alike(rows: list[tuple[str, str]], size: int) -> None:
    ones = pl.LazyFrame({"key": [one for one, _ in rows]}, schema={"key": pl.String})
    others = pl.LazyFrame({"name": [other for _, other in rows]}, schema={"name": pl.String})

    found = ranges([(ones, ["key"]), (others, ["name"])], rows_in_a_part=size)

    for part in found:
        here = set(ones.filter(part.holds("key")).collect()["key"].fill_null(""))
        elsewhere = [other for other in found if other != part]
        for other in elsewhere:
            assert not here & set(
                others.filter(other.holds("name")).collect()["name"].fill_null("")
            )


def test_where_a_row_names_no_contact_everything_is_read_at_once() -> None:
    rows = {"provider": ["altcraft"] * 3, "account": ["a"] * 3, "contact_id": ["1", "2", None]}
    events = conform(pl.DataFrame(rows), TABLES["consent_events"])

    assert [part.is_everything for part in Evidence(events).parts("contact")] == [True]
    assert [part.is_everything for part in Evidence(events.head(2)).parts("contact")] == [True]


def test_lazy_people_are_taken_as_they_are() -> None:
    rows = {
        "provider": ["altcraft"],
        "account": ["a"],
        "id": ["1"],
        "emails": [["ann@example.com"]],
    }
    who = analysis.people(conform(pl.DataFrame(rows), TABLES["contacts"]))
    nothing = TABLES["deals"].empty(), TABLES["consent_events"].empty()

    found = analysis.consent_and_win_rate(*nothing, who.lazy())

    assert found.equals(analysis.consent_and_win_rate(*nothing, who))
