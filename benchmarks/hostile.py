"""What answers of a hostile size cost: a bomb, a body of 180 MB, a million records on one page.

``python -m benchmarks.hostile [CASE ...]`` fetches each into Complero's own records and into `consent_events`, in a
process of its own, and prints the frames and the memory above them and above that of a fetch of one record.
"""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import time
import zlib

import polars as pl
from aiohttp import web

import crmlab
from crmlab.errors import CrmlabError

_EVENT = (
    '{"id":"%024x","type":"update","created_at":"2025-01-01T00:00:00Z","source":"web form",'
    '"contact":{"id":"%020x","company":"Example Trading Ltd","employee_id":"e%d",'
    '"first_name":"Maria","last_name":"Number%d","language":"en","position":"Buyer",'
    '"section_private":{"email":"","consents":{}},"section_work":{"email":"m.%d@example.com",'
    '"phone":"+353 20 %07d","street":"7 Quay Street","city":"Galway","zip_code":"H91 X2F7",'
    '"country":"IE","consents":{"email":true}},"tags":["newsletter"],"title":"","website":""}}'
)
_GIGABYTE = 1 << 30
TABLES = ("complero.events", "consent_events")


def _listed(records: list[str]) -> bytes:
    return f"[{','.join(records)}]".encode()


def _bomb() -> bytes:
    """Return a gigabyte of JSON in two megabytes of gzip."""
    piece = b'[{"id":"1"}],' * 80_000
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = [packer.compress(b"[")]
    packed += [packer.compress(piece) for _ in range(_GIGABYTE // len(piece))]
    packed += [packer.compress(b"]"), packer.flush()]
    return b"".join(packed)


CASES = {
    "one record": lambda: _listed([_EVENT % ((1,) * 6)]),
    "bomb": _bomb,
    "body of 180 MB": lambda: _listed([_EVENT % ((number,) * 6) for number in range(330_000)]),
    "million records": lambda: _listed([f'{{"id":"{number}"}}' for number in range(1_000_000)]),
    "million numbers": lambda: _listed(["1"] * 1_000_000),
    "text of 180 MB": lambda: _listed(['{"id":"1","source":"' + "x" * 180_000_000 + '"}']),
    "million fields": lambda: _listed(
        ['{"id":"1",' + ",".join(f'"f{number}":1' for number in range(1_000_000)) + "}"]
    ),
    "two million brackets": lambda: _listed(
        ['{"id":"1","x":' + "[" * 1_000_000 + "]" * 1_000_000 + "}"]
    ),
}


async def served(case: str) -> None:
    """Serve the body of a case once for each key, as one page of Complero's updates, until it is ended."""
    headers = {"Content-Encoding": "gzip"} if case == "bomb" else {}
    bodies = {"case": CASES[case](), "one": CASES["one record"]()}
    seen: set[str] = set()

    async def answer(request: web.Request) -> web.Response:
        which = request.path.split("/")[1]
        place = f"{which} {request.headers.get('Authorization', request.headers.get('X-Api-Key'))}"
        if request.query.get("type") != "update" or place in seen:
            return web.json_response([])
        seen.add(place)
        packed = headers if which == "case" else {}
        return web.Response(body=bodies[which], content_type="application/json", headers=packed)

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


def peak() -> int:
    """Return the megabytes that this process took at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def size(frame: pl.DataFrame) -> int:
    """Return the megabytes of a frame; `estimated_size` leaves out the 16 bytes that each text takes besides."""
    return frame.to_arrow(compat_level=pl.CompatLevel.newest()).nbytes >> 20


async def fetch(url: str, key: str, table: str) -> crmlab.Fetched:
    account = crmlab.Account("complero", base_url=url, api_key=key)
    return await crmlab.fetch(account, table, limits=crmlab.Limits(concurrency=10))


def measure(url: str, table: str) -> None:
    """Fetch one record, then the case, and print what that took as JSON."""
    key = f"any-{time.time_ns()}"
    asyncio.run(fetch(f"{url}/one", key, table))
    before, started = peak(), time.process_time()
    frames = 0
    outcome: dict[str, object] = {"rows": 0}
    try:
        data = asyncio.run(fetch(f"{url}/case", key, table))
        reached = peak()
        frames = size(data[table])
        outcome = {"rows": data[table].height, "complete": data.complete}
    except CrmlabError as error:
        reached = peak()
        outcome["error"] = str(error)[:120]
    outcome["frames, MB"] = frames
    outcome["above, MB"] = reached - before - frames
    outcome["CPU, s"] = round(time.process_time() - started, 1)
    print(json.dumps(outcome))


def main(cases: list[str]) -> None:
    here = [sys.executable, "-m", "benchmarks.hostile"]
    for case in cases or [name for name in CASES if name != "one record"]:
        server = subprocess.Popen([*here, "--serve", case], stdout=subprocess.PIPE, text=True)
        assert server.stdout
        url = server.stdout.readline().strip()
        for table in TABLES:
            measured = subprocess.run(
                [*here, "--measure", url, table], stdout=subprocess.PIPE, text=True, check=True
            )
            print(f"{case}, {table}: {measured.stdout.strip()}", flush=True)
        server.terminate()
        server.wait()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--serve", case]:
            asyncio.run(served(case))
        case ["--measure", url, table]:
            measure(url, table)
        case cases:
            main(cases)
