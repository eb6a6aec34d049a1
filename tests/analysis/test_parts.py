"""Parts of large tables: every row is in one of them, keys stay together, and the parts are in order."""

from __future__ import annotations

import datetime as dt
from itertools import product

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from crmlab import analysis
from crmlab.analysis import parts
from crmlab.analysis.parts import Range, ranges, taken_in_parts
from crmlab.analysis.subject_parts import Evidence, in_parts
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
    taken = [frame.filter(part.holds("one", "two")).collect() for part in found]

    together = pl.concat(taken)
    assert sorted(together["row"]) == list(range(len(rows)))
    in_order = pl.concat(part.fill_null("").sort("one", "two", "row") for part in taken)
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


@given(st.integers(1, 60), st.integers(1, 9))
def test_several_parts_are_read_at_once_and_cut_in_memory(rows: int, size: int) -> None:
    source = pl.LazyFrame({"key": [f"{row:02}" for row in range(rows)]})
    found = ranges([(source, ["key"])], rows_in_a_part=size)
    read = 0

    def take(frame: pl.LazyFrame, part: Range) -> pl.LazyFrame:
        nonlocal read
        read += frame is source
        return frame.filter(part.holds("key"))

    taken = [frame.collect() for frame in taken_in_parts(source, found, take)]

    assert read == -(-len(found) // 4)
    assert [frame.height for frame in taken] == [
        source.filter(part.holds("key")).collect().height for part in found
    ]
    assert pl.concat(taken).equals(source.collect())


@pytest.mark.parametrize("subject", ["contact", "email"])
@pytest.mark.parametrize("further", [None, "shop/1", "Shop"])
def test_decisions_of_parts_are_those_of_the_whole_however_accounts_are_named(
    further: str | None, subject: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = ["1", "1/1", "2", "", "é", "a long one of some service"]
    named = [*product(["altcraft", "relenta"], ["shop", "shop-1", "", further], ids)]
    provider, account, contact_id = zip(*named, strict=True)
    said = [dt.datetime(2026, 1, 1 + day % 28, tzinfo=dt.UTC) for day in range(3 * len(named))]
    rows = {
        "provider": provider * 3,
        "account": account * 3,
        "contact_id": contact_id * 3,
        "contact_email": [
            f"{row % 7}@example.com" if row % 3 else None for row in range(3 * len(named))
        ],
        "channel": ["email", "phone", "email"] * len(named),
        "opted_in": [row % 5 < 3 for row in range(3 * len(named))],
        "occurred_at": said,
    }
    if further == "Shop":
        rows["contact_email"] = [address and address.title() for address in rows["contact_email"]]
    events = conform(pl.DataFrame(rows), TABLES["consent_events"])
    asked = {"as_of": dt.date(2026, 3, 1), "subject": subject}
    whole = analysis.current_consent(events, **asked)
    rates = analysis.consent_rate(events, by="contact_email", **asked)

    monkeypatch.setattr(parts, "ROWS_IN_A_PART", 10)

    assert len([*in_parts(Evidence(events), subject)]) > 4
    assert_frame_equal(analysis.current_consent(events.lazy(), **asked), whole)
    assert_frame_equal(analysis.consent_rate(events.lazy(), by="contact_email", **asked), rates)


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
