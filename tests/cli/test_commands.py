"""Commands in this process: what they print, and the code with which they end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from aiohttp import web

import crmlab
from crmlab.cli.main import main
from crmlab.providers import registry
from tests.conftest import Serve

CONTACT = {"id": "1", "full_name": "Ann Smith", "dt_modified": "2026-01-01T00:00:00Z"}


@pytest.fixture
def _log_as_before() -> Iterator[None]:
    log = logging.getLogger("crmlab")
    handlers, level = log.handlers[:], log.level
    yield
    log.handlers[:] = handlers
    log.setLevel(level)


@pytest.mark.parametrize("name", registry())
def test_every_operation_is_a_line_with_its_arguments_and_what_it_does(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["operations", name]) == 0

    lines = capsys.readouterr().out.splitlines()
    operations = registry()[name].operations()
    assert [line.partition("(")[0] for line in lines] == [each.name for each in operations]
    for line, operation in zip(lines, operations, strict=True):
        assert ("writes" in line.partition(")")[2]) is operation.writes
        assert all(f"{each.name}*" in line for each in operation.arguments() if each.required)


def test_operations_are_found_by_a_part_of_their_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["operations", "onepagecrm", "--contains", "get_deal"]) == 0

    found = capsys.readouterr().out.splitlines()
    assert "get_deal(deal_id*, include_history)" in found
    assert all("get_deal" in line for line in found)


@pytest.mark.parametrize(
    ("command", "name", "number"),
    [
        ("sandbox", "port", "99999"),
        ("sandbox", "port", "-1"),
        ("sandbox", "latency", "-1"),
        ("sandbox", "latency", "nan"),
        ("sandbox", "latency", "inf"),
        ("sandbox", "days-ago", "1000000"),
        ("sandbox", "days-ago", "9" * 20),
        ("sandbox", "rows", "-1"),
        ("sandbox", "rows", "9" * 20),
        ("demo", "days-ago", "9" * 20),
        ("cluster", "port", "99999"),
        ("cluster", "port", "-1"),
        ("cluster", "workers", "0"),
        ("cluster", "accounts", "9" * 20),
    ],
)
def test_a_number_that_cannot_be_meant_is_refused_in_one_line(
    command: str, name: str, number: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [] if command == "cluster" else ["--rows", "5"]

    assert main([command, *rows, f"--{name}", number]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert number in line


@pytest.mark.usefixtures("_log_as_before")
async def test_what_came_is_kept_and_what_failed_is_said_with_a_code_of_its_own(
    serve: Serve,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def answer(request: web.Request) -> web.Response:
        if "activity" in request.path:
            return web.json_response({"status": False, "code": 404}, status=404)
        is_first = "contact" in request.path and request.query.get("page") == "1"
        rows = [CONTACT] if is_first else []
        return web.json_response({"status": True, "code": 200, "data": rows})

    account = crmlab.Account("relenta", base_url=await serve(answer), api_key="planted-key")
    monkeypatch.setattr(crmlab, "Account", lambda name: account)
    out = tmp_path / "out"

    command = ["-v", "fetch", "relenta", "--tables", "contacts", "activities", "--out", str(out)]
    code = await asyncio.to_thread(main, command)

    said = capsys.readouterr().err
    assert code == 1, said
    assert "FAILED" in said
    assert "HTTP 404" in said
    assert "Not complete: see the notes above." in said
    assert "GET /contact.list.json" in said
    assert "planted-key" not in said
    assert (out / "contacts.parquet").exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["deals.parquet", "deals.csv", "summary.csv", "rejected.csv"])
def test_an_answer_takes_the_place_of_no_file_of_the_fetch(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    own = pl.DataFrame({"id": ["1", "2"], "status": ["won", "lost"]})
    deals = crmlab.table("deals", own, provider="s")
    crmlab.collect(deals=deals, as_of="2026-01-31").export(tmp_path, "parquet")
    monkeypatch.chdir(tmp_path)
    answer = ["query", str(tmp_path), "select count(*) as deals from deals", "--out"]

    assert main([*answer, name]) == 2
    assert f"--out {name} is a file of the fetch" in capsys.readouterr().err
    assert main([*answer, "counts.csv"]) == 0
    assert crmlab.open(tmp_path, lazy=False).deals.height == 2
