"""One way to fetch the four lists, in a process of its own; prints what it took, without start-up."""

import asyncio
import json
import resource
import sys
import time
from collections.abc import Awaitable, Callable

import aiohttp
import polars as pl

LISTS = ("contacts", "deals", "actions", "notes")
Way = Callable[[str, str, str, int], Awaitable[int]]


async def throw_away(url: str, user: str, key: str, in_flight: int) -> int:
    """Read every byte and drop it: no client can be faster."""
    slots = asyncio.Semaphore(in_flight)

    async def page(session: aiohttp.ClientSession, name: str, number: int) -> bytes:
        async with slots, session.get(f"{url}/{name}", params=_asked(number)) as answer:
            return await answer.read()

    async def whole(session: aiohttp.ClientSession, name: str) -> int:
        last = json.loads(await page(session, name, 1))["data"]["max_page"]

        async def drop(number: int) -> None:
            await page(session, name, number)

        await asyncio.gather(*(drop(number) for number in range(2, last + 1)))
        return last * 100

    async with _session(user, key) as session:
        return sum(await asyncio.gather(*(whole(session, name) for name in LISTS)))


async def by_hand(url: str, user: str, key: str, in_flight: int) -> int:
    """What a user writes: aiohttp, gather, json.loads, pl.DataFrame(rows)."""
    slots = asyncio.Semaphore(in_flight)

    async def page(session: aiohttp.ClientSession, name: str, number: int) -> dict:
        async with slots, session.get(f"{url}/{name}", params=_asked(number)) as answer:
            return json.loads(await answer.text())["data"]

    async def whole(session: aiohttp.ClientSession, name: str) -> pl.DataFrame:
        first = await page(session, name, 1)
        rest = await asyncio.gather(*(page(session, name, n) for n in range(2, first["max_page"] + 1)))
        rows = [item[name[:-1]] for found in (first, *rest) for item in found[name]]
        return pl.DataFrame(rows, infer_schema_length=None)

    async with _session(user, key) as session:
        return sum(frame.height for frame in await asyncio.gather(*(whole(session, name) for name in LISTS)))


async def with_crmlab(url: str, user: str, key: str, in_flight: int) -> int:
    """The same four lists, as shared tables, complete and checked."""
    import crmlab  # noqa: PLC0415  # the other ways do without

    account = crmlab.Account("onepagecrm", base_url=url, user_id=user, api_key=key)
    data = await crmlab.fetch(
        account, "contacts", "deals", "activities", limits=crmlab.Limits(concurrency=in_flight), on_error="raise"
    )
    assert data.complete, data.summary
    return sum(frame.height for frame in data.values())


WAYS: dict[str, Way] = {"throw away": throw_away, "by hand": by_hand, "crmlab": with_crmlab}


def _asked(number: int) -> dict[str, str]:
    return {"page": str(number), "per_page": "100", "team": "true", "sort_by": "created_at"}


def _session(user: str, key: str) -> aiohttp.ClientSession:
    headers = {"Authorization": aiohttp.encode_basic_auth(user, key)}
    return aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(limit=0))


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main(way: str, url: str, user: str, key: str, in_flight: str) -> None:
    if way == "crmlab":
        __import__("crmlab")  # start-up is not what is compared
    pl.DataFrame({"warm": [1]})
    cpu, started = _cpu(), time.perf_counter()
    rows = asyncio.run(WAYS[way](url, user, key, int(in_flight)))
    wall, cpu = time.perf_counter() - started, _cpu() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rows": rows, "wall_seconds": wall, "cpu_seconds": cpu, "peak_mb": peak}))


if __name__ == "__main__":
    main(*sys.argv[1:])
