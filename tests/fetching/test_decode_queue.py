"""Records become frames while others arrive: in batches of one size, few at a time, none lost."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from crmlab.connector.resource import Context
from crmlab.decoding.decoder import RAW, Decoder, decoder
from crmlab.decoding.records import Record
from crmlab.fetching.decode_queue import MAX_WAITING, Backpressure, DecodeQueue
from crmlab.providers.onepagecrm import PROVIDER
from crmlab.sandbox.world.model import NOW

USERS = decoder(
    replace(
        PROVIDER.resource("users"), total=lambda page: None
    ),  # a list that is counted keeps its keys
    Context(now=NOW),
    provider="onepagecrm",
    account="sales",
    tables=["users"],
    raw=True,
)


def user(id: object, **fields: Any) -> Record:
    return Record(json.dumps({"user": {"id": id, **fields}}).encode(), {})


async def known() -> Decoder:
    return USERS


def collecting(
    backpressure: Backpressure | None = None,
    *,
    kept: Sequence[str] = (),
    into: list[tuple[str, int]] | None = None,
) -> DecodeQueue:
    def keep(name: str, frame: pl.DataFrame, reading: int) -> None:
        if into is not None:
            into.append((name, frame.height))

    return DecodeQueue(known, backpressure or Backpressure(), keep=keep, kept=frozenset(kept))


async def turns(number: int = 5) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


# ---- the backpressure --------------------------------------------------------------------------------


async def test_there_is_room_until_as_many_wait_as_may() -> None:
    backpressure, done = Backpressure(), asyncio.Event()

    async def batch() -> None:
        async with backpressure.turn():
            await done.wait()

    batches = [asyncio.create_task(batch()) for _ in range(MAX_WAITING - 1)]
    await turns()
    await asyncio.wait_for(backpressure.room(), 1)
    batches.append(asyncio.create_task(batch()))
    await turns()
    waiting = asyncio.create_task(backpressure.room())
    await turns()
    assert not waiting.done()

    done.set()
    await asyncio.wait_for(waiting, 5)
    await asyncio.gather(*batches)


async def test_a_batch_that_fails_or_is_cancelled_makes_room() -> None:
    backpressure = Backpressure(max_waiting=1)

    with pytest.raises(ZeroDivisionError):
        async with backpressure.turn():
            raise ZeroDivisionError
    await asyncio.wait_for(backpressure.room(), 1)

    async def batch() -> None:
        async with backpressure.turn():
            await asyncio.Event().wait()

    cancelled = asyncio.create_task(batch())
    await turns()
    cancelled.cancel()
    await asyncio.gather(cancelled, return_exceptions=True)
    await asyncio.wait_for(backpressure.room(), 1)


async def test_no_more_threads_decode_than_there_are_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    backpressure, inside, most, done = Backpressure(), 0, 0, asyncio.Event()

    async def batch() -> None:
        nonlocal inside, most
        async with backpressure.turn():
            inside += 1
            most = max(most, inside)
            await done.wait()
            inside -= 1

    batches = [asyncio.create_task(batch()) for _ in range(7)]
    await turns()
    assert most == 2
    done.set()
    await asyncio.gather(*batches)
    assert most == 2


# ---- batches ------------------------------------------------------------------------------------


async def test_records_are_decoded_when_there_are_enough_bytes_of_them() -> None:
    records = [user(f"{n:03}") for n in range(100)]
    batches: list[tuple[str, int]] = []
    size = 10 * len(records[0].text)
    users = collecting(
        Backpressure(batch_bytes=size, batch_records=1), kept=["users"], into=batches
    )

    for record in records[:95]:
        users.add([record])
    keys = await users.flush()

    assert sorted(batches) == [("users", 5), *[("users", 10)] * 9]
    assert keys.height == keys["key"].n_unique() == 95
    assert users.frames()[RAW]["id"].to_list() == [
        f"{n:03}" for n in range(95)
    ]  # in the order they came


@pytest.mark.parametrize(("batch_records", "height"), [(1, 10), (10, 10), (15, 15), (1_000, 20)])
async def test_few_records_are_decoded_when_there_are_twice_as_many_bytes(
    batch_records: int, height: int
) -> None:
    records = [user(f"{n:03}") for n in range(60)]
    batches: list[tuple[str, int]] = []
    size = 10 * len(records[0].text)
    backpressure = Backpressure(batch_bytes=size, batch_records=batch_records)
    users = collecting(backpressure, kept=["users"], into=batches)

    for record in records:
        users.add([record])
    await users.flush()

    assert {rows for _, rows in batches if rows} == {height}


async def test_one_page_beyond_the_size_is_one_batch() -> None:
    records = [user(f"{n:03}") for n in range(40)]
    batches: list[tuple[str, int]] = []
    size = 20 * len(records[0].text)
    users = collecting(
        Backpressure(batch_bytes=size, batch_records=1), kept=["users"], into=batches
    )

    users.add(records)
    await users.flush()

    assert max(batches) == ("users", 40)


async def test_a_large_page_is_several_batches_whose_records_are_compared() -> None:
    records = [user(f"{n:03}", name="Ann") for n in range(100)]
    other = user("003", name="Bob")
    same = user("004", name="Ann")
    batches: list[tuple[str, int]] = []
    size = 10 * len(records[0].text)
    users = collecting(
        Backpressure(batch_bytes=size, batch_records=1), kept=["users"], into=batches
    )

    users.add([user("before")])
    users.add([*records, other, same])
    keys = await users.flush()

    heights = sorted(height for _, height in batches if height)
    assert heights == [1, 2, *[10] * 10]
    assert keys.height == 103
    assert users.conflicts == 1  # "003", and not "004", which came twice with the same content


async def test_a_list_without_records_is_empty_frames() -> None:
    users = collecting()

    keys = await users.flush()

    assert keys.is_empty()
    assert {name: frame.height for name, frame in users.frames().items()} == {"users": 0, RAW: 0}
    assert users.rejected.is_empty()


async def test_each_flush_returns_the_keys_of_what_came_since_the_last() -> None:
    users = collecting()
    users.add([user("a"), user("b")])
    first = await users.flush()
    users.add([user("b"), user("c")])
    second = await users.flush()

    assert (first.height, second.height) == (2, 2)
    assert first["key"][1] == second["key"][0]
    assert (await users.flush()).is_empty()
    assert sorted(users.frames()["users"]["id"]) == ["a", "b", "c"]


async def test_what_arrives_while_others_are_decoded_is_not_lost() -> None:
    backpressure = Backpressure(batch_bytes=1)
    users = collecting(backpressure)
    users.add([user("a")])
    flushing = asyncio.create_task(users.flush())
    await turns(1)
    users.add([user("b")])

    await flushing
    await users.flush()

    assert sorted(users.frames()["users"]["id"]) == ["a", "b"]


# ---- what is kept -------------------------------------------------------------------------------


async def test_a_flush_that_is_cut_off_loses_nothing() -> None:
    users = collecting()
    users.add([user("1"), user("2")])
    flushing = asyncio.create_task(users.flush())
    await turns(2)
    flushing.cancel()
    await asyncio.gather(flushing, return_exceptions=True)
    assert flushing.cancelled()

    users.add([user("3")])
    keys = await users.flush()

    assert keys.height == 3
    assert users.frames()["users"]["id"].to_list() == ["1", "2", "3"]


async def test_what_is_kept_elsewhere_is_not_in_the_frames() -> None:
    kept: list[tuple[str, int]] = []
    users = collecting(kept=["users"], into=kept)
    users.add([user("a")])
    await users.flush()

    assert kept == [("users", 1)]
    assert list(users.frames()) == [RAW]


async def test_a_record_that_does_not_fit_is_rejected_once_and_costs_no_other() -> None:
    users = collecting()
    for _ in range(2):
        users.add([user("a"), Record(b"[5]", {}), user("b")])
        await users.flush()

    assert users.rejected.height == 1
    assert sorted(users.frames()[RAW]["id"]) == ["a", "b"]


async def test_of_own_records_the_last_is_kept_and_all_without_an_id() -> None:
    users = collecting()
    users.add([user("a", first_name="old"), user(None, first_name="x"), user(None, first_name="x")])
    await users.flush()
    users.add([user("a", first_name="new")])
    await users.flush()

    # the shared table needs an id: there the nameless are rejected, and with them from the own records
    assert users.frames()[RAW]["first_name"].to_list() == ["new"]
    assert users.rejected.height == 1


async def test_fields_that_nobody_documented_are_remembered_in_their_order() -> None:
    users = collecting()
    users.add([user("a", zeal=1), Record(b'{"user":{"id":"b","age":2},"beside":3}', {})])
    await users.flush()

    assert list(users.unknown) == ["zeal", "beside", "age"]


async def test_cancelled_it_decodes_no_more() -> None:
    backpressure, started = Backpressure(), asyncio.Event()

    async def never() -> Decoder:
        started.set()
        await asyncio.Event().wait()
        return USERS

    users = DecodeQueue(
        never, backpressure, keep=lambda name, frame, reading: None, kept=frozenset()
    )
    users.add([user("a")])
    flushing = asyncio.create_task(users.flush())
    await started.wait()
    users.cancel()

    with pytest.raises(asyncio.CancelledError):
        await flushing
    assert users.frames() == {}
