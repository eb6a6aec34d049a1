"""What a user who knows asyncio writes: aiohttp, gather, json.loads, pl.DataFrame(rows). It checks nothing."""

import asyncio
import json

import aiohttp
import polars as pl

from benchmarks.measure import LISTS, Task, asked, run


async def _all(task: Task) -> dict[str, pl.DataFrame]:
    slots, turn = asyncio.Semaphore(task.in_flight), asyncio.Lock()

    async def page(session: aiohttp.ClientSession, name: str, number: int) -> dict:
        if task.rate:
            async with turn:  # each request a while after the one before
                await asyncio.sleep(1 / task.rate)
        async with slots, session.get(f"{task.url}/{name}", params=asked(number)) as answer:
            answer.raise_for_status()
            return json.loads(await answer.text())["data"]

    async def whole(session: aiohttp.ClientSession, name: str) -> pl.DataFrame:
        first = await page(session, name, 1)
        rest = await asyncio.gather(
            *(page(session, name, n) for n in range(2, first["max_page"] + 1))
        )
        rows = [item[name[:-1]] for found in (first, *rest) for item in found[name]]
        return pl.DataFrame(rows, infer_schema_length=None)

    headers = {"Authorization": aiohttp.encode_basic_auth(task.user, task.key)}
    async with aiohttp.ClientSession(
        headers=headers, connector=aiohttp.TCPConnector(limit=0)
    ) as session:
        return dict(
            zip(LISTS, await asyncio.gather(*(whole(session, name) for name in LISTS)), strict=True)
        )


def fetch(task: Task) -> dict[str, pl.DataFrame]:
    return asyncio.run(_all(task))


if __name__ == "__main__":
    run(fetch, "aiohttp")
