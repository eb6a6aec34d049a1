"""Read every byte and drop it: with the same requests no client can be faster."""

import asyncio
import json

import aiohttp

from benchmarks.measure import LISTS, Task, asked, run


async def _all(task: Task) -> None:
    slots = asyncio.Semaphore(task.in_flight)

    async def page(session: aiohttp.ClientSession, name: str, number: int) -> bytes:
        async with slots, session.get(f"{task.url}/{name}", params=asked(number)) as answer:
            return await answer.read()

    async def drop(session: aiohttp.ClientSession, name: str, number: int) -> None:
        await page(session, name, number)

    async def whole(session: aiohttp.ClientSession, name: str) -> None:
        last = json.loads(await page(session, name, 1))["data"]["max_page"]
        await asyncio.gather(*(drop(session, name, number) for number in range(2, last + 1)))

    headers = {"Authorization": aiohttp.encode_basic_auth(task.user, task.key)}
    async with aiohttp.ClientSession(
        headers=headers, connector=aiohttp.TCPConnector(limit=0)
    ) as session:
        await asyncio.gather(*(whole(session, name) for name in LISTS))


def fetch(task: Task) -> None:
    asyncio.run(_all(task))


if __name__ == "__main__":
    run(fetch, "aiohttp")
