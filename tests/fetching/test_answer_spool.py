"""Answers are kept before they are read: a second call asks only for what is missing, and nobody is let in."""

from __future__ import annotations

import asyncio
import datetime as dt
import gzip
import json
import stat
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from aiohttp import web
from polars.testing import assert_frame_equal

import crmlab
from crmlab.cli import main
from crmlab.connector import Page, Request
from crmlab.errors import CrmlabError, Stopped, UsageError
from crmlab.fetching import answer_file, answer_spool, redact
from crmlab.sandbox.faults import Fault
from crmlab.sandbox.server import Sandbox
from tests.conftest import Serve

FAST = crmlab.Limits(concurrency=4)
ONCE = crmlab.Timeouts(tries=1)
TIME = "2026-01-01T00:00:00Z"
KEY = "k3y-of-this-account-4711"


class Contacts:
    """Relenta's contacts in pages of 100, which nothing counts; `broken` pages answer 503."""

    def __init__(self, numbers: range, broken: int = 0) -> None:
        self.numbers = numbers
        self.broken = broken
        self.asked: Counter[int] = Counter()

    async def __call__(self, request: web.Request) -> web.Response:
        if "custom_field" in request.path:
            return web.json_response({"status": True, "code": 200, "data": []})
        page = int(request.query.get("page", "1"))
        self.asked[page] += 1
        if page == self.broken:
            return web.Response(status=503)
        rows = [self.contact(number) for number in self.numbers]
        return web.json_response(
            {"status": True, "code": 200, "data": rows[(page - 1) * 100 : page * 100]}
        )

    def contact(self, number: int) -> dict[str, Any]:
        return {
            "id": str(number),
            "full_name": f"C {number}",
            "dt_created": TIME,
            "dt_modified": TIME,
        }


async def contacts(address: str, folder: Path, *, key: str = KEY, **more: Any) -> crmlab.Fetched:
    account = crmlab.Account("relenta", base_url=address, api_key=key)
    return await crmlab.fetch(account, "contacts", limits=FAST, timeouts=ONCE, spool=folder, **more)


def ids(data: crmlab.Fetched) -> set[int]:
    return {int(id) for id in data.contacts["id"]}


def everything(folder: Path) -> bytes:
    """All that is in a spool, unpacked, names included."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    unpacked = [
        gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        for path in files
    ]
    return b"\n".join([*unpacked, *(str(path).encode() for path in files)])


def answers(folder: Path) -> list[Path]:
    """The answers that are kept, and no failure."""
    found = [
        path
        for path in folder.rglob("*.gz")
        if b'"failed"' not in gzip.decompress(path.read_bytes())[:5000]
    ]
    return sorted(found)


def note(data: crmlab.Fetched) -> str:
    return "; ".join(data.summary["note"])


# ---- going on -----------------------------------------------------------------------------------


async def test_a_second_call_asks_for_what_is_missing_and_for_one_page_of_a_list_that_nothing_counts(
    serve: Serve, tmp_path: Path
) -> None:
    service = Contacts(range(550))
    address = await serve(service)
    await contacts(address, tmp_path / "whole")
    usual = service.asked.total()
    service.broken = 5
    first = await contacts(address, tmp_path / "spool")
    [of_contacts] = (tmp_path / "spool").glob("answers/*/contacts")
    kept = len(answers(of_contacts))
    service.broken = 0
    service.asked.clear()

    second = await contacts(address, tmp_path / "spool")

    assert not first.complete
    assert second.complete
    assert ids(second) == set(range(550))
    assert kept >= 4
    # the page is the last one of those that were looked up by then: rarely another one follows
    assert service.asked.total() - (usual - kept) in (1, 2)
    assert f"resumed from {tmp_path / 'spool'}: {kept} answers of 20" in note(second)
    assert second.fetched_at == first.fetched_at


async def test_of_a_list_that_is_counted_no_more_than_the_last_page_is_asked_twice(
    tmp_path: Path,
) -> None:
    broken = Fault(kind="status", status=503, match="notes?", skip=2, times=1)
    async with crmlab.sandbox(
        rows=700, seed=3, services=["onepagecrm"], faults=[broken]
    ) as accounts:
        await crmlab.fetch(accounts, "onepagecrm.notes", timeouts=ONCE, spool=tmp_path)
        kept = len(answers(tmp_path))
        accounts.requests.clear()

        data = await crmlab.fetch(accounts, "onepagecrm.notes", timeouts=ONCE, spool=tmp_path)
        sent = accounts.requests.total()
        whole = await crmlab.fetch(accounts, "onepagecrm.notes")

    assert_frame_equal(data["onepagecrm.notes"], whole["onepagecrm.notes"], check_row_order=False)
    assert kept >= 1
    # the page is the last one of those that were looked up by then: rarely another one follows
    assert sent - (accounts.requests.total() - sent - kept) <= 2


async def test_a_list_that_was_changed_meanwhile_is_asked_for_from_its_beginning(
    serve: Serve, tmp_path: Path
) -> None:
    service = Contacts(range(550), broken=5)
    address = await serve(service)
    await contacts(address, tmp_path)
    # contact 400 is now on page 4, which is kept with the contacts of before
    service.numbers = range(1, 550)
    service.broken = 0

    data = await contacts(address, tmp_path)

    assert ids(data) >= set(range(1, 550))
    # since the answers that are kept, or while it was read: which page is looked at first depends on what was kept
    assert "changed" in note(data)


async def test_one_record_less_and_one_more_do_not_hide_behind_the_same_count(
    serve: Serve, tmp_path: Path
) -> None:
    numbers = range(350)
    is_broken = True

    async def notes(request: web.Request) -> web.Response:
        page = int(request.query.get("page", "1"))
        if is_broken and page == 4:
            return web.Response(status=503)
        size = int(request.query["per_page"])
        rows = [{"note": {"id": f"n{number}", "text": "x"}} for number in numbers]
        found = {
            "notes": rows[(page - 1) * size : page * size],
            "total_count": 350,
            "page": page,
            "per_page": size,
        }
        return web.json_response(
            {"status": 0, "message": "OK", "data": found | {"max_page": -(-350 // size)}}
        )

    account = crmlab.Account("onepagecrm", base_url=await serve(notes), user_id="u", api_key=KEY)
    await crmlab.fetch(account, "onepagecrm.notes", limits=FAST, timeouts=ONCE, spool=tmp_path)
    is_broken = False
    numbers = range(1, 351)

    data = await crmlab.fetch(
        account, "onepagecrm.notes", limits=FAST, timeouts=ONCE, spool=tmp_path
    )

    assert {f"n{number}" for number in numbers} <= set(data["onepagecrm.notes"]["id"])
    assert "changed since" in note(data)


async def test_a_key_that_is_not_kept_does_not_make_a_page_another_one(
    serve: Serve, tmp_path: Path
) -> None:
    class WithKeys(Contacts):
        def contact(self, number: int) -> dict[str, Any]:
            return {**super().contact(number), "api_key": f"of contact {number}"}

    service = WithKeys(range(250), broken=3)
    address = await serve(service)
    await contacts(address, tmp_path)
    service.broken = 0

    assert "resumed from" in note(await contacts(address, tmp_path))


async def test_a_copied_folder_is_as_old_as_its_answers(serve: Serve, tmp_path: Path) -> None:
    address = await serve(Contacts(range(250), broken=3))
    await contacts(address, tmp_path)
    long_ago = dt.datetime.now(dt.UTC) - answer_spool.MAX_AGE
    for path in tmp_path.rglob("*.gz"):
        kept = answer_file.read(path)
        assert kept
        kept = answer_file.AnswerFile(
            about={**kept.about, "asked_at": long_ago.isoformat()}, body=kept.body
        )
        path.write_bytes(answer_file.packed(kept))
    about = json.loads((tmp_path / "spool.json").read_bytes())
    (tmp_path / "spool.json").write_text(json.dumps({**about, "as_of": long_ago.isoformat()}))

    assert "not of the last 12 hours" in note(await contacts(address, tmp_path))


async def test_a_cursor_that_is_not_known_any_more_makes_the_list_begin_anew(
    serve: Serve, tmp_path: Path
) -> None:
    names = {"": "first", "first": "second", "second": None}
    is_broken = True

    async def profiles(request: web.Request) -> web.Response:
        if "profiles" not in request.path:
            return web.json_response({"error": 0, "data": [{"id": 1, "name": "Customers"}]})
        cursor = (await request.json())["from_id"]
        if cursor == "second" and is_broken:
            return web.Response(status=503)
        if cursor not in names:
            return web.json_response({"error": 404, "error_text": "no such id"}, status=404)
        following = names[cursor]
        more = {"next_from_id": following} if following else {}
        return web.json_response({"error": 0, "data": [{"id": f"after {cursor}"}], **more})

    account = crmlab.Account(
        "altcraft", base_url=await serve(profiles), host="own.example", token=KEY
    )
    await crmlab.fetch(account, "altcraft.profiles", limits=FAST, timeouts=ONCE, spool=tmp_path)
    is_broken = False
    names = {"": "new first", "new first": "new second", "new second": None}

    data = await crmlab.fetch(
        account, "altcraft.profiles", limits=FAST, timeouts=ONCE, spool=tmp_path
    )

    assert {"after new first", "after new second"} <= set(data["altcraft.profiles"]["id"])
    assert not data.failures


async def test_after_a_run_that_came_to_its_end_everything_is_asked_again(
    serve: Serve, tmp_path: Path
) -> None:
    service = Contacts(range(50))
    address = await serve(service)
    await contacts(address, tmp_path)
    service.numbers = range(60)

    data = await contacts(address, tmp_path)

    assert ids(data) == set(range(60))
    assert "resumed" not in note(data)


def made_older(folder: Path, by: dt.timedelta) -> None:
    """Let all that a spool holds have been asked for so much earlier."""
    about = json.loads((folder / "spool.json").read_text(encoding="utf-8"))
    about["as_of"] = (dt.datetime.fromisoformat(about["as_of"]) - by).isoformat()
    (folder / "spool.json").write_text(json.dumps(about), encoding="utf-8")
    for path in folder.rglob("*.gz"):
        answer = answer_file.read(path)
        assert answer
        older = {**answer.about, "asked_at": (answer.asked_at - by).isoformat()}
        path.write_bytes(answer_file.packed(replace(answer, about=older)))


@pytest.mark.parametrize(("hours", "is_asked_again"), [(11, False), (13, True)])
async def test_answers_of_the_last_twelve_hours_are_gone_on_with(
    serve: Serve, tmp_path: Path, hours: int, is_asked_again: bool
) -> None:
    service = Contacts(range(250), broken=3)
    address = await serve(service)
    await contacts(address, tmp_path)
    made_older(tmp_path, dt.timedelta(hours=hours))
    asked_before = service.asked[1]

    data = await contacts(address, tmp_path)

    assert ("not of the last 12 hours" in note(data)) is is_asked_again
    assert (service.asked[1] > asked_before) is is_asked_again


async def test_answers_of_another_key_are_asked_again_and_told(
    serve: Serve, tmp_path: Path
) -> None:
    service = Contacts(range(250), broken=3)
    address = await serve(service)
    await contacts(address, tmp_path)

    other = await contacts(address, tmp_path, key="another key, as long")

    assert "came with another key" in note(other)


async def test_an_unfinished_run_of_another_question_is_not_lost(
    serve: Serve, tmp_path: Path
) -> None:
    address = await serve(Contacts(range(250), broken=3))
    await contacts(address, tmp_path)

    with pytest.raises(UsageError, match="unfinished fetch of another question"):
        await contacts(address, tmp_path, since="2026-01-01")


async def test_two_runs_at_once_do_not_share_a_spool(serve: Serve, tmp_path: Path) -> None:
    address = await serve(Contacts(range(10)))
    folder = tmp_path / "spool"

    async def while_it_runs(request: web.Request) -> web.Response:
        with pytest.raises(UsageError, match="used by another run"):
            await contacts(address, folder)
        return web.json_response({"status": True, "code": 200, "data": []})

    await contacts(await serve(while_it_runs), folder)


# ---- what is there ------------------------------------------------------------------------------


async def fetch_all(accounts: Sandbox, folder: Path) -> crmlab.Fetched:
    """Fetch every table and every list of all services."""
    tables = sorted({table for account in accounts for table in account.provider.tables})
    own = [
        f"{account.provider.name}.{resource.name}"
        for account in accounts
        for resource in account.provider.resources
        if not resource.destructive
    ]
    return await crmlab.fetch(accounts, *tables, *own, spool=folder)


async def test_a_replay_and_one_without_personal_values_bring_the_same(tmp_path: Path) -> None:
    async with crmlab.sandbox(rows=60, seed=3) as accounts:
        data = await fetch_all(accounts, tmp_path / "spool")
        keys = [
            accounts.keys[each.provider.name][field.name]
            for each in accounts
            for field in each.provider.fields
            if field.secret
        ]

    again = crmlab.replay(tmp_path / "spool")
    masked = crmlab.replay(redact(tmp_path / "spool"))

    assert again.asked == data.asked
    assert_frame_equal(again.summary, data.summary, check_row_order=False)
    for name, frame in data.items():
        assert_frame_equal(again[name], frame, check_row_order=False)
        assert (name, masked[name].shape) == (name, frame.shape)
    assert masked.complete, masked.summary.filter(~pl.col("complete"))["note"].to_list()
    assert masked.misfits.is_empty()

    kept = everything(tmp_path / "spool")
    sent = everything(tmp_path / "spool-redacted")
    personal = [
        *data.contacts["full_name"],
        *data.contacts["emails"].explode(),
        *data.contacts["id"],
    ]
    assert [text for text in personal if text and len(text) > 5 and text.encode() in sent] == []
    assert [key for key in keys if key.encode() in kept] == []


async def test_what_tells_of_a_person_is_in_no_copy_whatever_it_is_called(
    serve: Serve, tmp_path: Path
) -> None:
    told = {
        "type": "Freundin",
        "kind": "Ann",
        "geburtstag": "1980-05-17",
        "value": "1979-03-31",
        "tax": "1234567890123",
        "rule": "TEL=0301234567",
        "ann@key.example": 1,
    }

    class Telling(Contacts):
        def contact(self, number: int) -> dict[str, Any]:
            return super().contact(number) | (told if number == 7 else {})

    async def answers_of(request: web.Request) -> web.StreamResponse:
        if request.query.get("page") == "3":
            failed = {
                "status": False,
                "code": 403,
                "message": "no more of Ann Meierhofer, ann@x.example",
            }
            return web.json_response(failed, status=403)
        answer = await service(request)
        answer.headers["X-User-Id"] = "4711123"
        return answer

    service = Telling(range(250))
    address = await serve(answers_of)
    account = crmlab.Account(
        "relenta", name="ann@owner.example", base_url=f"{address}/tenants/meier-gmbh", api_key=KEY
    )
    await crmlab.fetch(account, "contacts", limits=FAST, timeouts=ONCE, spool=tmp_path / "spool")

    copy = redact(tmp_path / "spool", tmp_path / "copy")

    sent = everything(copy)
    values = [value for name, value in told.items() if isinstance(value, str)]
    planted = [*values, "key.example", "Meierhofer", "x.example", "owner", "meier-gmbh", "4711123"]
    assert [text for text in planted if text.encode() in sent] == []
    failure = str(crmlab.replay(copy).failures[0])
    assert "contacts: HTTP 403" in failure
    assert "no more of" in failure


async def test_what_is_kept_is_for_this_user_only_and_holds_no_key(
    serve: Serve, tmp_path: Path
) -> None:
    async def echoing(request: web.Request) -> web.Response:
        key = request.headers["X-Relenta-Department-Key"]
        contact = {
            "id": "1",
            "full_name": key,
            "dt_modified": TIME,
            "api_key": "of somebody else",
            "token": {"a": [1]},
        }
        rows = [contact] if request.query.get("page") == "1" and "contacts" in request.path else []
        headers = {"Set-Cookie": "session=abc", "X-Echo": key}
        return web.json_response({"status": True, "code": 200, "data": rows}, headers=headers)

    await contacts(await serve(echoing), tmp_path / "a" / "spool")

    kept = everything(tmp_path / "a")
    for secret in (KEY, "of somebody else", "session=abc"):
        assert secret.encode() not in kept
    modes = {
        stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "a").rglob("*") if path.is_file()
    }
    folders = {
        stat.S_IMODE(path.stat().st_mode)
        for path in [tmp_path / "a", *tmp_path.rglob("*")]
        if path.is_dir()
    }
    assert modes == {0o600}
    assert folders == {0o700}


async def test_a_replay_of_what_did_not_come_says_so(serve: Serve, tmp_path: Path) -> None:
    await contacts(await serve(Contacts(range(250), broken=3)), tmp_path)
    [
        each.unlink()
        for each in tmp_path.rglob("*.gz")
        if b'"failed"' in gzip.decompress(each.read_bytes())
    ]

    data = crmlab.replay(tmp_path)

    assert isinstance(data.failures[0], Stopped)
    assert data.contacts.height > 0


def test_a_folder_without_answers_is_no_spool(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"holds no spool\.json"):
        crmlab.replay(tmp_path)
    with pytest.raises(UsageError, match=r"holds no spool\.json"):
        redact(tmp_path)
    (tmp_path / "spool.json").write_text("{}")
    with pytest.raises(UsageError, match="not what crmlab wrote"):
        crmlab.replay(tmp_path)
    for wrong in (5, None, "", "a\0b", "x" * 300):
        with pytest.raises(UsageError):
            crmlab.replay(wrong)  # type: ignore[arg-type]
    (tmp_path / "spool.json").write_text('{"spool": 2}')
    with pytest.raises(UsageError, match="another version of crmlab"):
        crmlab.replay(tmp_path)


async def test_a_folder_of_somebody_elses_answers_is_left_alone(
    serve: Serve, tmp_path: Path
) -> None:
    survey = tmp_path / "answers" / "survey.csv"
    survey.parent.mkdir()
    survey.write_text("mine")

    with pytest.raises(UsageError, match="is not crmlab's"):
        await contacts(await serve(Contacts(range(10))), tmp_path)

    assert survey.read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("asked_accounts", [{}]),
        ("asked_accounts", 3),
        ("asked_again", [1]),
        ("told", []),
        ("finished", "no"),
    ],
)
async def test_a_spool_that_says_something_else_is_refused_in_words(
    serve: Serve, tmp_path: Path, name: str, value: object
) -> None:
    address = await serve(Contacts(range(10), broken=1))
    with suppress(CrmlabError):
        await contacts(address, tmp_path)
    about = json.loads((tmp_path / "spool.json").read_bytes())
    (tmp_path / "spool.json").write_text(json.dumps({**about, name: value}))

    for read in (crmlab.replay, redact):
        with pytest.raises(UsageError, match="not what crmlab wrote"):
            read(tmp_path)
    with pytest.raises(UsageError, match="not what crmlab wrote"):
        await contacts(address, tmp_path)


async def test_files_that_are_no_answers_are_asked_for_again_and_not_passed_on(
    serve: Serve, tmp_path: Path
) -> None:
    service = Contacts(range(350), broken=4)
    address = await serve(service)
    folder = tmp_path / "spool"
    await contacts(address, folder)
    kept = sorted(folder.glob("answers/*/contacts/*.gz"))
    heads: list[Any] = [[1], {}, {"failed": {}, "asked_at": TIME}]
    for path, head in zip(kept, heads, strict=False):
        path.write_bytes(gzip.compress(json.dumps(head).encode() + b"\n"))
    foreign = folder / "answers" / "mine" / "x"
    foreign.mkdir(parents=True)
    (foreign / "y.gz").write_bytes(kept[-1].read_bytes())
    (kept[0].parent / "of-mine.gz").write_bytes(kept[-1].read_bytes())
    service.broken = 0

    copy = redact(folder)
    half = crmlab.replay(folder)
    data = await contacts(address, folder)

    assert ids(data) == set(range(350))
    assert isinstance(half.failures[0], Stopped)
    assert "cannot be read" in str(half.failures[0])
    assert not list(copy.rglob("*mine*"))


async def test_an_answer_that_cannot_be_kept_ends_the_fetch_with_the_reason(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: bytes) -> None:
        raise CrmlabError(f"{path.name} could not be written (No space left on device)")

    address = await serve(Contacts(range(250)))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "contacts.csv").write_text("of before")
    account = crmlab.Account("relenta", base_url=address, api_key=KEY)
    write = answer_spool.write_private
    monkeypatch.setattr(
        answer_spool,
        "write_private",
        lambda path, content: (full if path.suffix == ".gz" else write)(path, content),
    )

    with pytest.raises(CrmlabError, match="No space left on device"):
        await crmlab.fetch_to(
            tmp_path / "out",
            account,
            "contacts",
            limits=FAST,
            timeouts=ONCE,
            spool=tmp_path / "spool",
        )

    assert [path.name for path in (tmp_path / "out").iterdir()] == ["contacts.csv"]


def test_a_file_that_is_cut_off_is_no_answer(tmp_path: Path) -> None:
    path = tmp_path / "answer.gz"
    page = Page(request=Request(path="/contacts"), status=200, headers={}, body=b"")
    about = answer_file.AnswerFile.of_page(page, body=b"", headers={}).about
    answer = answer_file.AnswerFile(about=about, body=b"x" * 1000)
    whole = answer_file.packed(answer)

    path.write_bytes(whole)
    assert answer_file.read(path) == answer
    for length in (0, 5, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        assert answer_file.read(path) is None


def test_a_plan_is_kept_too_and_the_command_writes_a_copy_to_be_sent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def planned() -> crmlab.Fetched:
        async with crmlab.sandbox(rows=30, services=["onepagecrm"]) as accounts:
            plan = await crmlab.plan(accounts, "deals")
            return await crmlab.fetch(plan, spool=tmp_path / "spool")

    data = asyncio.run(planned())
    code = main(["spool", "redact", str(tmp_path / "spool"), "--out", str(tmp_path / "copy")])
    again = main(["spool", "redact", str(tmp_path / "spool"), "--out", str(tmp_path / "copy")])

    assert (code, again) == (0, 2)
    assert "look into it before you send it" in capsys.readouterr().out
    assert_frame_equal(crmlab.replay(tmp_path / "spool").deals, data.deals, check_row_order=False)
    assert crmlab.replay(tmp_path / "copy").deals.height == data.deals.height
