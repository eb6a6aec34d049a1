"""How near a fetch comes to the least time that a rate limit allows, and how it shares that limit.

python -m benchmarks.limits [--rows 12000] [--latency 0.05] [--runs 3] [--shared-rows 4000]

The sandbox enforces OnePageCRM's limit as strictly as it can be read: at most 10 in any 2 seconds. Then the
same again while another client takes half of it, evenly.
"""

import argparse
import asyncio
import multiprocessing
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

import aiohttp

import crmlab
from crmlab.providers import registry

LIMITS = registry()["onepagecrm"].limits


class Service:
    """The sandbox in a process of its own, as a vendor's is: neither delays the other."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self.url, self.keys = pipe.recv()
        self.account = crmlab.Account("onepagecrm", base_url=self.url, **self.keys)

    async def seconds(self) -> float:
        """Fetch everything; return how long it took."""
        started = time.perf_counter()
        data = await crmlab.fetch(self.account)
        assert data.complete, data.summary
        return time.perf_counter() - started

    def counted(self) -> tuple[int, int]:
        """Return how many requests came and how many of them were refused."""
        self._pipe.send("how many?")
        return self._pipe.recv()


@contextmanager
def serving(rows: int, latency: float) -> Iterator[Service]:
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_serve, args=(there, rows, latency)
    )
    process.start()
    try:
        yield Service(here)
    finally:
        process.terminate()
        process.join()


def _serve(pipe: Connection, rows: int, latency: float) -> None:
    async def serve() -> None:
        async with crmlab.sandbox(rows=rows, services=["onepagecrm"], latency=latency) as service:
            # every record rendered once: a service that is busy rendering would count arrivals late
            await crmlab.fetch(service)
            service.requests.clear()
            service.rate_limits = True
            pipe.send((service[0].base_url, service.keys["onepagecrm"]))
            await asyncio.to_thread(pipe.recv)
            pipe.send((sum(service.requests.values()), service.refused))

    asyncio.run(serve())


def alone(rows: int, latency: float) -> bool:
    """Fetch and compare with the bound: all but the first burst at the documented rate."""
    with serving(rows, latency) as service:
        seconds = asyncio.run(service.seconds())
        sent, refused = service.counted()
    bound = (sent - LIMITS.burst) / LIMITS.rate + latency
    print(f"{sent:8} {refused:8} {seconds:9.2f} {bound:9.2f} {seconds / bound:7.3f}", flush=True)
    return not refused and seconds <= 1.03 * bound


def shared(rows: int, latency: float) -> None:
    """Fetch while another client sends half of what the limit allows."""
    with serving(rows, latency) as service:
        seconds, answers = asyncio.run(_beside_another(service, LIMITS.rate / 2))
        sent, refused = service.counted()
    sent, refused = sent - sum(answers.values()), refused - answers[403]
    print(f"\nbeside another client that sends {LIMITS.rate / 2:g} a second:")
    print(f"  crmlab: {sent} requests, {refused} refused, complete after {seconds:.1f} s,")
    print(f"          {(sent - refused) / seconds:.2f} answered a second")
    print(f"  other:  {sum(answers.values())} requests, {answers[403]} refused")


async def _beside_another(service: Service, rate: float) -> tuple[float, dict[int, int]]:
    answers = {200: 0, 403: 0}

    async def other_client() -> None:
        headers = {"Authorization": aiohttp.encode_basic_auth(*service.keys.values())}
        async with aiohttp.ClientSession(headers=headers) as session:
            while True:
                async with session.get(f"{service.url}/users") as answer:
                    answers[answer.status] += 1
                await asyncio.sleep(1 / rate)

    other = asyncio.create_task(other_client())
    seconds = await service.seconds()
    other.cancel()
    return seconds, answers


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--rows", type=int, default=12_000, help="people in the sandbox: more than 500 requests"
    )
    parser.add_argument("--latency", type=float, default=0.05, help="seconds before each answer")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument(
        "--shared-rows", type=int, default=4000, help="people where another client asks as well"
    )
    options = parser.parse_args()
    print("requests  refused   seconds     bound   ratio")
    kept = [alone(options.rows, options.latency) for _ in range(options.runs)]
    shared(options.shared_rows, options.latency)
    return 0 if all(kept) else 1


if __name__ == "__main__":
    sys.exit(main())
