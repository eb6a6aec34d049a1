"""How near a fetch comes to the least time that a rate limit allows, and how it shares that limit.

python -m benchmarks.limits [--rows 12000] [--latency 0.05] [--runs 3] [--shared-rows 4000]

The sandbox enforces OnePageCRM's limit as strictly as it can be read: at most 10 in any 2 seconds. Then the
same again while another client takes half of it, evenly.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

import crmlab
from crmlab.providers import registry
from crmlab.sandbox.server import Sandbox

LIMITS = registry()["onepagecrm"].limits


async def alone(rows: int, latency: float) -> bool:
    """Fetch and compare with the bound: all but the first burst at the documented rate."""
    async with _sandbox(rows, latency) as service:
        seconds = await _seconds(service)
        sent = sum(service.requests.values())
    bound = (sent - LIMITS.burst) / LIMITS.rate + latency
    print(f"{sent:8} {service.refused:8} {seconds:9.2f} {bound:9.2f} {seconds / bound:7.3f}", flush=True)
    return not service.refused and seconds <= 1.03 * bound


async def shared(rows: int, latency: float) -> None:
    """Fetch while another client sends half of what the limit allows."""
    async with _sandbox(rows, latency) as service:
        other = {200: 0, 403: 0}
        nagging = asyncio.create_task(_other_client(service, LIMITS.rate / 2, other))
        seconds = await _seconds(service)
        nagging.cancel()
    sent = sum(service.requests.values()) - sum(other.values())
    print(f"\nbeside another client that sends {LIMITS.rate / 2:g} a second:")
    print(f"  crmlab: {sent} requests, {service.refused - other[403]} refused, complete after {seconds:.1f} s,")
    print(f"          {(sent - service.refused + other[403]) / seconds:.2f} answered a second")
    print(f"  other:  {sum(other.values())} requests, {other[403]} refused")


async def _seconds(service: Sandbox) -> float:
    started = time.perf_counter()
    data = await crmlab.fetch(service)
    assert data.complete, data.summary
    return time.perf_counter() - started


async def _other_client(service: Sandbox, rate: float, answers: dict[int, int]) -> None:
    auth = aiohttp.encode_basic_auth(*service.keys["onepagecrm"].values())
    async with aiohttp.ClientSession(headers={"Authorization": auth}) as session:
        while True:
            async with session.get(f"{service[0].base_url}/users") as answer:
                answers[answer.status] += 1
            await asyncio.sleep(1 / rate)


@asynccontextmanager
async def _sandbox(rows: int, latency: float) -> AsyncIterator[Sandbox]:
    async with crmlab.sandbox(rows=rows, services=["onepagecrm"], rate_limits=True, latency=latency) as service:
        yield service


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=12_000, help="people in the sandbox: more than 500 requests")
    parser.add_argument("--latency", type=float, default=0.05, help="seconds before each answer")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--shared-rows", type=int, default=4000, help="people where another client asks as well")
    options = parser.parse_args()
    print("requests  refused   seconds     bound   ratio")
    kept = [asyncio.run(alone(options.rows, options.latency)) for _ in range(options.runs)]
    asyncio.run(shared(options.shared_rows, options.latency))
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
