"""The same four lists as shared tables, complete and checked."""

import asyncio

import polars as pl

import crmlab
import crmlab.http.client
from benchmarks.measure import Task, run


def fetch(task: Task) -> dict[str, pl.DataFrame]:
    account = crmlab.Account("onepagecrm", base_url=task.url, user_id=task.user, api_key=task.key)
    # under a limit crmlab keeps to the one that it knows of OnePageCRM
    limits = None if task.rate else crmlab.Limits(concurrency=task.in_flight)
    data = asyncio.run(
        crmlab.fetch(account, "contacts", "deals", "activities", limits=limits, on_error="raise")
    )
    assert data.complete, data.summary
    kinds = {
        f"{kind}s": data.activities.filter(pl.col("kind") == kind) for kind in ("action", "note")
    }
    return {"contacts": data.contacts, "deals": data.deals, **kinds}


if __name__ == "__main__":
    # loads what an account needs: that is start-up, as the others' imports are
    crmlab.Account("onepagecrm", user_id="nobody", api_key="none")
    run(fetch, "aiohttp")
