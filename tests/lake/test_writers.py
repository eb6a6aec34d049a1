"""Several writers at once, and what is wrong with a store or a table, in words."""

from __future__ import annotations

import datetime as dt
import errno
import os
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import polars as pl
import pytest
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError

import crmlab
from crmlab.errors import CrmlabError, UsageError
from crmlab.lake import state as states
from crmlab.lake import table as tables
from crmlab.lake.place import Place, again
from crmlab.lake.question import known_of
from crmlab.lake.table import LakeTable
from crmlab.schema import TABLES
from tests.lake.test_laws import killed_after
from tests.lake.world import START, came, day, deals, names, refreshed, rows


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "lake"
    refreshed(folder, came({"deals": deals({"1": "a", "2": "b"})}, day(1), whole=True), day(1))
    return folder


def table_of(folder: Path) -> LakeTable:
    return LakeTable(Place(folder, None), "deals", states.read(Place(folder, None)).lake)


# ---- what Delta does not do by itself, so that we do it ------------------------------------------------


def test_delta_takes_the_same_transaction_again_and_we_rely_on_the_handle_alone(
    tmp_path: Path,
) -> None:
    row = pl.DataFrame({"id": ["1"]})
    same = CommitProperties(app_transactions=[Transaction("crmlab", 1)])
    write_deltalake(tmp_path, row, commit_properties=same)
    stale = DeltaTable(tmp_path)
    write_deltalake(tmp_path, row, mode="append", commit_properties=same)
    assert pl.read_delta(str(tmp_path)).height == 2
    with pytest.raises(CommitFailedError):
        write_deltalake(stale, row, mode="append", commit_properties=same)


@pytest.mark.parametrize("change", [{"3": "new"}, {"1": "changed"}, {"1": "changed", "3": "new"}])
def test_a_commit_that_was_begun_before_another_came_is_done_anew(
    folder: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, str]
) -> None:
    commit = tables._commit
    others = [{"1": "other", "3": "other", "4": "other"}]

    def late(*given: object) -> None:
        if others:
            rows = deals(others.pop())
            table_of(folder).merge(rows.lazy(), at=day(2))
        commit(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(tables, "_commit", late)
    refreshed(folder, came({"deals": deals(change)}, day(3)), day(3))
    lake = crmlab.Lake(folder)
    assert (
        names(lake.scan("deals")) == {"1": "other", "2": "b", "3": "other", "4": "other"} | change
    )


def test_writers_at_once_all_succeed(folder: Path) -> None:
    errors: list[BaseException] = []

    def write(writer: int) -> None:
        try:
            for number in range(3):
                own = {f"{writer}-{number}": "own", "1": f"{number} by {writer}"}
                at = day(2 + number) + dt.timedelta(seconds=writer)
                refreshed(folder, came({"deals": deals(own)}, at), at)
        except CrmlabError as error:
            errors.append(error)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert not errors
    found = names(crmlab.Lake(folder).scan("deals"))
    assert found.keys() == {
        "1",
        "2",
        *(f"{writer}-{number}" for writer in range(3) for number in range(3)),
    }
    assert found["1"] == "2 by 2"
    # versions of before a commit of another are older, and none is current beside another
    assert (
        crmlab.Lake(folder)
        .history("deals")
        .filter(pl.col("valid_to").is_null())
        .collect()["id"]
        .is_unique()
        .all()
    )


def at_once(works: Sequence[Callable[[], object]]) -> list[object]:
    """Do all of these in threads that begin at the same moment; return what came of each, errors too."""
    start = threading.Barrier(len(works))
    outcomes: list[object] = []

    def begin(work: Callable[[], object]) -> None:
        start.wait()
        try:
            outcomes.append(work())
        except Exception as error:  # noqa: BLE001  # whatever it is, the test tells it
            outcomes.append(error)

    threads = [threading.Thread(target=begin, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_refreshes_that_are_the_first_at_the_same_moment_make_one_lake(tmp_path: Path) -> None:
    for attempt in range(5):
        place = Place(tmp_path / str(attempt), None)
        made = at_once([lambda place=place: known_of(place).lake] * 3)  # type: ignore[misc]
        assert made == [states.read(place).lake] * 3


def test_tables_that_are_made_at_the_same_moment_have_as_many_buckets_for_each(
    tmp_path: Path,
) -> None:
    for attempt in range(5):
        place = Place(tmp_path / str(attempt), None)
        table = LakeTable(place, "deals", states.create(place, START).lake)
        failed = at_once([partial(table.make, rows) for rows in (1, 1_000_000, 3_000_000)])
        assert failed == [None] * 3
        # a second version would be another description, by which the rows of before stand in wrong buckets
        assert table.open().version() == 0


def test_a_lake_whose_making_was_killed_is_made_by_the_next_refresh(tmp_path: Path) -> None:
    place = Place(tmp_path / "lake", None)
    with killed_after(0):
        states.create(place, START)
    assert known_of(place).lake == states.read(place).lake


def test_a_table_of_another_program_is_no_lake(tmp_path: Path) -> None:
    write_deltalake(tmp_path / "state", pl.DataFrame({"id": ["1"]}))
    with pytest.raises(UsageError, match="holds no lake that crmlab wrote"):
        known_of(Place(tmp_path, None))
    assert pl.read_delta(str(tmp_path / "state")).height == 1


def test_a_writer_that_is_always_late_says_so() -> None:
    tries = []

    def conflicts() -> None:
        tries.append(1)
        raise CommitFailedError("Concurrent transaction failed")

    with pytest.raises(
        CrmlabError, match="other writers of the lake were faster 2 times in a row: try again later"
    ):
        again(conflicts, tries=2)
    assert len(tries) == 2


def test_a_store_in_which_writers_overwrite_each_other_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(states, "writing", lambda number, path: {})
    with pytest.raises(
        UsageError, match="a store that lets one writer overwrite the commit of another"
    ):
        states.create(Place(tmp_path / "lake", None), START)


# ---- columns ------------------------------------------------------------------------------------------


def with_columns(monkeypatch: pytest.MonkeyPatch, **columns: pl.DataType | None) -> None:
    """Let this be another version of crmlab, whose deals have other columns."""
    from types import MappingProxyType

    from crmlab import schema
    from crmlab.lake import reading, table, versions
    from crmlab.schema import Column

    declared = dict(TABLES["deals"].columns)
    for name, dtype in columns.items():
        declared.pop(name, None)
        if dtype is not None:
            declared[name] = Column(dtype, "as another version declares it")
    other = MappingProxyType({**TABLES, "deals": replace(TABLES["deals"], columns=declared)})
    for module in (versions, table, reading):
        monkeypatch.setattr(module, "TABLES", other)
    assert schema.TABLES is TABLES


def test_a_column_that_is_new_is_null_in_what_is_there(folder: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        with_columns(patch, mood=pl.String())
        newer = deals({"1": "a"}).with_columns(mood=pl.lit("good"))
        refreshed(folder, came({"deals": newer}, day(2)), day(2))
        stored = crmlab.Lake(folder).scan("deals").select("id", "mood").collect()
        assert dict(stored.iter_rows()) == {"1": "good", "2": None}
    # the version of before leaves alone what it does not know
    refreshed(folder, came({"deals": deals({"1": "z"})}, day(3)), day(3))
    lake = crmlab.Lake(folder)
    assert lake.scan("deals").collect_schema() == TABLES["deals"].schema
    with pytest.MonkeyPatch.context() as patch:
        with_columns(patch, mood=pl.String())
        stored = lake.scan("deals").select("id", "name", "mood").collect().sort("id")
        assert stored.rows() == [("1", "z", "good"), ("2", "b", None)]


def test_a_column_with_another_dtype_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_columns(monkeypatch, amount=pl.Int32())
    with pytest.raises(
        UsageError, match=r"deals\.amount is Float64 in the lake, and Int32 in this version"
    ):
        table_of(folder).merge(
            deals({"1": "b"}).lazy().with_columns(amount=pl.lit(1, pl.Int32)), at=day(2)
        )


# ---- files --------------------------------------------------------------------------------------------


def parts(folder: Path) -> list[Path]:
    return sorted((folder / "tables" / "deals").rglob("*.parquet"))


def test_who_reads_has_the_files_that_were_there(folder: Path) -> None:
    lake = crmlab.Lake(folder)
    before = lake.open()
    refreshed(folder, came({"deals": deals({"1": "c"})}, day(2)), day(2))
    lake.compact()
    lake.vacuum("0h")
    assert names(before.deals) == {"1": "a", "2": "b"}
    assert names(lake.scan("deals")) == {"1": "c", "2": "b"}


def test_what_is_kept_no_more_cannot_be_asked(folder: Path) -> None:
    lake = crmlab.Lake(folder)
    refreshed(folder, came({"deals": deals({"1": "c"})}, day(2), whole=True), day(2))
    assert lake.vacuum("0h").filter(pl.col("table") == "deals")["versions"].item() == 1
    for ask in (lake.as_of, lake.changes):
        with pytest.raises(UsageError, match="the lake keeps its past since"):
            ask(day(1))
    # what was deleted at the service is marked, and not superseded
    assert lake.history("deals").select("id", "missed_at").collect().sort("id").rows() == [
        ("1", None),
        ("2", day(2)),
    ]
    refreshed(folder, came({"deals": deals({"1": "d"})}, day(3)), day(3))
    assert names(lake.scan("deals")) == {"1": "d"}
    assert lake.status()["watermark"].item() == day(3)


def test_what_a_killed_writer_left_is_removed_after_a_day(folder: Path) -> None:
    left = parts(folder)[0].with_name("left.parquet")
    shutil.copy(parts(folder)[0], left)
    crmlab.Lake(folder).vacuum()
    assert left.exists()
    yesterday = time.time() - 25 * 3600
    os.utime(left, (yesterday, yesterday))
    crmlab.Lake(folder).vacuum()
    assert not left.exists()
    assert names(crmlab.Lake(folder).scan("deals")) == {"1": "a", "2": "b"}


def test_small_files_become_one(folder: Path) -> None:
    for number in range(4):
        refreshed(
            folder, came({"deals": deals({f"9{number}": "n"})}, day(2 + number)), day(2 + number)
        )
    found = crmlab.Lake(folder).compact()
    assert found.filter(pl.col("table") == "deals").select("files_before", "files_after").row(
        0
    ) == (5, 1)
    assert len(names(crmlab.Lake(folder).scan("deals"))) == 6


def test_a_person_is_found_by_an_address_of_before(tmp_path: Path) -> None:
    folder = tmp_path / "lake"
    for number, email in enumerate(("old@example.com", "new@example.com"), start=1):
        people = {"1": {"emails": [email]}, "2": {"emails": ["other@example.com"]}}
        deal = {"d1": {"contact_id": "1"}, "d2": {"contact_id": "2", "name": f"after {number}"}}
        what = came(
            {"contacts": rows("contacts", people), "deals": rows("deals", deal)}, day(number)
        )
        refreshed(folder, what, day(number))
    lake = crmlab.Lake(folder)
    planned = lake.erase("old@example.com", dry_run=True)
    assert dict(planned.select("table", "rows").iter_rows()) == {
        "contacts": 2,
        "deals": 1,
        "misfits": 0,
        "rejected": 0,
    }
    assert lake.open().contacts.collect().height == 2
    taken = lake.erase("old@example.com")
    assert taken.select("table", "rows").rows() == planned.select("table", "rows").rows()
    assert taken["files"].sum() > 0
    assert lake.history("contacts").select("id").collect()["id"].to_list() == ["2"]
    assert set(lake.history("deals").select("id").collect()["id"]) == {"d2"}
    with pytest.raises(UsageError, match="names nobody here"):
        lake.erase("nobody")


# ---- what is wrong, in words ----------------------------------------------------------------------------


def test_a_table_that_was_removed_by_hand_is_missed(folder: Path) -> None:
    shutil.rmtree(folder / "tables" / "deals")
    with pytest.raises(
        UsageError, match=r"tables/deals is not there, or not all of it: restore it from a copy"
    ):
        crmlab.Lake(folder).open()


def test_a_table_of_another_lake_is_refused(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    refreshed(other, came({"deals": deals({"9": "x"})}, day(1)), day(1))
    shutil.rmtree(folder / "tables" / "deals")
    shutil.copytree(other / "tables" / "deals", folder / "tables" / "deals")
    with pytest.raises(UsageError, match="is no table of this lake"):
        crmlab.Lake(folder).open()


def test_an_older_copy_of_a_table_is_missed(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "tables" / "deals", tmp_path / "copy")
    refreshed(folder, came({"deals": deals({"1": "c"})}, day(2)), day(2))
    shutil.rmtree(folder / "tables" / "deals")
    shutil.copytree(tmp_path / "copy", folder / "tables" / "deals")
    with pytest.raises(CrmlabError, match="tables/deals"):
        crmlab.Lake(folder).open()


def test_a_copy_of_a_lake_is_a_lake(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "copy")
    refreshed(tmp_path / "copy", came({"deals": deals({"1": "c"})}, day(2)), day(2))
    assert names(crmlab.Lake(tmp_path / "copy").scan("deals")) == {"1": "c", "2": "b"}
    assert names(crmlab.Lake(folder).scan("deals")) == {"1": "a", "2": "b"}


def test_a_lake_of_a_newer_crmlab_is_refused(folder: Path) -> None:
    states.commit(Place(folder, None), lambda state: replace(state, format=99))
    with pytest.raises(UsageError, match="was written by a newer crmlab: use that one"):
        crmlab.Lake(folder).open()


def test_an_address_with_a_key_is_refused() -> None:
    with pytest.raises(UsageError, match="holds no user or password"):
        crmlab.Lake("s3://key:secret@bucket/lake")
    with pytest.raises(UsageError, match="storage_options are text"):
        crmlab.Lake("s3://bucket/lake", storage_options={"AWS_REGION": 1})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        DeltaError("Generic LocalFileSystem error: No space left on device (os error 28)"),
        pl.exceptions.ComputeError("No space left on device (os error 28): /somewhere"),
    ],
)
def test_a_full_disk_is_said_in_one_line(tmp_path: Path, error: Exception) -> None:
    with (
        pytest.raises(
            CrmlabError,
            match=r"deals could not be used \(No space left on device\); what the lake held is",
        ),
        Place(tmp_path, None).in_words("deals"),
    ):
        raise error


def test_in_a_bucket_all_is_as_in_a_folder(bucket: str) -> None:
    place = f"{bucket}/lake"
    refreshed(place, came({"deals": deals({"1": "a", "2": "b"})}, day(1), whole=True), day(1))
    refreshed(place, came({"deals": deals({"1": "c"})}, day(2)), day(2))
    lake = crmlab.Lake(place)
    assert names(lake.scan("deals")) == {"1": "c", "2": "b"}
    assert names(lake.as_of(day(1)).deals) == {"1": "a", "2": "b"}
    lake.compact()
    lake.vacuum()
    assert "In s3://lakes/lake." in lake.open()._overview().text().replace("\n", " ")


def test_no_message_shows_the_keys_of_a_store(bucket: str) -> None:
    with pytest.raises(CrmlabError) as raised:
        crmlab.Lake("s3://nowhere/lake").open()
    assert "secret" not in str(raised.value)
    assert "\x1b" not in str(raised.value)
    options = {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_SECRET_ACCESS_KEY": "hidden",
        "max_retries": "0",
    }
    lake = crmlab.Lake(f"{bucket}/lake", storage_options=options)
    assert "hidden" not in repr(lake)
    with pytest.raises(CrmlabError) as raised:
        lake.open()
    assert "hidden" not in str(raised.value)
