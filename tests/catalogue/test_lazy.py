"""Every question takes lazy frames: it reads no column that it does not need, and answers as of frames in memory."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import polars.selectors as cs
import pytest
from polars.testing import assert_frame_equal

from crmlab import Fetched, analysis
from crmlab.analysis import parts
from crmlab.analysis.subject_parts import Evidence
from crmlab.catalogue import CATALOGUE, Entry
from crmlab.schema import KEY, TABLES

by_name = pytest.mark.parametrize("entry", CATALOGUE.values(), ids=lambda entry: entry.name)
QUOTA = {"EUR": 1e6, "USD": 1e6, "GBP": 1e6}
#: with so few in a part the sample's tables are read in several
FEW = 40


def nobody_reads(frame: pl.DataFrame) -> pl.LazyFrame:
    """Return a frame as a lazy one, with a column that cannot be read."""

    def refuse(_: pl.Series) -> pl.Series:
        raise AssertionError("a column was read that no answer needs")

    return frame.lazy().with_columns(
        pl.first().map_batches(refuse, return_dtype=pl.String).alias("of nobody's interest")
    )


def variables(fetched: Fetched, earlier: Fetched, *, is_lazy: bool) -> dict[str, Any]:
    """Return what the code of questions reads."""

    def given(frame: pl.DataFrame) -> Any:
        return nobody_reads(frame) if is_lazy else frame

    now, past = fetched.fetched_at, earlier.fetched_at
    deals, before = given(fetched.deals), given(earlier.deals)
    tables = {
        name: given(fetched[name] if name in fetched else TABLES[name].empty()) for name in TABLES
    }
    made = {
        "people": given(analysis.people(fetched.contacts)),
        "before": before,
        "history": given(analysis.stage_history([(past, earlier.deals), (now, fetched.deals)])),
    }
    return {
        **tables,
        **made,
        "deals": deals,
        "as_of": now,
        "fetched_at": now,
        "time_zone": "UTC",
        "quota": QUOTA,
    }


@by_name
def test_numbers_and_figure_are_those_of_frames_in_memory(
    entry: Entry, fetched: Fetched, earlier: Fetched
) -> None:
    eager = variables(fetched, earlier, is_lazy=False)
    lazy = variables(fetched, earlier, is_lazy=True)

    assert_frame_equal(entry.count(lazy), entry.count(eager))
    assert entry.draw(lazy).to_json() == entry.draw(eager).to_json()


@by_name
def test_numbers_of_parts_are_those_of_the_whole(
    entry: Entry, fetched: Fetched, earlier: Fetched, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = entry.count(variables(fetched, earlier, is_lazy=False))
    lazy = variables(fetched, earlier, is_lazy=True)
    # rows are told apart before they are read: in whatever zone their times are
    in_zone = cs.datetime(time_zone="*").dt.convert_time_zone("Asia/Tokyo")
    for name, value in lazy.items():
        if isinstance(value, pl.LazyFrame):
            lazy[name] = value.with_columns(in_zone)

    monkeypatch.setattr(parts, "ROWS_IN_A_PART", FEW)

    assert_frame_equal(entry.count(lazy), whole)


def test_history_of_parts_is_that_of_the_whole(
    fetched: Fetched, earlier: Fetched, monkeypatch: pytest.MonkeyPatch
) -> None:
    long_before = earlier.fetched_at - dt.timedelta(days=9)
    snapshots = [
        (long_before, earlier.deals[::2]),
        (earlier.fetched_at, earlier.deals),
        (fetched.fetched_at, fetched.deals),
    ]
    whole = analysis.stage_history(snapshots)

    monkeypatch.setattr(parts, "ROWS_IN_A_PART", FEW)

    assert_frame_equal(
        analysis.stage_history((at, nobody_reads(deals)) for at, deals in snapshots), whole
    )
    assert_frame_equal(analysis.stage_history(snapshots), whole)


@pytest.mark.parametrize("ask", [analysis.current_consent, analysis.consent_rate])
def test_decisions_by_address_are_in_parts_those_of_the_whole(
    ask: Any, fetched: Fetched, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = fetched.consent_events.with_columns(
        # some are known by their address alone, some by the id of their contact alone
        contact_id=pl.when(pl.int_range(pl.len()) % 3 > 0).then("contact_id"),
        contact_email=pl.when(pl.int_range(pl.len()) % 3 < 2).then("contact_email"),
    ).filter(pl.col("contact_id").is_not_null() | pl.col("contact_email").is_not_null())
    whole = ask(events, as_of=fetched.fetched_at, subject="email")

    monkeypatch.setattr(parts, "ROWS_IN_A_PART", FEW)
    in_parts = Evidence(events).parts("email")

    assert len(in_parts) > 1
    assert_frame_equal(ask(events.lazy(), as_of=fetched.fetched_at, subject="email"), whole)


@pytest.mark.parametrize("is_one_part", [False, True])
def test_objections_are_in_parts_those_of_the_whole(
    fetched: Fetched, monkeypatch: pytest.MonkeyPatch, *, is_one_part: bool
) -> None:
    who = analysis.people(fetched.contacts)
    # where a row names nobody that is known, everything is read at once
    known = {"contacts": fetched.contacts}
    for name in ("subscriptions", "activities", "consent_events"):
        contact = ["provider", "account", "contact_id"]
        known[name] = fetched[name].join(who, left_on=contact, right_on=KEY, how="semi")
    decided = {"activities": known["activities"], "consent_events": known["consent_events"]}
    as_of = fetched.fetched_at
    mailed = analysis.mailed_but_objected(**known, people=who, as_of=as_of)
    contacted = analysis.activities_after_opt_out(**decided, people=who, as_of=as_of)

    # few enough for one part once those are left out that decide nothing, or too many even then
    rows = who.height + sum(table.height for table in decided.values())
    monkeypatch.setattr(parts, "ROWS_IN_A_PART", rows - 1 if is_one_part else FEW)
    lazy = {name: nobody_reads(table) for name, table in known.items()}
    lazily_decided = {name: lazy[name] for name in decided}

    assert not mailed.is_empty()
    assert_frame_equal(analysis.mailed_but_objected(**lazy, people=who, as_of=as_of), mailed)
    assert_frame_equal(
        analysis.activities_after_opt_out(**lazily_decided, people=who, as_of=as_of), contacted
    )
