"""Profiles by export: the same table as page by page, with the same judgement of whether that is all."""

from __future__ import annotations

import asyncio
import gzip
import tempfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from aiohttp import web
from polars.testing import assert_frame_equal

import crmlab
from crmlab.connector import Request
from crmlab.errors import PagingError, Stopped, TransportError
from crmlab.fetching import redact
from crmlab.providers.altcraft.export import following, pages_of
from crmlab.sandbox.world.generate import generate
from tests.conftest import Serve, described

FAST = crmlab.Limits(concurrency=10)
HURRY = crmlab.Timeouts(first_wait=0.001)
HEADER = "_id,email,phones,_fname,_lname,_city,_region,_country,_status,_xxh,_createtime,season"
TOKEN = "planted-token-0815"
DONE: dict[str, Any] = {"status": "completed", "progress": 100}


def by_export(url: str, *, first_wait: float = 0.001, **more: str) -> crmlab.Account:
    """Return an account whose exports are given up after three looks."""
    settings = {"token": TOKEN, **more}
    account = crmlab.Account(
        "altcraft", base_url=url, profiles_by="export", limits=FAST, **settings
    )
    follow = following(first_wait=first_wait, max_looks=3)
    return described(account, "profiles", follow=follow)


def line(number: int, **cells: str) -> str:
    named = {"_id": f"p{number}", "email": f"p{number}@moss.example", "_fname": "Ada", **cells}
    return ",".join(named.get(name, "") for name in HEADER.split(","))


def lines(count: int) -> str:
    return "\n".join([HEADER, *(line(number) for number in range(count))])


class Exporting:
    """A service of one database, whose states and file are given; it counts what it is asked for."""

    def __init__(
        self, states: list[dict[str, Any]], file: str | bytes, kind: str = "text/csv"
    ) -> None:
        self.states = states
        self.file = file.encode() if isinstance(file, str) else file
        self.kind = kind
        self.asked: list[str] = []
        self.keys: set[str | None] = set()

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        self.keys.add(request.headers.get("Authorization"))
        if request.method == "GET":
            return web.Response(body=self.file, content_type=self.kind)
        data: Any = {
            "/databases/list": [{"id": 7, "name": "a"}],
            "/profiles/get_all": {"task_id": 5},
        }.get(request.path)
        if request.path == "/tasks/status":
            data = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return web.json_response({"error": 0, "data": data})


def result(total: int | None, *urls: str, **more: Any) -> dict[str, Any]:
    return {
        **DONE,
        "result": {
            "errors": [],
            "source_id": 7,
            "type": "database",
            "total": total,
            "urls": urls,
            **more,
        },
    }


async def exported(serve: Serve, service: Exporting) -> crmlab.Fetched:
    account = by_export(await serve(service.answer), custom_fields="season")
    return await crmlab.fetch(account, "contacts", "altcraft.profiles", timeouts=HURRY)


FILE = "/api/download/data/u-1/7_database_export.csv"


@pytest.mark.slow
async def test_an_export_brings_the_table_that_pages_bring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    world = generate(300, seed=1)
    async with crmlab.sandbox(world, services=["altcraft"]) as accounts:
        paged = await crmlab.fetch(accounts, "contacts", "altcraft.profiles", limits=FAST)
        account = by_export(accounts[0].base_url, token="sandbox-altcraft-token")
        plan = await crmlab.plan(account, "contacts")
        started = accounts.requests["altcraft", "/v1.1/profiles/get_all"]
        data = await crmlab.fetch(
            account, "contacts", "altcraft.profiles", timeouts=crmlab.Timeouts(max_body=10_000)
        )
        stored = await crmlab.fetch_to(tmp_path / "data", account, "contacts")

    assert started == 0
    row = plan.resources.row(by_predicate=pl.col("resource") == "profiles", named=True)
    assert (row["requests"], row["exact"]) == (3 * len(world.mail_databases), False)
    assert "each state is asked for 120 times at most" in row["note"]
    assert data.complete, data.summary.rows()
    assert stored.complete
    assert_frame_equal(data.contacts.sort("id"), paged.contacts.sort("id"))
    own = paged["altcraft.profiles"].drop("subscriptions")
    assert_frame_equal(data["altcraft.profiles"].drop("subscriptions").sort("id"), own.sort("id"))
    assert stored.contacts.collect().height == paged.contacts.height
    assert not [*temporary.iterdir()]


async def test_an_export_is_replayed_from_its_spool_and_from_a_redacted_one(tmp_path: Path) -> None:
    async with crmlab.sandbox(rows=60, seed=3, services=["altcraft"]) as accounts:
        account = by_export(accounts[0].base_url, token="sandbox-altcraft-token")
        data = await crmlab.fetch(account, "contacts", spool=tmp_path / "spool")

    again = crmlab.replay(tmp_path / "spool")
    masked = crmlab.replay(redact(tmp_path / "spool"))

    assert data.complete
    assert_frame_equal(again.contacts, data.contacts, check_row_order=False)
    assert masked.contacts.shape == data.contacts.shape
    assert again.complete
    assert masked.complete, masked.summary["note"].to_list()
    assert not {*masked.contacts["full_name"].drop_nulls()} & {
        *data.contacts["full_name"].drop_nulls()
    }

    for path in (tmp_path / "spool").rglob("*.gz"):
        if b"database_export" in gzip.decompress(path.read_bytes())[:200]:
            path.unlink()
    with pytest.raises(Stopped, match=r"is not whole in .*: the fetch ended before it was read"):
        crmlab.replay(tmp_path / "spool")


async def test_the_state_is_asked_for_until_the_export_is_done_and_the_file_of_the_same_host_is_read(
    serve: Serve,
) -> None:
    running = {"status": "in_progress", "progress": 10, "result": None}
    service = Exporting([running, running, result(3, "https://elsewhere.example" + FILE)], lines(3))
    data = await exported(serve, service)

    assert data.complete, data.summary.rows()
    assert data.contacts["id"].to_list() == ["p0", "p1", "p2"]
    assert data["altcraft.profiles"]["db_id"].to_list() == ["7"] * 3
    assert service.asked == ["/databases/list", "/profiles/get_all", *["/tasks/status"] * 3, FILE]
    assert service.keys == {f"Bearer {TOKEN}"}
    assert TOKEN not in repr(data) + str(data.summary.rows())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("service", "rows", "told"),
    [
        (Exporting([result(5, FILE)], lines(3)), 3, "the service counts 5, 3 came"),
        (Exporting([result(None, FILE)], lines(3)), 3, ""),
        (Exporting([result(0)], ""), 0, ""),
        (Exporting([result(3, FILE, errors=["disk"])], lines(3)), 3, "errors in an export"),
        (
            Exporting([result(3, FILE)], lines(3).replace("_lname", "surname")),
            3,
            "no column for _lname",
        ),
        (Exporting([result(4, FILE)], lines(3) + "\np4,odd"), 3, "1 records rejected"),
        (Exporting([result(3, FILE)], lines(3).replace(",", ";")), 3, ""),
        (Exporting([{**result(3, FILE), "status": "success"}], "\ufeff" + lines(3)), 3, ""),
    ],
)
async def test_completeness_is_judged_as_for_every_list(
    serve: Serve, service: Exporting, rows: int, told: str
) -> None:
    data = await exported(serve, service)

    summary = data.summary.row(by_predicate=pl.col("table") == "contacts", named=True)
    assert data.contacts.height == rows
    assert told in summary["note"]
    assert data.complete is (told == ""), summary


@pytest.mark.slow
@pytest.mark.parametrize(
    ("service", "kind", "told"),
    [
        (Exporting([{"status": "failed", "progress": 3}], ""), PagingError, "ended as 'failed'"),
        (
            Exporting([{"status": "new", "progress": 3}], ""),
            PagingError,
            "was not done after 3 looks",
        ),
        (Exporting([result(3)], ""), PagingError, "names no file"),
        (
            Exporting([result(3, "/api/../../etc/passwd")], ""),
            PagingError,
            "at a path that is not valid",
        ),
        (Exporting([{**DONE, "result": "soon"}], ""), PagingError, "not as documented"),
        (
            Exporting([result(3, FILE)], "<html>Sign in</html>", "text/html"),
            TransportError,
            "no file of profiles",
        ),
        (
            Exporting([result(3, FILE)], b"_id,email\n\xff,a@b.example"),
            TransportError,
            "not in UTF-8",
        ),
        (
            Exporting([result(3, FILE)], '_id,email\n"p1"x,"'),
            TransportError,
            "cannot be read as CSV",
        ),
        (
            Exporting(
                [result(3, FILE)], '{"error": 404, "error_text": "gone"}', "application/json"
            ),
            crmlab.errors.NotFoundError,
            "gone",
        ),
    ],
)
async def test_an_export_that_cannot_be_read_is_a_typed_failure(
    serve: Serve,
    service: Exporting,
    kind: type[Exception],
    told: str,
) -> None:
    with pytest.raises(kind, match=told) as failed:
        await exported(serve, service)

    assert TOKEN not in str(failed.value)


@pytest.mark.slow
async def test_what_is_told_to_stop_waits_for_no_export(serve: Serve) -> None:
    service = Exporting([result(3, FILE)], lines(3))
    account = by_export(await serve(service.answer), first_wait=60, custom_fields="season")
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(0.2, stop.set)

    with pytest.raises(crmlab.errors.Stopped):
        await crmlab.fetch(account, "contacts", stop=stop)


async def test_a_fetch_that_is_gone_on_with_starts_no_second_export(
    serve: Serve, tmp_path: Path
) -> None:
    service = Exporting([result(3, FILE)], "<html>Sign in</html>")
    account = by_export(await serve(service.answer), custom_fields="season")
    with pytest.raises(TransportError):
        await crmlab.fetch(account, "contacts", timeouts=HURRY, spool=tmp_path)
    service.file = lines(3).encode()
    data = await crmlab.fetch(account, "contacts", timeouts=HURRY, spool=tmp_path)

    assert data.complete, data.summary.rows()
    assert data.contacts.height == 3
    assert service.asked.count("/profiles/get_all") == 1
    asked = len(service.asked)
    replayed = await asyncio.to_thread(crmlab.replay, tmp_path)
    assert_frame_equal(replayed.contacts, data.contacts)
    assert len(service.asked) == asked


def test_a_file_is_cut_into_pages_of_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "export"
    path.write_text(lines(2500) + '\np9,"two\nlines@x.example","+1 2;+3 4"', encoding="utf-8")
    pages = [page.read(dict[str, Any])["data"] for page in pages_of(str(path), Request(path=FILE))]

    assert [len(page) for page in pages] == [1000, 1000, 501]
    assert pages[2][-1] == ["p9", "two\nlines@x.example", "+1 2;+3 4"]
