"""One large fetch in a process of its own; prints what it took, without start-up."""

import asyncio
import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import crmlab

LIMITS = crmlab.Limits(concurrency=10)


async def events(url: str, *more: str) -> Callable[[], dict[str, int]]:
    """Write consent events (and `more`) to files; return what counts them."""
    account = crmlab.Account("complero", base_url=url, api_key="any")
    folder = tempfile.TemporaryDirectory()
    stored = await crmlab.fetch_to(
        folder.name, account, "consent_events", *more, limits=LIMITS, on_error="raise"
    )
    assert stored.complete, stored.summary

    def counted() -> dict[str, int]:
        with folder:
            ids = stored["consent_events"].select("id").collect()["id"]
            size = sum(path.stat().st_size for path in Path(folder.name).iterdir())
            assert ids.n_unique() == len(ids), "repeated rows"
            return {
                "rows": sum(stored.summary["rows"]),
                "distinct events": len(ids),
                "MB of files": size >> 20,
            }

    return counted


async def events_and_contacts(url: str) -> Callable[[], dict[str, int]]:
    return await events(url, "contacts")


async def contacts(url: str) -> Callable[[], dict[str, int]]:
    account = crmlab.Account("onepagecrm", base_url=url, user_id="any", api_key="any")
    data = await crmlab.fetch(account, "contacts", limits=LIMITS, on_error="raise")
    assert data.complete, data.summary
    return lambda: {
        "rows": data["contacts"].height,
        "MB of frames": int(data["contacts"].estimated_size("mb")),
    }


def _used() -> resource.struct_rusage:
    return resource.getrusage(resource.RUSAGE_SELF)


JOBS = {"events": events, "events and contacts": events_and_contacts, "contacts": contacts}


def main(job: str, url: str) -> None:
    before, started = _used(), time.perf_counter()
    counted = asyncio.run(JOBS[job](url))
    wall, after = time.perf_counter() - started, _used()
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    took = {"MB peak": after.ru_maxrss >> 10, "s": round(wall, 1), "s CPU": round(cpu, 2)}
    found = counted()
    print(json.dumps({**found, **took, "rows/s": int(found["rows"] / wall)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
