"""A fetch in a process of its own, which can be killed: told by one line of JSON, it says when it begins."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

import crmlab


async def fetched(told: dict[str, Any]) -> crmlab.Fetched | crmlab.Stored:
    """Fetch into files, at their end or while they grow."""
    accounts = [
        crmlab.Account(each["provider"], base_url=each["base_url"], **each["keys"])
        for each in told["accounts"]
    ]
    options = {"limits": crmlab.Limits(concurrency=10), "spool": told["spool"], "progress": False}
    if told["grows"]:
        return await crmlab.fetch_to(told["out"], accounts, *told["tables"], **options)
    data = await crmlab.fetch(accounts, *told["tables"], **options)
    data.export(told["out"])
    return data


if __name__ == "__main__":
    asked = json.loads(sys.stdin.readline())
    print("begins", flush=True)
    started = time.monotonic()
    result = asyncio.run(fetched(asked))
    resumed = result.summary["note"].str.contains("resumed from").any()
    seconds = time.monotonic() - started
    print(
        json.dumps({"complete": result.complete, "resumed": resumed, "seconds": seconds}),
        flush=True,
    )
