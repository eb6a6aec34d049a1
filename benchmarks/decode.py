"""Decoding and mapping alone: deals of OnePageCRM to the shared table, in one thread.

python -m benchmarks.decode
"""

import os
import statistics
import time

os.environ["POLARS_MAX_THREADS"] = "1"  # read when polars is loaded

from benchmarks.drift import context
from crmlab.connector import Page, Request
from crmlab.decoding import decoder, records
from crmlab.providers.onepagecrm import PROVIDER
from crmlab.sandbox.services.onepagecrm.lists import lists
from crmlab.sandbox.world.generate import generate

RUNS = 7
#: as many as a fetch decodes at once
BATCH = 1_000


def main() -> None:
    world = generate(15_000, seed=7)
    body = b'{"status":0,"data":{"deals":' + lists(world, {})["deals"].slice(0, 10_000) + b"}}"
    deals = PROVIDER.resource("deals")
    found = records(Page(request=Request(path="/deals"), status=200, headers={}, body=body), deals)
    decode = decoder(
        deals, context(), provider="onepagecrm", account="a", tables=["deals"], raw=False
    )
    taken = []
    for _ in range(RUNS):
        started = time.process_time()
        frames = [
            decode(found[start : start + BATCH]).frames["deals"]
            for start in range(0, len(found), BATCH)
        ]
        taken.append(time.process_time() - started)
    rows, columns = sum(frame.height for frame in frames), frames[0].width
    print(f"{rows:,} deals of {len(body) / len(found):,.0f} bytes, {columns} columns:", end=" ")
    print(f"{rows / statistics.median(taken):,.0f} rows a second and core (median of {RUNS})")


if __name__ == "__main__":
    main()
