"""What a service gives only once is on disk before it is read, and nothing of it is lost."""

from __future__ import annotations

import asyncio
import json
import stat
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

import crmlab
from crmlab.accounts import Account
from crmlab.errors import CrmlabError, PlanError, ServerError, TransportError, UsageError
from crmlab.fetching import spool as spool_module
from crmlab.fetching.spool import Spool
from tests.conftest import Serve

FAST = crmlab.Limits(concurrency=10)
LATEST = "complero.latest_events"


class Queue:
    """Complero's latest events: each call takes what it returns out of the list."""

    def __init__(self, *answers: list[str] | bytes | int) -> None:
        self.answers = [*answers]
        self.asked = 0

    async def __call__(self, request: web.Request) -> web.Response:
        self.asked += 1
        answer = self.answers.pop(0) if self.answers else []
        if isinstance(answer, int):
            return web.Response(status=answer, text="{}")
        if isinstance(answer, bytes):
            return web.Response(body=answer, content_type="application/json")
        events = [{"id": id, "type": "update", "contact": {"id": f"c{id}"}} for id in answer]
        return web.json_response(events)


async def account(serve: Serve, queue: Queue, **more: Any) -> Account:
    return crmlab.Account("complero", base_url=await serve(queue), api_key="key", **more)


async def latest(asked: Account | Iterable[Account], folder: Path, **more: Any) -> crmlab.Fetched:
    return await crmlab.fetch(
        asked, LATEST, limits=FAST, allow_destructive=True, spool=folder, **more
    )


def files(folder: Path) -> dict[str, list[Path]]:
    """The files of one spool by what they are."""
    found = sorted(path for path in folder.glob("complero-*/*") if path.is_file())
    read = [path for path in found if path.name.endswith(".read.json")]
    cut_off = [path for path in found if path.name.endswith(".part")]
    return {
        "read": read,
        "cut off": cut_off,
        "waiting": [path for path in found if path not in (*read, *cut_off)],
    }


@pytest.mark.slow
async def test_the_latest_events_are_asked_for_until_none_are_left(
    serve: Serve, tmp_path: Path
) -> None:
    queue = Queue(["1", "2"], ["3"], ["4"], [])

    data = await latest(await account(serve, queue), tmp_path)

    assert data.complete
    assert data[LATEST]["id"].to_list() == ["1", "2", "3", "4"]
    assert queue.asked == 4
    kept = files(tmp_path)
    assert [len(json.loads(path.read_bytes())) for path in kept["read"]] == [2, 1, 1, 0]
    assert kept["waiting"] == kept["cut off"] == []
    assert {stat.S_IMODE(path.stat().st_mode) for path in kept["read"]} == {0o600}


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"allow_destructive": True},
        {"spool": "here"},
        {"allow_destructive": "no", "spool": "here"},
        *({"allow_destructive": True, "spool": spool} for spool in ("", " ", 3, "a\0b")),
    ],
)
async def test_without_a_spool_and_a_word_nothing_is_sent(
    serve: Serve, given: dict[str, Any]
) -> None:
    queue = Queue(["1"])
    asked = await account(serve, queue)

    with pytest.raises(
        UsageError, match=r"latest_events .*write allow_destructive=True, spool='a folder'"
    ):
        await crmlab.fetch(asked, LATEST, limits=FAST, **given)
    with pytest.raises(
        UsageError, match=r"get_latest_events .*write allow_destructive=True, spool='a folder'"
    ):
        await crmlab.call(asked, "get_latest_events", **given)
    with pytest.raises(PlanError, match="so fetch_to does not read it"):
        await crmlab.fetch_to("nowhere", asked, LATEST)

    assert queue.asked == 0


async def test_an_answer_is_on_disk_before_it_is_parsed(serve: Serve, tmp_path: Path) -> None:
    queue = Queue(["1"], b'[{"id": "2", "type": "upd', ["3"])

    data = await latest(await account(serve, queue), tmp_path)

    assert [type(failure) for failure in data.failures] == [TransportError]
    assert data[LATEST]["id"].to_list() == ["1"]
    # what cannot be read waits as it came, and no further event was taken out
    [waiting] = files(tmp_path)["waiting"]
    assert waiting.read_bytes() == b'[{"id": "2", "type": "upd'
    assert queue.asked == 2


@pytest.mark.slow
async def test_what_an_earlier_run_did_not_read_comes_first(serve: Serve, tmp_path: Path) -> None:
    queue = Queue(["1"], ["2"], 500)
    asked = await account(serve, queue)

    with pytest.raises(ServerError):
        await latest(asked, tmp_path, on_error="raise")
    assert len(files(tmp_path)["waiting"]) == 2
    queue.answers += [["3"]]
    data = await latest(asked, tmp_path)

    assert data.complete
    assert data[LATEST]["id"].to_list() == ["1", "2", "3"]
    assert [row["requests"] for row in data.summary.to_dicts()] == [2]
    assert not files(tmp_path)["waiting"]
    again = await latest(asked, tmp_path)
    assert again[LATEST].is_empty()


@pytest.mark.slow
async def test_a_run_that_failed_hands_out_what_came_and_loses_nothing(
    serve: Serve, tmp_path: Path
) -> None:
    queue = Queue(["1"], 503, ["2"])
    asked = await account(serve, queue)

    first = await latest(asked, tmp_path)
    second = await latest(asked, tmp_path)

    # it is not asked again by itself: whether the refused call took something out, nobody knows
    assert [type(failure) for failure in first.failures] == [ServerError]
    assert first[LATEST]["id"].to_list() == ["1"]
    assert second[LATEST]["id"].to_list() == ["2"]


@pytest.mark.slow
async def test_an_unreadable_file_of_before_is_named_and_nothing_is_asked(
    serve: Serve, tmp_path: Path
) -> None:
    queue = Queue(b"no JSON", ["2"])
    asked = await account(serve, queue)
    with pytest.raises(TransportError):
        await latest(asked, tmp_path)

    [waiting] = files(tmp_path)["waiting"]
    with pytest.raises(TransportError, match=f"{waiting.name}.*move it elsewhere"):
        await latest(asked, tmp_path)
    assert queue.asked == 1
    waiting.rename(tmp_path / "elsewhere")

    assert (await latest(asked, tmp_path))[LATEST]["id"].to_list() == ["2"]


async def test_accounts_do_not_read_what_was_kept_for_others(serve: Serve, tmp_path: Path) -> None:
    first, second = Queue(b"["), Queue(["2"])
    with pytest.raises(TransportError):
        await latest(await account(serve, first, name="one"), tmp_path)

    data = await latest(await account(serve, second, name="two"), tmp_path)

    assert data[LATEST]["id"].to_list() == ["2"]
    assert len(files(tmp_path)["waiting"]) == 1


async def test_a_service_that_never_empties_its_list_is_not_asked_for_ever(
    serve: Serve, tmp_path: Path
) -> None:
    queue = Queue(*[["1", "2"]] * 100)

    data = await latest(await account(serve, queue), tmp_path)

    assert queue.asked < 30
    assert not data.complete
    assert data[LATEST]["id"].n_unique() == 2


async def test_an_answer_that_is_cut_off_is_kept_as_far_as_it_came(
    serve: Serve, tmp_path: Path
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b'[{"id": "1"}, ')
        assert request.transport is not None
        request.transport.close()
        return response

    asked = crmlab.Account("complero", base_url=await serve(answer), api_key="key")
    with pytest.raises(TransportError, match="cut off"):
        await latest(asked, tmp_path)

    [part] = files(tmp_path)["cut off"]
    assert not [*tmp_path.rglob("*.asked")]
    assert part.read_bytes() == b'[{"id": "1"}, '


@pytest.mark.slow
async def test_a_full_disk_costs_no_event(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, body: bytes) -> None:
        if body:  # the mark of a request, which is empty, still fits
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("crmlab.fetching.spool._write", full)
    queue = Queue(["1"], ["2"])
    asked = await account(serve, queue)

    data = await latest(asked, tmp_path)

    assert data[LATEST]["id"].to_list() == ["1"]
    assert "No space left on device" in str(data.failures[0])
    assert queue.asked == 1
    with pytest.warns(UserWarning, match="handed out and not kept"):
        events = await crmlab.call(
            asked, "get_latest_events", allow_destructive=True, spool=tmp_path
        )
    assert [event["id"] for event in events] == ["2"]


async def test_a_call_keeps_its_answer_and_hands_out_first_what_was_left(
    serve: Serve, tmp_path: Path
) -> None:
    queue = Queue(["1"], b"[{]", ["2"])
    asked = await account(serve, queue)
    given: dict[str, Any] = {"allow_destructive": True, "spool": tmp_path}

    first = await crmlab.call(asked, "get_latest_events", limit="5", **given)
    with pytest.raises(TransportError):
        await crmlab.call(asked, "get_latest_events", **given)
    [waiting] = files(tmp_path)["waiting"]
    waiting.write_bytes(b'[{"id": "mended"}]')
    mended = await crmlab.call(asked, "get_latest_events", as_frame=True, **given)
    last = await crmlab.call(asked, "get_latest_events", **given)

    assert [event["id"] for event in first] == ["1"]
    assert mended["id"].to_list() == ["mended"]
    assert [event["id"] for event in last] == ["2"]
    assert queue.asked == 3
    assert len(files(tmp_path)["read"]) == 3


async def test_where_it_cannot_be_kept_nothing_is_asked(serve: Serve, tmp_path: Path) -> None:
    queue = Queue(["1"])
    (tmp_path / "file").write_text("")

    with pytest.raises(CrmlabError, match="cannot be written"):
        await latest(await account(serve, queue), tmp_path / "file")

    assert queue.asked == 0


def test_no_name_of_an_account_leaves_the_folder(tmp_path: Path) -> None:
    odd = crmlab.Account("complero", api_key="key", name="../../Über: all/\\*?")

    spool = Spool(tmp_path, odd, "/events/latest")

    assert spool.folder.parent == tmp_path
    assert "key" not in spool.folder.name


@pytest.mark.slow
async def test_the_sandbox_gives_each_of_the_latest_events_once(tmp_path: Path) -> None:
    async with crmlab.sandbox(rows=60, services=["complero"]) as accounts:
        data = await latest(accounts, tmp_path)
        again = await latest(accounts, tmp_path)

    assert data.complete
    assert data[LATEST].height > 0
    assert again[LATEST].is_empty()


@pytest.mark.slow
async def test_two_runs_at_once_do_not_hand_out_the_same(serve: Serve, tmp_path: Path) -> None:
    asked = await account(serve, Queue(["1"], ["2"]))
    with pytest.raises(CrmlabError, match="leave as_frame out"):
        await crmlab.call(
            await account(serve, Queue(b'["no record"]'), name="other"),
            "get_latest_events",
            as_frame=True,
            allow_destructive=True,
            spool=tmp_path,
        )
    first = Spool(tmp_path, asked, "/events/latest")

    with pytest.raises(UsageError, match="used by another run"):
        await latest(asked, tmp_path)
    first.close()

    data = await latest(asked, tmp_path)
    assert data[LATEST]["id"].to_list() == ["1", "2"]
    # the answer that was no frame waits for another call
    assert len(files(tmp_path)["waiting"]) == 1


async def test_what_was_cut_off_by_a_full_disk_does_not_wait(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_a_part(path: Path, body: bytes) -> None:
        path.write_bytes(body[:5])
        if body:
            raise OSError(28, "No space left on device")

    asked = await account(serve, Queue(["1"]))
    monkeypatch.setattr(spool_module, "_write", write_a_part)
    with pytest.warns(UserWarning, match="handed out and not kept"):
        found = await crmlab.call(
            asked, "get_latest_events", allow_destructive=True, spool=tmp_path
        )

    assert [event["id"] for event in found] == ["1"]
    assert not files(tmp_path)["waiting"]
    assert len(files(tmp_path)["cut off"]) == 1


_KILLED = """
import asyncio, sys, crmlab
account = crmlab.Account("complero", base_url=sys.argv[1], api_key="key")
asyncio.run(crmlab.fetch(account, "complero.latest_events", allow_destructive=True, spool=sys.argv[2], progress=False))
"""


@pytest.mark.slow
async def test_a_run_that_was_killed_while_it_waited_is_told_by_the_next_one(
    serve: Serve, tmp_path: Path
) -> None:
    asked_twice = asyncio.Event()
    is_over = asyncio.Event()
    answers = [["1"]]

    async def answer(request: web.Request) -> web.Response:
        if not answers:
            asked_twice.set()
            await is_over.wait()
            return web.Response(status=500)
        return web.json_response([{"id": id} for id in answers.pop()])

    asked = crmlab.Account("complero", base_url=await serve(answer), api_key="key")
    command = [sys.executable, "-c", _KILLED, asked.base_url, str(tmp_path)]
    process = await asyncio.create_subprocess_exec(*command)
    await asyncio.wait_for(asked_twice.wait(), 60)
    process.kill()
    await process.wait()
    answers += [[], ["2"]]
    is_over.set()

    first = await latest(asked, tmp_path)
    answers += [[], ["3"]]
    second = await latest(asked, tmp_path)

    assert first[LATEST]["id"].to_list() == ["1", "2"]
    assert not first.complete
    assert "an earlier run ended while it waited for an answer (20" in str(
        first.summary["note"].to_list()
    )
    # it is told once
    assert second.complete
    assert second[LATEST]["id"].to_list() == ["3"]


async def test_a_call_that_was_cancelled_while_it_waited_is_told_by_the_next_one(
    serve: Serve, tmp_path: Path
) -> None:
    waits = asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        if waits.is_set():
            return web.json_response([])
        waits.set()
        await asyncio.sleep(60)
        raise AssertionError("cancelled before")

    asked = crmlab.Account("complero", base_url=await serve(answer), api_key="key")
    given: dict[str, Any] = {"allow_destructive": True, "spool": tmp_path}
    call = asyncio.create_task(crmlab.call(asked, "get_latest_events", **given))
    await waits.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call

    with pytest.warns(UserWarning, match="an earlier run ended while it waited for an answer"):
        await crmlab.call(asked, "get_latest_events", **given)
    assert await crmlab.call(asked, "get_latest_events", **given) == []


@pytest.mark.slow
async def test_a_refusal_is_told_by_the_run_itself_and_leaves_no_mark(
    serve: Serve, tmp_path: Path
) -> None:
    asked = await account(serve, Queue(500, ["1"], []))

    with pytest.raises(ServerError):
        await latest(asked, tmp_path)
    data = await latest(asked, tmp_path)

    assert data.complete
    assert not [*tmp_path.rglob("*.asked")]


@pytest.mark.slow
async def test_marks_that_somebody_else_put_there_are_told_by_their_names(
    serve: Serve, tmp_path: Path
) -> None:
    asked = await account(serve, Queue())
    await latest(asked, tmp_path)
    folder = next(tmp_path.rglob("*.read.json")).parent
    for name in ("foreign", "9" * 30, "-1"):
        (folder / f"{name}.asked").touch()

    data = await latest(asked, tmp_path)

    assert "foreign.asked" in data.summary["note"][0]
    assert f"{'9' * 30}.asked" in data.summary["note"][0]
    assert not data.complete


@pytest.mark.slow
async def test_where_no_mark_can_be_left_nothing_is_asked(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, body: bytes) -> None:
        raise OSError(28, "No space left on device")

    queue = Queue(["1"])
    monkeypatch.setattr(spool_module, "_write", full)

    with pytest.raises(CrmlabError, match="No space left on device"):
        await latest(await account(serve, queue), tmp_path)

    assert queue.asked == 0
