"""What needs repeated fetches takes the past of a lake: the same answers, and no fetch is kept for it."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import crmlab
from crmlab import analysis, plots
from crmlab.errors import UsageError
from crmlab.schema import TABLES, conform
from tests.lake.world import came, day, deals, ids, refreshed, rows

EXPECTED = dt.date(2026, 12, 1)


def pipeline(stages: dict[str, int | str], slipped: int = 0) -> pl.DataFrame:
    """Return deals: by id, their stage, or how they were closed."""
    values: dict[str, dict[str, object]] = {}
    for id, stage in stages.items():
        is_open = isinstance(stage, int)
        values[id] = {
            "pipeline_id": "p",
            "stage": stage if is_open else 90,
            "status": "pending" if is_open else stage,
            "created_at": day(0),
            "amount": 100.0,
            "currency": "EUR",
            "expected_close_date": EXPECTED + dt.timedelta(days=slipped),
        }
    return rows("deals", values)


#: what each refresh brought that was new or changed, and what there was then
DAYS: tuple[tuple[dict[str, int | str], dict[str, int | str]], ...] = (
    ({"1": 10, "2": 10, "3": 20}, {"1": 10, "2": 10, "3": 20}),
    ({"1": 20}, {"1": 20, "2": 10, "3": 20}),
    ({"2": "lost", "4": 10}, {"1": 20, "2": "lost", "3": 20, "4": 10}),
    ({}, {"1": 20, "2": "lost", "3": 20, "4": 10}),
    ({"1": "won", "4": 20}, {"1": "won", "2": "lost", "3": 20, "4": 20}),
)


@pytest.fixture
def lake(tmp_path: Path) -> crmlab.Lake:
    """Return a lake of five refreshes."""
    for number, (changed, _) in enumerate(DAYS, start=1):
        what = came({"deals": pipeline(changed, slipped=number)}, day(number), whole=number == 1)
        refreshed(tmp_path / "lake", what, day(number))
    return crmlab.Lake(tmp_path / "lake")


def fetches() -> list[tuple[dt.datetime, pl.DataFrame]]:
    """Return what a fetch of all would have brought at each of these times."""
    slipped: dict[str, int] = {}
    found = []
    for number, (changed, there) in enumerate(DAYS, start=1):
        slipped |= dict.fromkeys(changed, number)
        parts = [pipeline({id: stage}, slipped[id]) for id, stage in there.items()]
        found.append((day(number), conform(pl.concat(parts), TABLES["deals"])))
    return found


def test_stays_and_slippage_are_those_of_fetches_that_were_kept(lake: crmlab.Lake) -> None:
    snapshots = lake.snapshots()

    assert [time for time, _ in snapshots] == [time for time, _ in fetches()]
    history = analysis.stage_history(snapshots)
    assert_frame_equal(history, analysis.stage_history(fetches()), check_row_order=False)
    assert_frame_equal(
        analysis.slippage(snapshots), analysis.slippage(fetches()), check_row_order=False
    )
    assert history.filter(deal_id="1")["exit"].to_list() == ["advanced", "won"]
    assert analysis.funnel(history, TABLES["stages"].empty()).height > 0
    assert analysis.stage_durations(history, TABLES["stages"].empty())["ended"].sum() > 0
    assert plots.stage_durations(history, TABLES["stages"].empty()).data


def test_states_of_the_lake_stand_in_the_place_of_fetches(lake: crmlab.Lake) -> None:
    earlier, now = lake.as_of(day(2)), lake.open()
    then, later = fetches()[1][1], fetches()[-1][1]

    assert_frame_equal(analysis.waterfall(earlier, now), analysis.waterfall(then, later))
    by_states = analysis.stage_history([earlier, lake.as_of(day(3)), now])
    by_fetches = analysis.stage_history([fetches()[1], fetches()[2], fetches()[4]])
    assert_frame_equal(by_states, by_fetches, check_row_order=False)
    with pytest.raises(UsageError, match="waterfall\\(earlier, later\\)"):
        analysis.waterfall(now, earlier)
    questions = ["waterfall", "funnel", "stage_durations"]
    written = now.collect().report(
        Path(lake._place.root) / "report", tables="csv", earlier=earlier, questions=questions
    )
    assert [path.stem for path in written[:3]] == questions


def test_snapshots_can_be_fewer_and_begin_later(lake: crmlab.Lake) -> None:
    assert [time for time, _ in lake.snapshots(every="2d")] == [day(1), day(3), day(5)]
    assert [time for time, _ in lake.snapshots(since=day(3))] == [day(3), day(4), day(5)]
    assert lake.snapshots(since=day(9)) == []
    with pytest.raises(UsageError, match="is not in the lake"):
        lake.snapshots("contacts")
    with pytest.raises(UsageError, match="every is a number of"):
        lake.snapshots(every="sometimes")


def test_what_a_refresh_did_not_read_to_its_end_it_did_not_see(tmp_path: Path) -> None:
    place = tmp_path / "lake"
    refreshed(place, came({"deals": pipeline({"1": 10, "2": 10})}, day(1), whole=True), day(1))
    refreshed(place, came({"deals": pipeline({"1": 20})}, day(2), complete=False), day(2))
    refreshed(place, came({"contacts": rows("contacts", {"a": {}})}, day(3)), day(3))
    refreshed(place, came({"deals": pipeline({})}, day(4)), day(4), ids("deals", {"1"}))

    snapshots = crmlab.Lake(place).snapshots()

    assert [time for time, _ in snapshots] == [day(1), day(4)]
    history = analysis.stage_history(snapshots)
    assert history.filter(deal_id="2")["exit"].to_list() == ["gone"]
    assert history.filter(deal_id="1")["entered_at"].to_list() == [day(1), day(4)]


def test_what_vacuum_removed_is_no_snapshot_and_compacting_adds_none(tmp_path: Path) -> None:
    place = tmp_path / "lake"
    times = [day(1), day(2), day(3)]
    for number, time in enumerate(times):
        refreshed(
            place, came({"deals": deals({"1": f"name {number}"})}, time, whole=number == 0), time
        )
    lake = crmlab.Lake(place)

    lake.compact()
    before = [time for time, _ in lake.snapshots()]
    lake.vacuum(keep=dt.datetime.now(dt.UTC) - day(2.5))

    assert before == times
    assert [time for time, _ in lake.snapshots()] == times[2:]


def names_at(snapshots: list[tuple[Any, pl.LazyFrame]]) -> list[list[str]]:
    """Return the names of the deals in each."""
    return [frame.collect()["name"].to_list() for _, frame in snapshots]


def test_each_snapshot_has_the_rows_of_then(tmp_path: Path) -> None:
    place = tmp_path / "lake"
    refreshed(place, came({"deals": deals({"1": "a"})}, day(1), whole=True), day(1))
    refreshed(place, came({"deals": deals({"1": "b"})}, day(2)), day(2))

    snapshots = crmlab.Lake(place).snapshots()

    assert names_at(snapshots) == [["a"], ["b"]]
    assert all(frame.collect_schema() == TABLES["deals"].schema for _, frame in snapshots)


def test_a_log_stays_short_and_the_past_does_not_need_what_has_gone_from_it(
    tmp_path: Path,
) -> None:
    place = tmp_path / "lake"
    refreshes = 21
    for number in range(1, refreshes + 1):
        what = came({"deals": pipeline({"1": number})}, day(number), whole=number == 1)
        refreshed(place, what, day(number))
        # Delta drops entries that are older than a month where it writes a checkpoint
        for entry in place.rglob("_delta_log/*.json"):
            os.utime(entry, (0, 0))

    logs = [*place.rglob("_delta_log")]
    assert {log.parent.name for log in logs} >= {"state", "deals"}
    for log in logs:
        checkpoints = [_version(path) for path in log.glob("*.checkpoint.parquet")]
        entries = [_version(path) for path in log.glob("*.json")]
        # each is read when the table is opened
        assert len([entry for entry in entries if entry > max(checkpoints, default=0)]) <= 10
    assert len([*(place / "state" / "_delta_log").glob("*.json")]) < refreshes
    lake = crmlab.Lake(place)
    assert [time for time, _ in lake.snapshots()] == [day(each) for each in range(1, refreshes + 1)]
    history = lake.history("deals").sort("valid_from").collect()
    assert history["stage"].to_list() == list(range(1, refreshes + 1))
    assert lake.as_of(day(7)).deals.collect()["stage"].to_list() == [7]


def _version(entry: Path) -> int:
    return int(entry.name.partition(".")[0])
