"""A lake that a scheduler refreshes: one line of JSON, a report, conditions, and a code that says what to do."""

from __future__ import annotations

import asyncio
import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

import crmlab
from crmlab.catalogue import CATALOGUE
from crmlab.cli import conditions
from crmlab.cli.main import main
from crmlab.errors import UsageError
from tests.conftest import Serve
from tests.lake.world import came, day, deals, ids, refreshed, rows

TABLES = ("contacts", "deals", "activities", "consent_events", "stages", "subscriptions")
SERVICES = ["onepagecrm", "complero"]
CONTACT = {"id": "1", "full_name": "Ann Smith", "dt_modified": "2026-01-01T00:00:00Z"}


@pytest.fixture
async def served(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    """Serve two services, and let the command find their accounts."""
    async with crmlab.sandbox(rows=40, services=SERVICES) as accounts:
        by_name = {account.name: account for account in accounts}
        monkeypatch.setattr(crmlab, "Account", lambda name: by_name[name])
        yield accounts


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return str(tmp_path / "lake")


@pytest.fixture
def kept(folder: str) -> Iterator[str]:
    """Return a lake of three days: a deal was changed, one is new, and one was deleted."""
    refreshed(
        folder, came({"deals": deals({"1": "a", "2": "b", "3": "c"})}, day(1), whole=True), day(1)
    )
    refreshed(folder, came({"deals": deals({"2": "B", "4": "d"})}, day(2)), day(2))
    refreshed(folder, came({"deals": deals({})}, day(3)), day(3), ids("deals", {"1", "2", "4"}))
    return folder


async def ran(*command: str) -> int:
    """Run a command beside the server that it asks."""
    return await asyncio.to_thread(main, list(command))


def line_of(capsys: pytest.CaptureFixture[str]) -> tuple[dict[str, Any], str]:
    """Return the one line of JSON on stdout, and what stands on stderr."""
    shown = capsys.readouterr()
    assert shown.out.count("\n") == 1
    return json.loads(shown.out), shown.err


@pytest.mark.usefixtures("served")
async def test_a_refresh_by_a_scheduler_says_in_one_line_what_it_did_and_the_next_needs_no_names(
    folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "monday.html"
    first = await ran("refresh", folder, *SERVICES, "--tables", *TABLES, "--json")
    line, said = line_of(capsys)
    again = await ran("refresh", folder, "--json", "--report", str(report), "--sweep-after", "7d")
    after, _ = line_of(capsys)

    assert (first, again) == (0, 0), said
    assert line["complete"]
    assert line["code"] == 0
    assert line["tables"]["deals"]["added"] > 0
    assert line["failures"] == []
    assert line["requests"] >= after["requests"] > 0
    assert all(sum(counts.values()) == 0 for counts in after["tables"].values())
    assert "deals" in set(after["tables"]) <= set(line["tables"])
    assert after["report"] == str(report)
    assert "plotly-graph-div" in report.read_text(encoding="utf-8")
    assert after["at"] > line["at"]


@pytest.mark.usefixtures("served")
async def test_conditions_are_decided_by_the_numbers_that_the_report_shows(
    folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await ran("refresh", folder, *SERVICES, "--tables", *TABLES)
    height = crmlab.analysis.win_rate(crmlab.Lake(folder).open().collect(), by="owner_name").height
    capsys.readouterr()

    rings = await ran(
        "refresh",
        folder,
        "--json",
        "--fail-if",
        f"win_rate == {height}",
        "--fail-if",
        "win_rate.won>100000",
    )
    line, said = line_of(capsys)
    quiet = await ran("refresh", folder, "--fail-if", f"win_rate > {height}")

    assert rings == 3
    assert line["conditions"] == [
        {"condition": f"win_rate == {height}", "true": True, "rows": height},
        {"condition": "win_rate.won>100000", "true": False, "rows": 0},
    ]
    assert f"True: win_rate == {height}" in said
    assert quiet == 0


@pytest.mark.usefixtures("served")
async def test_a_condition_that_the_lake_cannot_decide_is_no_all_clear(
    folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = await ran(
        "refresh",
        folder,
        "onepagecrm",
        "--tables",
        "deals",
        "--fail-if",
        "mailed_but_objected > 0",
        "--json",
    )

    line, said = line_of(capsys)
    assert code == line["code"] == 2
    assert line["complete"]
    (why,) = line["undecided"]
    assert "which were not fetched" in why
    assert why in said


@pytest.mark.usefixtures("served")
async def test_what_is_compared_with_is_the_lake_of_before(
    folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ("--tables", "deals", "--earlier", "0h", "--json", "--fail-if", "waterfall > 0")
    first = await ran("refresh", folder, "onepagecrm", *command)
    line, said = line_of(capsys)
    again = await ran("refresh", folder, *command)
    after, _ = line_of(capsys)

    assert first == 2
    assert "Nothing to compare with" in said
    assert "earlier fetch" in line["undecided"][0]
    assert again == 3
    assert after["conditions"][0]["true"]


@pytest.mark.fast
async def test_a_list_that_fell_behind_leaves_nothing_to_compare_and_the_report_is_made_without(
    folder: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    serve: Serve,
) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response({"status": False, "code": 500}, status=404)

    refreshed(folder, came({"contacts": rows("contacts", {"1": {}})}, day(1), whole=True), day(1))
    relenta(monkeypatch, await serve(answer))
    report = tmp_path / "monday.html"

    command = ("refresh", folder, "relenta", "--tables", "contacts", "--earlier", "1h", "--json")
    code = await ran(*command, "--report", str(report))

    line, said = line_of(capsys)
    assert code == line["code"] == 1
    assert "is known up to 2026-11-02 00:00 UTC only" in said
    assert report.exists()


async def test_an_account_with_a_name_of_its_own_is_asked_by_that_name(
    kept: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = []

    def account(provider: str, *, name: str) -> Any:
        asked.append((provider, name))
        raise UsageError("nobody is asked here")

    monkeypatch.setattr(crmlab, "Account", account)

    assert await ran("refresh", kept, "--json") == 2

    assert asked == [("onepagecrm", "sales")]
    assert "nobody is asked here" in line_of(capsys)[0]["error"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("file/out.html", "cannot be written"), ("out.pdf", "a report is an HTML file")],
)
def test_a_report_that_cannot_be_written_is_refused_before_anything_is_asked(
    folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, reason: str
) -> None:
    (tmp_path / "file").write_text("")

    code = main(["refresh", folder, "onepagecrm", "--report", str(tmp_path / name), "--json"])

    line, _ = line_of(capsys)
    assert code == line["code"] == 2
    assert reason in line["error"]
    assert not Path(folder).exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mailed_but_objekted > 0", "did you mean 'mailed_but_objected'"),
        ("__import__('os').system('true') > 0", "is no condition"),
        ("win_rate > __import__", "is no condition"),
        ("win_rate > 1e999", "is no condition"),
        ("win_rate > \N{FULLWIDTH DIGIT NINE}", "is no condition"),
        ("win_rate > 1 or True", "is no condition"),
        ("win_rate\n> 1; win_rate > 1", "is no condition"),
        ("", "is no condition"),
        ("win_rate." + "a" * 100_000 + " > 1", "is no condition"),
        ("win_rate.owner_name > 1", "there is won, lost, win_rate"),
        ("mailed_but_objected.person_id == 1", "there is none"),
        ("coverage < 3", "needs a quota"),
        ("waterfall > 0", "give --earlier"),
    ],
)
def test_a_wrong_condition_is_refused_before_anything_is_asked_and_never_run(
    text: str, said: str, folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["refresh", folder, "onepagecrm", "--json", "--fail-if", text])

    line, shown = line_of(capsys)
    assert code == line["code"] == 2
    assert said in line["error"]
    assert said in shown
    assert not Path(folder).exists()


@pytest.mark.parametrize(
    ("sign", "height"), [("<", 1), ("<=", 2), ("==", 1), ("!=", 1), (">=", 1), (">", 0)]
)
def test_a_column_is_compared_in_every_row_and_what_has_no_value_makes_nothing_true(
    sign: str, height: int
) -> None:
    frame = {
        "id": list("abcd"),
        "status": ["won", "lost", "lost", "pending"],
        "owner_name": ["A", "A", "B", "C"],
    }
    data = crmlab.collect(
        deals=crmlab.table("deals", pl.DataFrame(frame), provider="salesforce"), as_of="2026-01-31"
    )

    found = conditions.condition(f"win_rate.win_rate {sign} 0.5").decide(data)

    assert (found.rows, found.is_true) == (height, height > 0)


@pytest.mark.fast
@pytest.mark.parametrize(
    ("command", "said"),
    [
        ((), "name the services"),
        (("onepagecm",), "did you mean 'onepagecrm'"),
        (("onepagecrm", "--time-zone", "Europe/Berlim"), "Europe/Berlim"),
        (("onepagecrm", "--earlier", "yesterday"), "--earlier"),
        (("onepagecrm", "--earlier", "xd"), "--earlier"),
        (("onepagecrm", "--quota", "much"), "is no amount"),
    ],
)
def test_what_is_asked_wrongly_is_one_line_on_both_sides(
    *,
    command: tuple[str, ...],
    said: str,
    folder: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)

    code = main(["refresh", folder, *command, "--json"])

    line, shown = line_of(capsys)
    assert code == line["code"] == 2
    assert said in line["error"]
    assert shown.startswith("crmlab: ")
    assert shown.count("\n") == 1
    assert not line["complete"]


def relenta(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    """Let the command find an account there."""
    account = crmlab.Account("relenta", base_url=address, api_key="planted-key")
    monkeypatch.setattr(crmlab, "Account", lambda name: account)


@pytest.mark.parametrize(("status", "code"), [(401, 4), (404, 1)])
async def test_a_refused_key_and_a_list_that_failed_have_codes_of_their_own(
    *,
    status: int,
    code: int,
    serve: Serve,
    folder: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def answer(request: web.Request) -> web.Response:
        if "activity" in request.path:
            return web.json_response({"status": False, "code": status}, status=status)
        is_first = "contact" in request.path and request.query.get("page") == "1"
        return web.json_response(
            {"status": True, "code": 200, "data": [CONTACT] if is_first else []}
        )

    relenta(monkeypatch, await serve(answer))

    ended = await ran("refresh", folder, "relenta", "--tables", "contacts", "activities", "--json")

    line, said = line_of(capsys)
    assert ended == line["code"] == code
    assert not line["complete"]
    assert len(line["failures"]) >= 1
    assert f"HTTP {status}" in line["failures"][0]
    assert f"FAILED {line['failures'][0]}" in said
    assert "planted-key" not in said + json.dumps(line)


_TERMINATED = """
import asyncio, sys
import crmlab
from crmlab.cli.main import main
account = crmlab.Account("relenta", base_url=sys.argv[1], api_key="planted-key")
crmlab.Account = lambda name: account
sys.exit(main(["refresh", sys.argv[2], "relenta", "--tables", "contacts", "--json"]))
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM that a process hears")
async def test_a_scheduler_that_ends_a_refresh_gets_a_lake_that_is_whole_and_a_line(
    serve: Serve, folder: str
) -> None:
    asked = asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        page = int(request.query.get("page", 1))
        if page == 3:
            asked.set()
            await asyncio.sleep(60)
        row = {**CONTACT, "id": str(page)}
        return web.json_response({"status": True, "code": 200, "data": [row]})

    command = [sys.executable, "-c", _TERMINATED, await serve(answer), folder]
    process = await asyncio.create_subprocess_exec(
        *command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    await asyncio.wait_for(asked.wait(), 60)
    process.send_signal(signal.SIGTERM)
    out, said = await asyncio.wait_for(process.communicate(), 60)

    line = json.loads(out)
    assert process.returncode == line["code"] == 1, said
    assert not line["complete"]
    assert (
        line["tables"]["contacts"]["added"] == crmlab.Lake(folder).open().contacts.collect().height
    )
    assert not crmlab.Lake(folder).status()["complete"].any()


def test_a_lake_tells_what_it_holds_and_what_changed(
    kept: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["lake", "status", kept]) == 0
    assert "onepagecrm" in capsys.readouterr().out

    assert main(["lake", "changes", kept, "--since", "2026-11-02"]) == 0
    assert capsys.readouterr().out.split()[-4:] == ["deals", "1", "1", "1"]

    assert main(["lake", "changes", kept, "--since", "2026-11-02", "--table", "deals"]) == 0
    shown = capsys.readouterr().out
    assert [word for word in ("added", "changed", "deleted") if word not in shown] == []

    assert main(["lake", "changes", kept, "--since", "2026-11-04", "--table", "deals"]) == 0
    assert "Nothing changed in deals" in capsys.readouterr().out

    assert main(["lake", "changes", kept, "--since", "2026-11-02", "--table", "deal"]) == 2
    assert "'deal' is not in the lake; there is deals" in capsys.readouterr().err


def test_a_lake_is_looked_after(kept: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = crmlab.Lake(kept).open().deals.collect()

    assert main(["lake", "compact", kept]) == 0
    assert "files_before" in capsys.readouterr().out
    assert main(["lake", "vacuum", kept, "--keep", "0h"]) == 0
    assert "versions" in capsys.readouterr().out
    assert main(["lake", "vacuum", kept, "--keep", "soon"]) == 2
    assert "keep is a number of hours" in capsys.readouterr().err

    assert crmlab.Lake(kept).open().deals.collect().sort("id").equals(before.sort("id"))


@pytest.mark.usefixtures("served")
async def test_a_sweep_asks_whom_the_lake_knows(
    folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await ran("refresh", folder, "onepagecrm", "--tables", "deals")
    capsys.readouterr()

    assert await ran("lake", "sweep", folder) == 0

    shown = capsys.readouterr().out
    assert "0 added, 0 changed, 0 deleted; complete" in shown


@pytest.mark.usefixtures("served")
async def test_a_sweep_by_a_cluster_needs_one(
    folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("distributed")
    await ran("refresh", folder, "onepagecrm", "--tables", "deals")
    capsys.readouterr()

    assert await ran("lake", "sweep", folder, "--cluster", "tcp://127.0.0.1:1") == 2

    assert "no scheduler answers at tcp://127.0.0.1:1" in capsys.readouterr().err


@pytest.mark.fast
def test_a_person_is_taken_out_with_yes_alone(
    folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    contacts = rows(
        "contacts", {"1": {"emails": ["ann@example.com"]}, "2": {"emails": ["bob@example.com"]}}
    )
    refreshed(folder, came({"contacts": contacts}, day(1), whole=True), day(1))

    assert main(["lake", "erase", folder, "ann@example.com"]) == 0
    assert "Nothing was changed" in capsys.readouterr().out
    assert crmlab.Lake(folder).open().contacts.collect().height == 2
    assert main(["lake", "erase", folder, "ann@example.com", "--yes"]) == 0
    assert crmlab.Lake(folder).open().contacts.collect()["id"].to_list() == ["2"]


def test_what_is_no_lake_is_said_to_be_none(
    folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["lake", "status", folder]) == 2
    assert capsys.readouterr().err.startswith(f"crmlab: there is no lake in {folder}")


def test_conditions_need_a_known_question() -> None:
    with pytest.raises(UsageError, match="unknown question"):
        conditions.condition("nothing > 0")


@given(st.one_of(st.text(), st.from_regex(r"[a-z_.]{1,12} ?[<>=!]{1,2} ?[-0-9.e_]{1,8}")))
def test_any_text_is_a_condition_or_refused_in_words(text: str) -> None:
    try:
        found = conditions.condition(text)
    except UsageError:
        return
    assert found.question in CATALOGUE
    assert math.isfinite(found.number)
