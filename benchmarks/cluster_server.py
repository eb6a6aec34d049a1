"""The sandbox's Complero in a process of its own; prints where it is, and what was asked whenever a line comes in.

python -m benchmarks.cluster_server PEOPLE
"""

import asyncio
import json
import sys

import crmlab


async def main(people: int) -> None:
    async with crmlab.sandbox(rows=people, services=["complero"]) as accounts:
        account = accounts.account("complero")
        print(json.dumps({"url": account.base_url, **accounts.keys["complero"]}), flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            print(json.dumps({"requests": accounts.requests.total()}), flush=True)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
