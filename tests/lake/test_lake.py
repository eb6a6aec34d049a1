"""What a lake keeps, and how it tells of the past."""

from __future__ import annotations

import datetime as dt
import stat
from pathlib import Path

import polars as pl
import pytest

import crmlab
from crmlab.errors import UsageError
from crmlab.lake import state as states
from crmlab.lake.place import Place
from crmlab.lake.versions import BESIDE
from crmlab.results import duckdb_query
from crmlab.schema import TABLES
from tests.lake.world import ACCOUNT, came, day, deals, ids, names, refreshed, rows

LIMITS = crmlab.Limits(concurrency=10)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "lake"


@pytest.fixture
def lake(folder: Path) -> crmlab.Lake:
    """Return a lake of three days: one deal is changed, one is new, one is deleted."""
    refreshed(
        folder, came({"deals": deals({"1": "a", "2": "b", "3": "c"})}, day(1), whole=True), day(1)
    )
    refreshed(folder, came({"deals": deals({"2": "B", "4": "d"})}, day(2)), day(2))
    refreshed(folder, came({"deals": deals({})}, day(3)), day(3), ids("deals", {"1", "2", "4"}))
    return crmlab.Lake(folder)


async def test_all_services_stay_as_a_fetch_brought_them_and_a_refresh_adds_nothing(
    folder: Path,
) -> None:
    async with crmlab.sandbox(rows=40, seed=2) as accounts:
        fetched = await crmlab.fetch(accounts, since="2025-11-15", limits=LIMITS)
        lake = crmlab.Lake(folder)
        first = await lake.refresh(accounts, limits=LIMITS)
        second = await lake.refresh(accounts, limits=LIMITS)
        status = lake.status()
    assert first.complete
    assert second.written.select(pl.exclude("table").sum()).sum_horizontal().item() == 0
    assert second.summary["requests"].sum() < first.summary["requests"].sum()
    data = lake.open()
    assert data.complete
    assert data.asked.since is None
    assert data.asked.period("deals").since is None
    assert data.asked.period("deliveries").since is not None
    for name in ("contacts", "stages", "users", "deal_items", "subscriptions"):
        stored = data[name].collect()
        assert stored.schema == TABLES[name].schema
        whole = (
            fetched[name]
            if not TABLES[name].window
            else stored.join(fetched[name], on="id", how="semi")
        )
        assert set(whole["id"]) <= set(stored["id"])
    assert status.filter(pl.col("table") == "deals")["watermark"].null_count() == 0
    assert len(crmlab.analysis.win_rate(data.deals, by="owner_name")) > 0
    assert "complete" in repr(data)
    assert str(folder) in data._repr_html_()


@pytest.mark.parametrize("name", ["Own Files", "Büro", "a#b?c", "100 %", "a*b", "{a,b}"])
def test_a_folder_may_have_any_name_that_can_be_read_again(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name / "lake"
    refreshed(folder, came({"deals": deals({"1": "a", "2": "b"})}, day(1), whole=True), day(1))
    refreshed(folder, came({"deals": deals({"2": "B"})}, day(2)), day(2))
    lake = crmlab.Lake(folder)
    lake.compact()
    lake.vacuum("0d")

    assert names(lake.open().deals) == {"1": "a", "2": "B"}
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["a[b", "a]b", "a=b", "a%20b"])
def test_a_folder_that_could_not_be_read_again_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"a lake cannot be in .*: name a folder without"):
        crmlab.Lake(tmp_path / name)


def test_it_holds_what_is_there_now(lake: crmlab.Lake) -> None:
    assert names(lake.scan("deals")) == {"1": "a", "2": "B", "4": "d"}
    assert lake.scan("deals").collect_schema() == TABLES["deals"].schema
    data = lake.open()
    assert names(data.deals) == {"1": "a", "2": "B", "4": "d"}
    assert repr(data).startswith("<Stored deals 3; complete")
    assert data.fetched_at == day(3)
    assert data.collect().deals.height == 3


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        (day(1), {"1": "a", "2": "b", "3": "c"}),
        (day(1.5), {"1": "a", "2": "b", "3": "c"}),
        (day(2), {"1": "a", "2": "B", "3": "c", "4": "d"}),
        ("2026-11-04", {"1": "a", "2": "B", "4": "d"}),
    ],
)
def test_it_tells_what_was_there(lake: crmlab.Lake, time: object, expected: dict[str, str]) -> None:
    then = lake.as_of(time)  # type: ignore[arg-type]
    assert names(then.deals) == expected
    assert f"deals {len(expected)}" in repr(then)


def test_sql_asks_what_is_there_now_and_what_was(lake: crmlab.Lake) -> None:
    query = "select id, name from deals order by id"

    assert (
        lake.sql(query)
        .collect()
        .equals(lake.open().deals.collect().select("id", "name").sort("id"))
    )
    assert set(lake.as_of(day(1)).sql(query).collect()["name"]) == {"a", "b", "c"}
    by_duckdb = duckdb_query("select id, name from deals order by id", lake.open())
    assert by_duckdb.equals(lake.sql(query).collect())
    with pytest.raises(UsageError, match="unknown table 'nope' in SQL"):
        lake.sql("select * from nope")


def test_before_the_first_refresh_there_was_nothing(lake: crmlab.Lake) -> None:
    with pytest.raises(UsageError, match="holds no lake at 2026-10-01"):
        lake.as_of("2026-10-01")


def test_it_tells_what_changed(lake: crmlab.Lake) -> None:
    found = lake.changes(day(1))
    assert repr(found) == "<Changes since 2026-11-02 00:00 UTC: 1 added, 1 changed, 1 deleted>"
    assert found["deals"].drop("provider", "account").rows() == [
        ("4", "added", day(2), None, None, None),
        ("2", "changed", day(2), "name", "b", "B"),
        ("3", "deleted", day(3), None, None, None),
    ]
    assert not lake.changes(day(3))


def test_what_changed_in_lists_is_told_as_json(folder: Path) -> None:
    for number, emails in enumerate((["a@example.com"], None, []), start=1):
        what = came({"contacts": rows("contacts", {"1": {"emails": emails}})}, day(number))
        refreshed(folder, what, day(number))
    lake = crmlab.Lake(folder)
    assert lake.changes(day(1))["contacts"].select("column", "old", "new").rows() == [
        ("emails", '["a@example.com"]', "[]")
    ]
    assert lake.changes(day(2))["contacts"].select("old", "new").rows() == [(None, "[]")]


def test_it_has_every_version(lake: crmlab.Lake) -> None:
    versions = lake.history("deals").collect().sort("id", "valid_from")
    assert versions.select("id", "name", "valid_from", "valid_to", "missed_at").rows() == [
        ("1", "a", day(1), None, None),
        ("2", "b", day(1), day(2), None),
        ("2", "B", day(2), None, None),
        ("3", "c", day(1), day(3), day(3)),
        ("4", "d", day(2), None, None),
    ]


def test_what_comes_back_is_there_again(lake: crmlab.Lake, folder: Path) -> None:
    refreshed(folder, came({"deals": deals({"3": "c"})}, day(4)), day(4))
    assert "3" in names(lake.scan("deals"))
    assert "3" not in names(lake.as_of(day(3)).deals)


def test_what_did_not_come_whole_is_kept_and_asked_again(lake: crmlab.Lake, folder: Path) -> None:
    known = lake.status()["watermark"].item()
    refreshed(
        folder, came({"deals": deals({"5": "e"})}, day(4), whole=True, complete=False), day(4)
    )
    assert names(lake.scan("deals")) == {"1": "a", "2": "B", "4": "d", "5": "e"}
    assert lake.status()["watermark"].item() == known
    assert not lake.open().complete
    assert lake.open().fetched_at == day(3)
    refreshed(folder, came({"deals": deals({"6": "f"})}, day(5)), day(5))
    assert lake.open().complete
    assert lake.status()["watermark"].item() == day(5)


def test_an_answer_without_rows_moves_the_watermark(lake: crmlab.Lake, folder: Path) -> None:
    refreshed(folder, came({"deals": deals({})}, day(9)), day(9))
    assert lake.status()["watermark"].item() == day(9)


def test_what_another_refresh_read_later_stays(lake: crmlab.Lake, folder: Path) -> None:
    refreshed(
        folder, came({"deals": deals({"1": "old", "9": "new"})}, day(0.5), whole=True), day(0.5)
    )
    assert names(lake.scan("deals")) == {"1": "a", "2": "B", "4": "d", "9": "new"}


def test_what_happened_is_kept_when_the_service_keeps_it_no_more(folder: Path) -> None:
    events = {str(number): {"at": day(number), "success": number} for number in range(3)}
    refreshed(folder, came({"deliveries": rows("deliveries", events)}, day(3), whole=True), day(3))
    later = {"2": {"at": day(2), "success": 7}, "3": {"at": day(3), "success": 3}}
    refreshed(folder, came({"deliveries": rows("deliveries", later)}, day(4), whole=True), day(4))
    stored = crmlab.Lake(folder).scan("deliveries").sort("id").collect()
    assert stored["success"].to_list() == [0, 1, 7, 3]


def test_of_a_table_that_expires_it_is_told_since_when_it_is_whole(folder: Path) -> None:
    refreshed(folder, came({"contacts": rows("contacts", {})}, day(1), since=day(-30)), day(1))
    refreshed(folder, came({"contacts": rows("contacts", {})}, day(20), since=day(0)), day(20))
    lake = crmlab.Lake(folder)
    assert lake.open().asked.period("contacts").since == day(-30)
    refreshed(folder, came({"contacts": rows("contacts", {})}, day(60), since=day(30)), day(60))
    assert lake.open().asked.period("contacts").since == day(30)
    assert (
        "a gap: what happened from 2026-11-21 00:00 to 2026-12-01" in lake.status()["note"].item()
    )


def test_a_record_that_came_twice_is_there_once(folder: Path) -> None:
    twice = pl.concat([deals({"1": "a"}), deals({"1": "b"})])
    refreshed(folder, came({"deals": twice}, day(1)), day(1))
    assert names(crmlab.Lake(folder).scan("deals")) == {"1": "b"}


def test_values_that_were_not_read_stay_until_their_list_was_read_whole(folder: Path) -> None:
    misfit = pl.DataFrame(
        [("onepagecrm", "sales", "deals", "1", "amount", "no number", '"x"')],
        schema=["provider", "account", "resource", "id", "field", "reason", "raw"],
        orient="row",
    )
    refreshed(folder, came({"deals": deals({"1": "a"})}, day(1), misfits=misfit), day(1))
    refreshed(folder, came({"deals": deals({"2": "b"})}, day(2), misfits=misfit), day(2))
    assert crmlab.Lake(folder).open().misfits.rows() == misfit.rows()
    refreshed(folder, came({"deals": deals({"1": "a", "2": "b"})}, day(3), whole=True), day(3))
    assert crmlab.Lake(folder).open().misfits.is_empty()


def test_no_shared_column_is_called_as_one_of_the_lake() -> None:
    for table in TABLES.values():
        assert not table.columns.keys() & {*BESIDE}


def test_a_new_folder_is_for_this_user_only(lake: crmlab.Lake, folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_what_is_no_lake_is_said(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(UsageError, match="there is no lake in"):
        crmlab.Lake(folder).open()
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"holds notes\.txt and is no lake"):
        states.create(Place(tmp_path, None), day(0))
    with pytest.raises(UsageError, match="cannot be written"):
        states.create(Place(tmp_path / "notes.txt", None), day(0))
    assert (tmp_path / "notes.txt").read_text() == "mine"


async def test_what_cannot_be_asked_is_said_before_anything_is_made(folder: Path) -> None:
    lake = crmlab.Lake(folder)
    with pytest.raises(UsageError, match="a lake keeps the shared tables"):
        await lake.refresh(ACCOUNT, "onepagecrm.deals")
    with pytest.raises(UsageError, match="'7d'"):
        await lake.refresh(ACCOUNT, sweep_after="soon")
    with pytest.raises(UsageError, match="dells"):
        await lake.refresh(ACCOUNT, "dells")
    assert not folder.exists()


def test_a_table_that_is_not_there_is_named(lake: crmlab.Lake) -> None:
    with pytest.raises(UsageError, match="'contacts' is not in the lake; there is deals"):
        lake.scan("contacts")


def test_without_deltalake_it_is_said_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "deltalake", None)
    with pytest.raises(UsageError, match="a lake needs deltalake: pip install deltalake"):
        crmlab.Lake(tmp_path)


def test_times_of_day_are_kept_to_the_microsecond(folder: Path) -> None:
    at = day(1) + dt.timedelta(microseconds=123_457)
    refreshed(folder, came({"deals": deals({"1": "a"})}, at), at)
    lake = crmlab.Lake(folder)
    assert lake.status()["watermark"].item() == at
    assert lake.history("deals").collect()["valid_from"].item() == at
