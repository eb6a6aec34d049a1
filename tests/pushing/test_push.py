"""Rows are written once each, what became of them is told, and what is not known is not tried again."""

from __future__ import annotations

import asyncio
import json
import stat
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest
from aiohttp import web

import crmlab
from crmlab.errors import AuthError, Stopped, TransportError, UnknownOutcomeError, UsageError
from crmlab.sandbox.faults import Fault
from tests.conftest import Serve

SAVE = "/contact.save.json"


def people(number: int) -> pl.DataFrame:
    names = [f"person{each}" for each in range(number)]
    return pl.DataFrame(
        {"first_name": names, "emails": [[f"{name}@example.com"] for name in names]}
    )


def states(pushed: crmlab.Pushed) -> list[str]:
    return pushed.frame["state"].to_list()


def saved(accounts: Any) -> int:
    return int(accounts.requests["relenta", SAVE])


async def emails(account: crmlab.Account) -> list[str]:
    data = await crmlab.fetch(account, "contacts", progress=False)
    return [
        email for email in data.contacts["emails"].explode() if email and email.startswith("person")
    ]


async def test_a_change_keeps_all_that_it_does_not_name() -> None:
    async with crmlab.sandbox(rows=60, services=["relenta"]) as (account,):
        before = (await crmlab.fetch(account, "relenta.contacts"))["relenta.contacts"]
        contacts = (await crmlab.fetch(account, "contacts")).contacts
        phones = pl.concat_list(pl.col("phones").fill_null([]), pl.lit("+49 1"))
        after = contacts.with_columns(do_not_contact=pl.lit(value=True), phones=phones)
        pushed = await crmlab.push(account, "contacts", crmlab.updates(contacts, after))
        data = await crmlab.fetch(account, "relenta.contacts", "contacts")

    assert pushed.complete
    assert data.contacts["do_not_contact"].all()
    assert data.contacts["phones"].list.last().to_list() == ["+49 1"] * data.contacts.height
    kept = [
        name for name in before.columns if name not in ("dt_modified", "phone", "do_not_mass_email")
    ]
    # what was null comes back as empty text, which means the same
    blank = pl.col(pl.String).exclude("id").fill_null("")
    now = data["relenta.contacts"]
    assert (
        now.select(kept)
        .with_columns(blank)
        .sort("id")
        .equals(before.select(kept).with_columns(blank).sort("id"))
    )
    # phones that stay keep their labels
    assert any("(Work)" in phone for phone in now["phone"])


@pytest.mark.fast
async def test_an_upload_is_followed_to_its_end_and_errors_come_back_as_rows() -> None:
    frame = pl.DataFrame(
        {
            "id": ["N-1", "N-2", "N-3"],
            "first_name": ["A", "B", "C"],
            "last_name": ["X", None, "Z"],
            "section_work": [{"email": "a@example.com"}, {"email": ""}, {"email": "nowhere"}],
        }
    )
    async with crmlab.sandbox(rows=20, services=["complero"]) as (account,):
        pushed = await crmlab.push(account, "contacts", frame)
        there = await crmlab.call(account, "get_contact", id="N-1")

    assert states(pushed) == ["sent", "refused", "refused"]
    assert "last_name is missing" in pushed.frame["reason"][1]
    assert pushed.frame["reason"][2] == "section_work.email v1c001"
    assert pushed.frame["pending"].null_count() == 3
    assert there["section_work"] == {"email": "a@example.com"}


async def test_two_thousand_contacts_need_three_uploads() -> None:
    ids = [f"N-{number}" for number in range(2001)]
    frame = pl.DataFrame({"id": ids}).with_columns(first_name=pl.lit("A"), last_name=pl.lit("B"))
    async with crmlab.sandbox(rows=20, services=["complero"]) as accounts:
        plan = await crmlab.push(accounts[0], "contacts", frame, dry_run=True)
        pushed = await crmlab.push(accounts[0], "contacts", frame)

    assert plan.requests == accounts.requests["complero", "/contacts"] == 3
    assert plan.exact
    assert pushed.counts == {"sent": 2001}


async def test_work_that_goes_on_is_asked_for_by_the_next_push(tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": ["N-1"], "first_name": ["A"], "last_name": ["B"]})
    file = tmp_path / "results.jsonl"
    stop = asyncio.Event()

    def stop_once_sent(progress: crmlab.Progress) -> None:
        stop.set()

    async with crmlab.sandbox(rows=20, services=["complero"]) as accounts:
        first = await crmlab.push(
            accounts[0], "contacts", frame, results=file, progress=stop_once_sent, stop=stop
        )
        second = await crmlab.push(accounts[0], "contacts", frame, results=file)

    assert not first.complete
    assert first.frame["pending"][0] is not None
    assert second.complete
    assert accounts.requests["complero", "/contacts"] == 1


@pytest.mark.parametrize(
    ("fault", "state", "requests"),
    [
        (Fault(kind="status", match=SAVE, status=500), "unknown", 1),
        (Fault(kind="truncate", match=SAVE), "unknown", 1),
        (Fault(kind="reset", match=SAVE), "unknown", 1),
        (Fault(kind="status", match=SAVE, status=400), "refused", 1),
        (Fault(kind="status", match=SAVE, status=403), "refused", 1),
        (Fault(kind="status", match=SAVE, status=429, retry_after="0"), "created", 2),
    ],
)
async def test_what_an_answer_says_is_the_state_of_its_row(
    fault: Fault, state: str, requests: int
) -> None:
    async with crmlab.sandbox(rows=5, services=["relenta"], faults=[fault]) as accounts:
        pushed = await crmlab.push(accounts[0], "contacts", people(1))

    assert states(pushed) == [state]
    assert saved(accounts) == requests


async def test_a_second_push_sends_only_what_was_refused_or_not_sent(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    faults = [
        Fault(kind="status", match=SAVE, status=400, skip=1),
        Fault(kind="truncate", match=SAVE, skip=2),
    ]
    async with crmlab.sandbox(rows=5, services=["relenta"], faults=faults) as accounts:
        account = accounts[0]
        first = await crmlab.push(
            account, "contacts", people(6), results=file, limits=crmlab.Limits(concurrency=1)
        )
        assert states(first).count("created") == 4
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        before = saved(accounts)
        second = await crmlab.push(account, "contacts", people(6), results=file)
        assert (states(second).count("created"), states(second).count("unknown")) == (5, 1)
        assert saved(accounts) == before + 1
        third = await crmlab.push(account, "contacts", people(6), results=file)
        assert saved(accounts) == before + 1
        assert states(third) == states(second)
        last = await crmlab.push(account, "contacts", people(6), results=file, retry_unknown=True)
        there = await emails(account)

    assert last.complete
    # the cut off answer was that of a contact that is there: whoever tries again has it twice
    assert len(there) == 7
    assert pl.read_ndjson(file)["state"].to_list() == ["created"] * 6


async def test_corrected_rows_are_sent_and_others_must_be_the_same(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    wrong = people(3).with_columns(
        emails=pl.Series([["a@example.com"], ["b;c@example.com"], ["d@example.com"]])
    )
    async with crmlab.sandbox(rows=5, services=["relenta"]) as accounts:
        account = accounts[0]
        first = await crmlab.push(account, "contacts", wrong, results=file)
        right = wrong.with_columns(
            emails=pl.col("emails").list.eval(pl.element().str.replace("b;", ""))
        )
        second = await crmlab.push(account, "contacts", right, results=file)
        with pytest.raises(UsageError, match="row 0 is not the one"):
            await crmlab.push(account, "contacts", right.reverse(), results=file)
        with pytest.raises(UsageError, match="more rows than the frame"):
            await crmlab.push(account, "contacts", right.head(2), results=file)

    assert states(first) == ["created", "refused", "created"]
    assert states(second) == ["created"] * 3
    assert saved(accounts) == 3


async def test_three_unknown_outcomes_end_a_push_and_the_rest_is_not_sent() -> None:
    faults = [Fault(kind="status", match=SAVE, status=502, times=99)]
    async with crmlab.sandbox(rows=5, services=["relenta"], faults=faults) as (account,):
        pushed = await crmlab.push(
            account, "contacts", people(20), limits=crmlab.Limits(concurrency=1)
        )

    assert pushed.counts == {"not_sent": 17, "unknown": 3}
    assert isinstance(pushed.failure, UnknownOutcomeError)


async def test_a_refused_key_or_a_host_that_is_not_there_sends_nothing(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    async with crmlab.sandbox(rows=5, services=["relenta"]) as accounts:
        strange = crmlab.Account(
            "relenta", base_url=accounts[0].base_url, account_name="x", api_key="k" * 20, facts={}
        )
        with pytest.raises(AuthError):
            await crmlab.push(strange, "contacts", people(3), results=file)
    nobody = crmlab.Account(
        "relenta", base_url="http://127.0.0.1:9", account_name="x", api_key="k" * 20, facts={}
    )
    with pytest.raises(TransportError, match="cannot reach"):
        await crmlab.push(nobody, "contacts", people(3))

    assert pl.read_ndjson(file)["state"].to_list() == ["not_sent"] * 3


async def test_stop_waits_for_what_is_on_its_way_and_sends_no_more() -> None:
    stop = asyncio.Event()
    told: list[crmlab.Progress] = []

    def listener(news: crmlab.Progress) -> None:
        told.append(news)
        if news.rows >= 2:
            stop.set()

    async with crmlab.sandbox(rows=5, services=["relenta"], latency=0.05) as accounts:
        pushed = await crmlab.push(
            accounts[0], "contacts", people(40), stop=stop, progress=listener
        )

    assert isinstance(pushed.failure, Stopped)
    assert set(states(pushed)) == {"created", "not_sent"}
    assert states(pushed).count("created") == saved(accounts)
    assert told[-1].state == "stopped"
    assert {news.known_requests for news in told} == {40}


async def test_half_a_line_is_cut_off_and_a_file_in_use_or_of_another_kind_is_refused(
    tmp_path: Path,
) -> None:
    file = tmp_path / "results.jsonl"
    async with crmlab.sandbox(rows=5, services=["relenta", "complero"], latency=0.2) as accounts:
        relenta = accounts.account("relenta")
        first = asyncio.create_task(crmlab.push(relenta, "contacts", people(1), results=file))
        await asyncio.sleep(0.1)
        with pytest.raises(UsageError, match="used by another run"):
            await crmlab.push(relenta, "contacts", people(1), results=file)
        await first
        file.write_text(file.read_text() + file.read_text()[:-20])
        again = await crmlab.push(relenta, "contacts", people(2), results=file)
        frame = pl.DataFrame({"id": ["1"], "first_name": ["A"], "last_name": ["B"]})
        with pytest.raises(UsageError, match="results of relenta account 'relenta' at"):
            await crmlab.push(accounts.account("complero"), "contacts", frame, results=file)

    assert states(again) == ["created", "created"]
    assert [json.loads(line)["row"] for line in file.read_text().splitlines()] == [0, 1]


def whole_line(**other: Any) -> str:
    whose = {
        "provider": "relenta",
        "account": "relenta",
        "host": "127.0.0.1:9",
        "table": "contacts",
    }
    return json.dumps({**whose, "row": 0, "digest": "0" * 16, "state": "created", **other})


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("a line\n", "holds no results"),
        ("the only line of a note, without an end", "holds no results"),
        ('{"provider": "a file of somebody else"', "holds no results"),
        ("[1]\n", "holds no results"),
        (whole_line(state="craeted") + "\n", "holds no results"),
        (whole_line(row="0") + "\n", "holds no results"),
        (whole_line(row=-1) + "\n", "holds no results"),
        (whole_line(sent_at="yesterday") + "\n", "holds no results"),
        # tried on the sandbox, and meant for the service
        (whole_line(host="127.0.0.1:8") + "\n", "at 127.0.0.1:8, contacts"),
        # an editor left out the end of the line: it is no half one, and the row is done
        (whole_line(), "row 0 is not the one"),
        (None, "Is a directory"),
    ],
)
async def test_a_file_that_is_none_of_this_push_is_refused_and_stays_as_it_is(
    content: str | None, told: str, tmp_path: Path
) -> None:
    account = crmlab.Account(
        "relenta", base_url="http://127.0.0.1:9", account_name="x", api_key="k" * 20, facts={}
    )
    file = tmp_path / "other"
    if content is None:
        file.mkdir()
    else:
        file.write_text(content)

    with pytest.raises(UsageError, match=told):
        await crmlab.push(account, "contacts", people(1), results=file, dry_run=True)
    with pytest.raises(UsageError, match=told):
        await crmlab.push(account, "contacts", people(1), results=file)

    assert content is None or file.read_text().rstrip() == content.rstrip()


@pytest.mark.parametrize(
    ("provider", "table", "frame", "options", "told"),
    [
        (
            "relenta",
            "contacts",
            {"id": ["1"], "city": ["Bonn"]},
            {},
            "Relenta does not take city of contacts",
        ),
        ("relenta", "contacts", {"id": ["1"]}, {}, "nothing to write"),
        (
            "relenta",
            "deals",
            {"id": ["1"]},
            {},
            "deals cannot be pushed to Relenta: only contacts can",
        ),
        ("commanders_act", "contacts", {"id": ["1"]}, {}, "nothing can"),
        (
            "relenta",
            "contacts",
            {"id": ["1", "1"], "first_name": ["A", "B"]},
            {},
            "1 ids stand in several rows",
        ),
        (
            "relenta",
            "contacts",
            {"provider": ["complero"], "first_name": ["A"]},
            {},
            r'filter\(provider="relenta"\)',
        ),
        ("relenta", "contacts", {"account": ["other"], "first_name": ["A"]}, {}, "rows of other"),
        (
            "relenta",
            "contacts",
            {"first_name": ["A"]},
            {"db_id": 1},
            "db_id: Relenta takes no option",
        ),
        (
            "relenta",
            "contacts",
            {"first_name": ["A"]},
            {"retry_unknown": "no"},
            "retry_unknown is True or False",
        ),
        (
            "relenta",
            "contacts",
            {"first_name": ["A"]},
            {"results": 5},
            "results is the path of a file",
        ),
        ("altcraft", "contacts", {"first_name": ["A"]}, {}, "db_id is missing"),
        (
            "relenta",
            "contacts",
            {"first_name": ["A"], "changed": ["first_name"]},
            {},
            "list of text",
        ),
        (
            "relenta",
            "contacts",
            {"first_name": ["A"], "changed": [["name"]]},
            {},
            "changed names name, and there is no",
        ),
        ("relenta", "contacts", {"id": ["1", " "], "first_name": ["A", "B"]}, {}, "blank id"),
        ("relenta", "contacts", {"id": [1.5], "first_name": ["A"]}, {}, "not whole"),
        (
            "relenta",
            "contacts",
            {"id": [["1"]], "first_name": ["A"]},
            {},
            r"id is List\(String\), and text",
        ),
        # each letter would be an address
        (
            "relenta",
            "contacts",
            {"emails": ["a@example.com"]},
            {},
            r"emails is String, and List\(String\)",
        ),
        ("relenta", "contacts", {"first_name": [3.0]}, {}, "first_name is Float64, and String"),
        ("relenta", "contacts", {"custom": [[{"k": "a"}]]}, {}, "custom is List"),
    ],
)
async def test_what_cannot_be_meant_is_refused_before_anything_is_sent(  # the columns of a table
    provider: str, table: str, frame: dict[str, Any], options: dict[str, Any], told: str
) -> None:
    keys = {"relenta": {"account_name": "x", "api_key": "k" * 20}, "altcraft": {"token": "k" * 20}}
    keys["commanders_act"] = {"site_id": "7", "token": "k" * 20}
    account = crmlab.Account(provider, base_url="http://127.0.0.1:9", facts={}, **keys[provider])

    with pytest.raises(UsageError, match=told):
        await crmlab.push(account, table, pl.DataFrame(frame), **options)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"first_name": None}, "nothing to write"),
        ({"first_name": "B", "changed": []}, "nothing to write"),
        ({"tags": ["a", None]}, "a value in the list tags is null"),
        (
            {"custom": [{"key": "id", "value": "7"}]},
            "id of custom is a field of the service itself",
        ),
        ({"custom": [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}]}, "a has two values"),
        ({"comment": float("nan")}, "comment is nan"),
        ({"comment": b"x"}, "cannot be sent"),
    ],
)
async def test_a_row_that_no_service_could_take_as_it_is_meant_is_refused(
    row: dict[str, Any], reason: str
) -> None:
    account = crmlab.Account(
        "relenta", base_url="http://127.0.0.1:9", account_name="x", api_key="k" * 20, facts={}
    )
    good = (
        {"first_name": "A", "changed": ["first_name"]} if "changed" in row else {"first_name": "A"}
    )

    plan = await crmlab.push(account, "contacts", pl.DataFrame([good, row]), dry_run=True)

    assert plan.rows["becomes"].to_list() == ["create", "refused"]
    assert reason in plan.rows["reason"][1]


async def test_ids_that_pandas_made_floats_of_are_whole_numbers_again() -> None:
    account = crmlab.Account(
        "relenta", base_url="http://127.0.0.1:9", account_name="x", api_key="k" * 20, facts={}
    )
    frame = pd.DataFrame({"id": [7, None], "first_name": ["A", "B"]})

    plan = await crmlab.push(account, "contacts", frame, dry_run=True)

    assert plan.rows["id"].to_list() == ["7", None]


async def test_a_plan_sends_nothing_makes_no_file_and_shows_the_first_request(
    tmp_path: Path,
) -> None:
    async with crmlab.sandbox(rows=5, services=["relenta"]) as accounts:
        plan = await crmlab.push(
            accounts[0], "contacts", people(3), dry_run=True, results=tmp_path / "none"
        )

    assert plan.requests == 3
    assert plan.rows["becomes"].to_list() == ["create"] * 3
    assert plan.first is not None
    assert plan.first.body == {"first_name": "person0", "emails": "person0@example.com"}
    assert not accounts.requests
    assert not (tmp_path / "none").exists()


async def test_records_with_fields_that_nobody_documented_are_not_sent_whole(serve: Serve) -> None:
    async def answer(request: web.Request) -> web.Response:
        found: list[dict[str, Any]] = []
        if "contact.list" in request.path and request.query["page"] == "1":
            found = [{"id": "1", "first_name": "A", "strange": "kept"}]
        return web.json_response({"status": True, "code": 200, "data": found})

    account = crmlab.Account(
        "relenta", base_url=await serve(answer), account_name="x", api_key="k" * 20, facts={}
    )

    with pytest.raises(crmlab.errors.PlanError, match="strange"):
        await crmlab.push(account, "contacts", pl.DataFrame({"id": ["1"], "first_name": ["B"]}))


@pytest.mark.skipif(sys.platform == "win32", reason="has no such limit")
async def test_a_full_disk_ends_a_push_before_a_row_is_sent_that_no_file_tells_of(
    tmp_path: Path,
) -> None:
    import resource  # not on Windows
    import signal

    file = tmp_path / "results.jsonl"
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    async with crmlab.sandbox(rows=5, services=["relenta"]) as accounts:
        kept = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (3_000, usual[1]))
        try:
            with pytest.raises(crmlab.errors.CrmlabError, match="could not be written"):
                await crmlab.push(accounts[0], "contacts", people(20), results=file)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, usual)
            signal.signal(signal.SIGXFSZ, kept)
        sent = saved(accounts)
        again = await crmlab.push(accounts[0], "contacts", people(20), results=file)

    assert 0 < sent < 20
    assert saved(accounts) == 20
    assert set(states(again)) == {"created", "unknown"}


async def test_what_a_service_says_of_a_row_holds_no_secret_and_no_page_of_text(
    serve: Serve, tmp_path: Path
) -> None:
    key = "k" * 20
    file = tmp_path / "results.jsonl"

    async def answer(request: web.Request) -> web.Response:
        if request.method == "POST":
            return web.json_response(
                {"message": "taken"}, status=202, headers={"Operation-Id": "O-1"}
            )
        errors = {"1": f"not with {key}", "2": "x" * 9_000}
        return web.json_response({"status": "done", "validation_errors": errors})

    account = crmlab.Account("complero", base_url=await serve(answer), api_key=key, facts={})
    frame = pl.DataFrame({"id": ["1", "2"], "first_name": ["A", "B"], "last_name": ["C", "D"]})
    pushed = await crmlab.push(account, "contacts", frame, results=file)

    assert states(pushed) == ["refused", "refused"]
    assert pushed.frame["reason"][0] == "not with ••••"
    assert pushed.frame["reason"].str.len_chars().max() == 501
    assert key not in file.read_text()


@pytest.mark.parametrize("provider", ["onepagecrm", "relenta", "complero", "altcraft"])
async def test_a_success_that_a_gateway_says_is_none(provider: str, serve: Serve) -> None:
    async def answer(request: web.Request) -> web.Response:
        success = {"relenta": {"status": True}, "altcraft": {"error": 0}}.get(provider, {})
        return web.json_response({"message": "Endpoint request timed out", **success})

    keys = {
        "onepagecrm": {"user_id": "u" * 8, "api_key": "k" * 20},
        "relenta": {"account_name": "sandbox", "api_key": "k" * 20},
        "complero": {"api_key": "k" * 20},
        "altcraft": {"token": "k" * 20},
    }[provider]
    account = crmlab.Account(provider, base_url=await serve(answer), facts={}, **keys)
    columns = {"first_name": ["A"] * 5, "last_name": ["B"] * 5}
    if provider in ("complero", "altcraft"):
        columns["id"] = [f"N-{number}" for number in range(5)]
    options = {"db_id": 1} if provider == "altcraft" else {}
    pushed = await crmlab.push(
        account, "contacts", pl.DataFrame(columns), limits=crmlab.Limits(), **options
    )

    assert set(states(pushed)) <= {"unknown", "not_sent"}
    assert "unknown" in states(pushed)
    assert not pushed.complete
    assert "the answer names no" in pushed.frame["reason"][0]


async def test_work_that_the_service_knows_nothing_of_any_more_is_sent_again(
    serve: Serve, tmp_path: Path
) -> None:
    uploads = 0

    async def answer(request: web.Request) -> web.Response:
        nonlocal uploads
        if request.method == "POST":
            uploads += 1
            return web.json_response(
                {"message": "taken"}, status=202, headers={"Operation-Id": f"O-{uploads}"}
            )
        if request.path.endswith("O-1"):
            return web.json_response({"message": "not found"}, status=404)
        return web.json_response({"status": "done", "items": [{"id": "1"}]})

    account = crmlab.Account("complero", base_url=await serve(answer), api_key="k" * 20, facts={})
    frame = pl.DataFrame({"id": ["1"], "first_name": ["A"], "last_name": ["B"]})
    first = await crmlab.push(account, "contacts", frame, results=tmp_path / "results")
    second = await crmlab.push(account, "contacts", frame, results=tmp_path / "results")

    assert states(first) == ["unknown"]
    assert "knows no O-1" in first.frame["reason"][0]
    assert states(second) == ["sent"]


@pytest.mark.parametrize(
    ("frame", "waits_at"),
    [
        # refused as too fast, with a long wait
        ({"first_name": ["A", "B"]}, "save"),
        # a list without end, which is read before
        ({"id": ["1", "2"], "first_name": ["A", "B"]}, "list"),
    ],
)
async def test_a_push_that_waits_ends_when_it_is_told_to_stop(
    frame: dict[str, Any], waits_at: str, serve: Serve
) -> None:
    stop = asyncio.Event()
    saves = 0

    async def answer(request: web.Request) -> web.Response:
        nonlocal saves
        if waits_at in request.path:
            asyncio.get_running_loop().call_later(0.1, stop.set)
        if "save" in request.path:
            saves += 1
            return web.Response(status=429, headers={"Retry-After": "60"})
        found = (
            [] if "field" in request.path else [{"id": request.query["page"], "first_name": "A"}]
        )
        return web.json_response({"status": True, "code": 200, "data": found})

    account = crmlab.Account(
        "relenta", base_url=await serve(answer), account_name="x", api_key="k" * 20, facts={}
    )
    async with asyncio.timeout(10):
        pushed = await crmlab.push(account, "contacts", pl.DataFrame(frame), stop=stop)

    assert states(pushed) == ["not_sent", "not_sent"]
    assert isinstance(pushed.failure, Stopped)
    assert saves == (2 if waits_at == "save" else 0)


@pytest.mark.parametrize("stop", [3, True, "now"])
async def test_what_is_no_event_does_not_stop(stop: Any, tmp_path: Path) -> None:
    account = crmlab.Account("relenta", base_url="http://127.0.0.1:9", api_key="k")

    for asked in (
        crmlab.push(
            account, "contacts", pl.DataFrame({"id": ["1"], "first_name": ["A"]}), stop=stop
        ),
        crmlab.fetch(account, "contacts", stop=stop),
        crmlab.fetch_to(tmp_path / "out", account, "contacts", stop=stop),
    ):
        with pytest.raises(
            UsageError, match=r"stop is an asyncio\.Event, which is set to stop, not of type"
        ):
            await asked
    assert not (tmp_path / "out").exists()
