"""What went silently wrong in a lake once: overlapping refreshes, wrong misses, tables from other times."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable

import crmlab
from crmlab.cli import main
from crmlab.errors import UsageError
from crmlab.lake import state as states
from crmlab.lake.keeping import _without_superseded
from crmlab.lake.place import Place
from crmlab.lake.question import Question, known_of, question_of
from crmlab.lake.state import Mark
from crmlab.sandbox.faults import Fault
from crmlab.schema import TABLES
from tests.lake.test_laws import killed_after
from tests.lake.world import (
    ACCOUNT,
    NAME,
    UNREAD,
    came,
    day,
    deals,
    ids,
    kept,
    names,
    refreshed,
    rows,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "lake"
    refreshed(folder, came({"deals": deals({"1": "a", "2": "b"})}, day(1), whole=True), day(1))
    return folder


def test_an_older_reading_brings_nothing_back_that_was_missed_since(folder: Path) -> None:
    refreshed(folder, came({"deals": deals({"1": "a"})}, day(3), whole=True), day(3))
    refreshed(folder, came({"deals": deals({"1": "a", "2": "b"})}, day(2)), day(2))
    lake = crmlab.Lake(folder)
    assert names(lake.scan("deals")) == {"1": "a"}
    assert names(lake.as_of(day(2.5)).deals) == {"1": "a", "2": "b"}
    assert lake.history("deals").collect().height == 2


def test_a_watermark_that_another_refresh_set_back_is_not_passed(folder: Path) -> None:
    place = Place(folder, None)
    # three refreshes overlap: the third asks since the second, which had seen the row unchanged again
    first = Question(accounts=[ACCOUNT], tables=(), known=states.read(place), at=day(2))
    refreshed(folder, came({"deals": deals({"1": "a"})}, day(4), since=day(1)), day(4))
    third = Question(accounts=[ACCOUNT], tables=(), known=states.read(place), at=day(5))
    kept(place, first, came({"deals": deals({"1": "for a moment"})}, day(2), since=day(1)))
    kept(place, third, came({"deals": deals({})}, day(5), since=day(4)))
    lake = crmlab.Lake(folder)
    assert lake.status()["watermark"].item() == day(2)
    refreshed(folder, came({"deals": deals({"1": "a"})}, day(6), since=day(2)), day(6))
    assert lake.status()["watermark"].item() == day(6)
    assert names(lake.scan("deals"))["1"] == "a"


def test_what_was_missed_wrongly_goes_on_when_a_sweep_finds_it(folder: Path) -> None:
    refreshed(folder, None, day(2), ids("deals", {"1"}))
    found = refreshed(folder, None, day(3), ids("deals", {"1", "2", "never seen"}))
    assert found.written.row(0) == ("deals", 1, 0, 0)
    lake = crmlab.Lake(folder)
    assert names(lake.scan("deals")) == {"1": "a", "2": "b"}
    assert names(lake.as_of(day(2)).deals) == {"1": "a"}
    assert lake.changes(day(2))["deals"].select("id", "change", "changed_at").rows() == [
        ("2", "added", day(3))
    ]
    again = refreshed(folder, None, day(4), ids("deals", {"1", "2", "never seen"}))
    assert again.written.row(0) == ("deals", 0, 0, 0)
    # a sweep that began before it was missed knows nothing of it
    refreshed(folder, None, day(6), ids("deals", {"1"}))
    refreshed(folder, None, day(5), ids("deals", {"1", "2"}))
    assert names(lake.scan("deals")) == {"1": "a"}


def test_a_record_whose_id_could_not_be_read_has_one_version_that_is_current(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "lake"
    lake = crmlab.Lake(folder)
    for number, name in enumerate("ab", start=1):
        unread = {"provider": NAME[0], "account": NAME[1], "id": None, "name": name}
        frame = pl.concat(
            [deals({"1": name}), pl.DataFrame([unread], schema=TABLES["deals"].schema)]
        )
        refreshed(folder, came({"deals": frame}, day(number)), day(number))
        assert names(lake.scan("deals")) == {"1": name, None: name}
    refreshed(folder, came({"deals": deals({"1": "b"})}, day(3), whole=True), day(3))
    assert names(lake.scan("deals")) == {"1": "b"}


def test_a_table_that_is_gone_or_of_before_is_not_gone_on_with(
    folder: Path, tmp_path: Path
) -> None:
    table = folder / "tables" / "deals"
    shutil.copytree(table, tmp_path / "copy")
    refreshed(folder, came({"deals": deals({"1": "c"})}, day(2)), day(2))
    shutil.rmtree(table)
    with pytest.raises(UsageError, match=r"tables/deals is not there, or not all of it"):
        known_of(Place(folder, None))
    shutil.copytree(tmp_path / "copy", table)
    for ask in (lambda: known_of(Place(folder, None)), crmlab.Lake(folder).open):
        with pytest.raises(
            UsageError, match=r"older than the rest of the lake .*: restore the whole lake"
        ):
            ask()


@pytest.mark.parametrize("id", ["x' OR 1=1 --", '😀 "q"', "", "a\\b`c", "\x00", "%_"])
def test_an_id_is_compared_as_it_is(folder: Path, id: str) -> None:
    refreshed(folder, came({"deals": deals({id: "c"})}, day(2)), day(2))
    refreshed(folder, came({"deals": deals({id: "d"})}, day(3)), day(3))
    lake = crmlab.Lake(folder)
    assert names(lake.scan("deals")) == {"1": "a", "2": "b", id: "d"}
    refreshed(folder, None, day(4), ids("deals", {"1"}))
    assert names(lake.scan("deals")) == {"1": "a"}


def test_the_command_queries_a_lake_as_it_is_and_as_it_was(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refreshed(folder, came({"deals": deals({"1": "c"})}, day(2), whole=True), day(2))
    query = "select name from deals order by id"
    for engine in ("polars", "duckdb"):
        if engine == "duckdb":
            pytest.importorskip("duckdb")
        assert main(["query", str(folder), query, "--engine", engine]) == 0
        assert capsys.readouterr().out.split() == ["name", "c"]
        assert (
            main(["query", str(folder), query, "--engine", engine, "--as-of", day(1).isoformat()])
            == 0
        )
        assert capsys.readouterr().out.split() == ["name", "a", "b"]
    assert main(["query", str(folder), query, "--as-of", "2026-01-01"]) == 2
    assert "holds no lake at 2026-01-01" in capsys.readouterr().err
    with pytest.raises(UsageError, match=r"is a lake: crmlab\.Lake\(place\)\.open\(\) reads it"):
        crmlab.open(folder)


def test_what_was_not_read_then_is_told_when_its_first_files_are_gone(tmp_path: Path) -> None:
    folder = tmp_path / "lake"
    row = (*NAME, "deals", "1", "amount", "no number", '"x"')
    misfit = pl.DataFrame([row], schema=list(UNREAD["misfits"]), orient="row")
    for number, met in enumerate((misfit, misfit, None), start=1):
        what = came({"deals": deals({"1": "a"})}, day(number), whole=number == 3, misfits=met)
        refreshed(folder, what, day(number))
    lake = crmlab.Lake(folder)
    lake.compact()
    for name in UNREAD:
        table = DeltaTable(folder / "unread" / name)
        table.vacuum(0, dry_run=False, enforce_retention_duration=False)
    assert lake.as_of(day(1)).misfits.rows() == [row]
    assert lake.as_of(day(2)).misfits.rows() == [row]
    assert lake.as_of(day(3)).misfits.is_empty()


def test_a_sweep_of_ids_takes_back_nothing_that_could_not_be_read(folder: Path) -> None:
    row = (*NAME, "deals", "1", "amount", "no number", '"x"')
    misfit = pl.DataFrame([row], schema=list(UNREAD["misfits"]), orient="row")
    refreshed(folder, came({"deals": deals({"1": "c"})}, day(2), misfits=misfit), day(2))
    refreshed(folder, came({"deals": deals({})}, day(3)), day(3), ids("deals", {"1", "2"}))
    lake = crmlab.Lake(folder)
    assert lake.status()["swept_at"].item() == day(3)
    assert lake.open().misfits.rows() == [row]
    refreshed(folder, came({"deals": deals({"1": "d", "2": "b"})}, day(4), whole=True), day(4))
    assert lake.open().misfits.is_empty()


def test_settings_that_changed_make_the_lake_no_older() -> None:
    def mark(segments: str, number: int, *, complete: bool = True, table: str = "segments") -> Mark:
        options = {"segment_ids": segments}
        name = {"provider": "commanders_act", "account": "site", "resource": table, "table": table}
        return Mark(**name, options=options, refreshed_at=day(number), complete=complete)

    before, beside = mark("1", 1), mark("1", 1, table="users")
    known = {each.key: each for each in (before, beside)}
    for complete, expected in ((True, {"1,2"}), (False, {"1", "1,2"})):
        new = mark("1,2", 2, complete=complete)
        left = _without_superseded(known | {new.key: new}, [new])
        assert {
            each.options["segment_ids"] for each in left.values() if each.table == "segments"
        } == expected
        assert beside.key in left


async def test_a_killed_refresh_whose_clock_was_fast_does_not_win_for_long(folder: Path) -> None:
    with killed_after(1):
        refreshed(folder, came({"deals": deals({"1": "fast"})}, day(300)), day(300))
    question = await question_of(Place(folder, None), [ACCOUNT], ("deals",))
    assert question.at > day(300)
    kept(Place(folder, None), question, came({"deals": deals({"1": "c"})}, day(2)))
    assert names(crmlab.Lake(folder).scan("deals")) == {"1": "c", "2": "b"}


async def test_a_lake_into_which_nothing_was_read_is_not_whole(tmp_path: Path) -> None:
    folder = tmp_path / "lake"
    states.create(Place(folder, None), day(0))
    with pytest.raises(UsageError, match=r"is in the lake .* yet, since no refresh"):
        crmlab.Lake(folder).open()
    refreshed(folder, came({"deals": deals({})}, day(1), whole=True), day(1))
    with pytest.raises(UsageError, match=r"is in the lake .* at 2026-11-01 12:00:00 UTC"):
        crmlab.Lake(folder).as_of(day(0.5))


async def test_of_a_table_that_was_never_finished_a_fast_clock_does_not_win_either(
    folder: Path,
) -> None:
    contacts = {"9": {"full_name": "of a refresh that was killed"}}
    with killed_after(1):
        refreshed(folder, came({"contacts": rows("contacts", contacts)}, day(300)), day(300))
    question = await question_of(Place(folder, None), [ACCOUNT], ("contacts",))
    assert question.at > day(300)
    contacts["9"]["full_name"] = "as it is now"
    kept(Place(folder, None), question, came({"contacts": rows("contacts", contacts)}, day(2)))
    contact = crmlab.Lake(folder).scan("contacts").collect()
    assert contact["full_name"].to_list() == ["as it is now"]


@pytest.mark.parametrize("first", [("consent_events",), ("consent_events", "contacts")])
async def test_who_is_asked_about_by_events_is_asked_about_all_that_were_not_asked_for_them(
    tmp_path: Path, first: tuple[str, ...]
) -> None:
    lake = crmlab.Lake(tmp_path / "lake")
    async with crmlab.sandbox(rows=60, services=["complero"]) as accounts:
        fetched = await crmlab.fetch(accounts, "users")
        await lake.refresh(accounts, *first)
        refreshed = await lake.refresh(accounts, "consent_events", "users")
        assert refreshed.complete
        assert lake.open().users.collect().sort("id").equals(fetched.users.sort("id"))
        # from here on both are known, and only what is new is asked for
        again = await lake.refresh(accounts, "consent_events", "users")
    assert again.summary["rows"].sum() < 10
    assert lake.status().filter(table="users")["watermark"].item() is not None


async def test_who_could_not_be_read_is_asked_about_again(tmp_path: Path) -> None:
    lake = crmlab.Lake(tmp_path / "lake")
    fault = Fault(kind="status", match="/employees/", status=400, times=3)
    async with crmlab.sandbox(rows=60, services=["complero"], faults=[fault]) as accounts:
        first = await lake.refresh(accounts, "consent_events", "users")
        assert not first.complete
        second = await lake.refresh(accounts, "consent_events", "users")
        assert second.complete
        fetched = await crmlab.fetch(accounts, "users")
    assert lake.open().users.collect().sort("id").equals(fetched.users.sort("id"))


async def test_records_whose_labels_could_not_be_read_come_again(tmp_path: Path) -> None:
    lake = crmlab.Lake(tmp_path / "lake")
    fault = Fault(kind="status", match="/bootstrap", status=400, times=3)
    tables = ("deals", "activities")
    async with crmlab.sandbox(rows=60, services=["onepagecrm"], faults=[fault]) as accounts:
        first = await lake.refresh(accounts, *tables)
        assert not first.complete
        fault.times = 0
        second = await lake.refresh(accounts, *tables)
        assert second.complete
        fetched = await crmlab.fetch(accounts, *tables)
    for table in tables:
        stored = lake.open()[table].collect()
        assert stored.sort("id").equals(fetched[table].sort("id"))
