"""`crmlab.fetch_to`: what `fetch` returns, in files that grow; whole or not at all."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from aiohttp import web
from polars.testing import assert_frame_equal

import crmlab
from crmlab.errors import ApiError, AuthError, NotFoundError, PlanError
from crmlab.fetching import parquet_store
from crmlab.fetching.parquet_store import PART_ROWS, Store
from crmlab.results.fetched import Stored
from crmlab.sandbox.faults import Fault
from crmlab.sandbox.world.generate import generate
from crmlab.sandbox.world.model import NOW, World
from crmlab.schema.tables import TABLES

Serve = Callable[[Any], Awaitable[str]]
FAST = crmlab.Limits(concurrency=10)
ONE = ["onepagecrm"]
OWN = tuple(f"onepagecrm.{name}" for name in ("contacts", "pipelines", "bootstrap", "notes"))
USERS = TABLES["users"]


@pytest.fixture(scope="module")
def world() -> World:
    return generate(260, seed=3, now=NOW)


def names(folder: Path) -> set[str]:
    """Everything in a folder, parts and half files included."""
    return {path.name for path in folder.rglob("*")}


def users(*rows: tuple[str, int | None, str]) -> pl.DataFrame:
    """Users: id, the hour of the last change, name."""
    found = [
        {
            "provider": "p",
            "account": "a",
            "id": id,
            "modified_at": None if at is None else hour(at),
            "name": name,
        }
        for id, at, name in rows
    ]
    return pl.DataFrame(found, schema=USERS.schema)


def hour(number: int) -> dt.datetime:
    return dt.datetime(2026, 1, 1, number, tzinfo=dt.UTC)


def kept(
    folder: Path,
    *frames: tuple[str, pl.DataFrame],
    table: str = "users",
    part_rows: int = PART_ROWS,
) -> tuple[list[Any], dict[str, int]]:
    """Names in the file made of these frames, each from its source, and the rows of each source."""
    with Store(folder, part_rows=part_rows) as growing:
        for source, frame in frames:
            growing.put(table, source, frame, pl.col("id"))
        growing.close()
        heights = {source: growing.heights(source)[table] for source, _ in frames}
        growing.publish()
        [path] = growing.paths.values()
        assert growing.rows == {table: sum(heights.values())}
    assert names(folder) == {f"{table}.parquet"}
    return pl.read_parquet(path)["name"].to_list(), heights


# ---- what a fetch returns -----------------------------------------------------------------------


@pytest.mark.parametrize("tables", [(), OWN, ("deals", "contacts", "consent_events", *OWN)])
async def test_the_files_hold_what_a_fetch_returns(
    world: World, tmp_path: Path, tables: tuple[str, ...]
) -> None:
    async with crmlab.sandbox(world, services=[*ONE, "relenta"]) as running:
        keys = running.keys["onepagecrm"]
        other = crmlab.Account(
            "onepagecrm", name="other", base_url=running.account("onepagecrm").base_url, **keys
        )
        data = await crmlab.fetch([*running, other], *tables, limits=FAST)
        stored = await crmlab.fetch_to(tmp_path, [*running, other], *tables, limits=FAST)

    assert list(stored) == list(data)
    for name, frame in data.items():
        assert isinstance(stored[name], pl.LazyFrame)
        brought = stored[name].collect()
        assert brought.schema == frame.schema
        now = pl.selectors.matches("^timestamp$")  # of the answer, by the service's clock
        assert_frame_equal(brought.drop(now), frame.drop(now), check_row_order=False)
    assert_frame_equal(stored.summary.drop("seconds"), data.summary.drop("seconds"))
    assert stored.complete
    assert names(tmp_path) == {"crmlab.json", *(f"{name}.parquet" for name in (*data, "summary"))}
    assert repr(stored) == repr(data).replace("Fetched", "Stored")
    assert "Complete" in stored._repr_html_()


async def test_the_paths_are_those_of_the_files(world: World, tmp_path: Path) -> None:
    async with crmlab.sandbox(world, services=ONE) as crm:
        stored = await crmlab.fetch_to(
            tmp_path / "new" / "folder", crm, "users", "onepagecrm.notes", limits=FAST
        )

    assert isinstance(stored, Stored)
    assert list(stored.paths) == ["users", "onepagecrm.notes", "summary"]
    assert all(path.parent == tmp_path / "new" / "folder" for path in stored.paths.values())
    assert_frame_equal(pl.read_parquet(stored.paths["users"]), stored.users.collect())
    assert_frame_equal(pl.read_parquet(stored.paths["summary"]), stored.summary)


async def test_an_empty_table_has_a_file_with_its_columns(tmp_path: Path) -> None:
    async with crmlab.sandbox(World(), services=ONE) as crm:
        stored = await crmlab.fetch_to(tmp_path, crm, *TABLES, "onepagecrm.notes", limits=FAST)

    assert stored.complete
    for name, table in TABLES.items():
        assert pl.read_parquet_schema(stored.paths[name]).keys() == table.schema.keys()
        assert stored[name].collect().schema == table.schema
    assert "modified_at" in stored["onepagecrm.notes"].collect_schema()


async def test_rejected_records_are_a_file_of_their_own(serve: Serve, tmp_path: Path) -> None:
    async def answer(request: web.Request) -> web.Response:
        rows = [{"user": {"id": "1"}}, {"user": 5}]
        return web.json_response({"status": 0, "data": rows})

    account = crmlab.Account("onepagecrm", base_url=await serve(answer), user_id="me", api_key="k")
    stored = await crmlab.fetch_to(tmp_path, account, "users", limits=FAST)

    assert not stored.complete
    assert_frame_equal(pl.read_parquet(stored.paths["rejected"]), stored.rejected)
    assert stored.rejected.height == 1
    assert stored.users.collect()["id"].to_list() == ["1"]
    assert stored.summary["rows"].to_list() == [1]


async def test_misfits_are_a_file_of_their_own_and_all_are_counted(
    serve: Serve, tmp_path: Path
) -> None:
    async def answer(request: web.Request) -> web.Response:
        deals = [
            {"deal": {"id": str(number), "amount": "n/a", "stage": 1.5}} for number in range(1_200)
        ]
        found = {"/deals": {"deals": deals, "total_count": 1_200, "max_page": 1}}
        return web.json_response({"status": 0, "data": found.get(request.path, {"pipelines": []})})

    account = crmlab.Account("onepagecrm", base_url=await serve(answer), user_id="me", api_key="k")
    stored = await crmlab.fetch_to(tmp_path, account, "deals", limits=FAST)

    assert not stored.complete
    assert stored.rejected.is_empty()
    assert stored.deals.collect().height == 1_200
    assert_frame_equal(pl.read_parquet(stored.paths["misfits"]), stored.misfits)
    assert dict(stored.misfits["field"].value_counts().iter_rows()) == {
        "amount": 1_000,
        "stage": 1_000,
    }
    assert stored.summary["misfits"].to_list() == [2_400]
    assert "lacks ids or amounts (2,400 values not read)" in str(stored._overview().text())


async def test_rejected_records_of_an_earlier_fetch_do_not_stay(tmp_path: Path) -> None:
    for name in ("rejected.parquet", "rejected.csv", "misfits.parquet", "misfits.csv"):
        (tmp_path / name).write_bytes(b"old")

    async with crmlab.sandbox(World(), services=ONE) as crm:
        stored = await crmlab.fetch_to(tmp_path, crm, "users", limits=FAST)
        fetched = await crmlab.fetch(crm, "users", limits=FAST)
    fetched.export(tmp_path, "csv")

    assert "rejected" not in stored.paths
    assert names(tmp_path) == {
        "users.parquet",
        "summary.parquet",
        "users.csv",
        "summary.csv",
        "crmlab.json",
    }


async def test_accounts_may_have_different_own_fields(tmp_path: Path) -> None:
    first = pl.DataFrame({"provider": "p", "account": "a", "id": ["1", None], "name": ["x", "y"]})
    second = pl.DataFrame(
        {"provider": "p", "account": "b", "id": ["1"], "name": ["z"], "more": [5]}
    )

    found, heights = kept(tmp_path, ("a", first), ("b", second), table="p.own")

    assert found == ["x", "y", "z"]
    assert heights == {"a": 2, "b": 1}
    assert pl.read_parquet(tmp_path / "p.own.parquet")["more"].to_list() == [None, None, 5]


# ---- repeats ------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", [1, 2, 100_000])
def test_of_repeated_rows_the_newest_is_kept(tmp_path: Path, part: int) -> None:
    found, heights = kept(
        tmp_path,
        ("a", users(("1", 3, "newest"), ("2", None, "without time"))),
        ("b", users(("1", 9, "of another source"))),
        ("a", users(("1", 1, "old"), ("2", 0, "with time"), ("3", 5, "first of equals"))),
        ("a", users(("3", 5, "last of equals"), ("4", None, "alone"))),
        part_rows=part,
    )

    assert found == ["newest", "of another source", "with time", "last of equals", "alone"]
    assert heights == {"a": 4, "b": 1}


def test_of_own_records_the_last_is_kept_and_all_without_a_key(tmp_path: Path) -> None:
    rows = [
        {"provider": "p", "account": "a", "id": id, "name": name}
        for id, name in (("1", "a"), (None, "b"))
    ]
    again = [
        {"provider": "p", "account": "a", "id": id, "name": name}
        for id, name in (("1", "c"), (None, "b"))
    ]

    found, _ = kept(tmp_path, ("s", pl.DataFrame(rows)), ("s", pl.DataFrame(again)), table="p.own")

    assert found == ["b", "c", "b"]


# ---- what fails ---------------------------------------------------------------------------------


async def older(folder: Path, world: World) -> dict[str, bytes]:
    """The files of an earlier fetch."""
    async with crmlab.sandbox(world, services=ONE) as crm:
        stored = await crmlab.fetch_to(folder, crm, "users", "deals", limits=FAST)
    return {
        path.name: path.read_bytes() for path in (*stored.paths.values(), folder / "crmlab.json")
    }


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("on_error", ["collect", "raise"])
async def test_a_fetch_that_brings_nothing_keeps_the_older_files(
    world: World, tmp_path: Path, on_error: Any
) -> None:
    before = await older(tmp_path, world)
    async with crmlab.sandbox(world, services=ONE) as crm:
        keys = {**crm.keys["onepagecrm"], "api_key": "expired"}
        account = crmlab.Account("onepagecrm", base_url=crm[0].base_url, **keys)
        with pytest.raises(AuthError, match="HTTP 401"):
            await crmlab.fetch_to(
                tmp_path, account, "users", "deals", limits=FAST, on_error=on_error
            )

    assert files(tmp_path) == before


async def test_on_request_the_first_failure_leaves_the_older_files_and_no_parts(
    world: World, tmp_path: Path
) -> None:
    before = await older(tmp_path, world)
    fault = Fault(kind="status", status=404, match="/deals", times=99, skip=1)
    async with crmlab.sandbox(world, services=ONE, faults=[fault]) as crm:
        with pytest.raises(NotFoundError, match="deals: HTTP 404"):
            await crmlab.fetch_to(tmp_path, crm, "users", "deals", limits=FAST, on_error="raise")

    assert files(tmp_path) == before


async def test_what_came_beside_a_failure_is_written(world: World, tmp_path: Path) -> None:
    fault = Fault(kind="status", status=400, match="/deals", times=99)
    async with crmlab.sandbox(world, services=ONE, faults=[fault]) as crm:
        stored = await crmlab.fetch_to(tmp_path, crm, "users", "deals", limits=FAST)

    assert [type(failure) for failure in stored.failures] == [ApiError]
    assert stored.users.collect().height == len(world.users)
    assert stored.deals.collect().is_empty()
    assert not stored.complete


@pytest.mark.parametrize("wait", [0.0, 0.05, 0.15, 0.3])
async def test_a_cancelled_fetch_leaves_the_older_files_and_no_parts(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wait: float
) -> None:
    before = await older(tmp_path, world)
    monkeypatch.setattr("crmlab.fetching.decode_queue.BATCH", 10_000)
    monkeypatch.setattr(parquet_store, "PART_ROWS", 10)
    fault = Fault(kind="slow", match="/companies", seconds=60)
    async with crmlab.sandbox(world, services=ONE, faults=[fault]) as crm:
        fetching = asyncio.create_task(crmlab.fetch_to(tmp_path, crm, limits=FAST))
        await asyncio.sleep(wait)
        fetching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await fetching
    await asyncio.sleep(0.05)  # threads that were decoding

    assert files(tmp_path) == before


def test_what_threads_still_bring_after_the_end_is_dropped(tmp_path: Path) -> None:
    def bring(growing: Store, table: str) -> None:
        for number in range(60):
            growing.put(table, "a", users((str(number), number % 24, "late")), pl.col("id"))

    with ThreadPoolExecutor(4) as threads:
        with Store(tmp_path, part_rows=1) as growing:
            bringing = [threads.submit(bring, growing, f"own.{n % 3}") for n in range(12)]
            bringing[0].result()
            closing = threads.submit(growing.close)
        for each in (*bringing, closing):
            each.result()

    assert not names(tmp_path)


def test_files_that_cannot_all_be_written_replace_none(tmp_path: Path) -> None:
    (tmp_path / "users.parquet").write_bytes(b"older")

    with contextlib.suppress(pl.exceptions.PolarsError), Store(tmp_path) as growing:
        growing.put("users", "a", users(("1", 1, "new")), pl.col("id"))
        growing.put(
            "own", "a", pl.DataFrame({"provider": "p", "account": "a", "id": [1]}), pl.col("id")
        )
        growing.put(
            "own", "b", pl.DataFrame({"provider": "p", "account": "a", "id": ["1"]}), pl.col("id")
        )
        growing.close()
        growing.publish()

    assert files(tmp_path) == {"users.parquet": b"older"}


async def test_reading_what_changes_by_being_read_is_refused(tmp_path: Path) -> None:
    async with crmlab.sandbox(rows=20, services=["complero"]) as running:
        with pytest.raises(PlanError, match="gives each record only once"):
            await crmlab.fetch_to(tmp_path / "new", running, "complero.latest_events", limits=FAST)

    assert not running.requests
    assert not (tmp_path / "new").exists()
