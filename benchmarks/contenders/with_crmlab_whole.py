"""The same four lists as OnePageCRM's own records, with every documented field, complete and checked."""

import asyncio

import polars as pl

import crmlab
import crmlab.http.client
from benchmarks.measure import LISTS, Task, run


def fetch(task: Task) -> dict[str, pl.DataFrame]:
    account = crmlab.Account("onepagecrm", base_url=task.url, user_id=task.user, api_key=task.key)
    limits = None if task.rate else crmlab.Limits(concurrency=task.in_flight)
    names = {name: f"onepagecrm.{name}" for name in LISTS}
    data = asyncio.run(crmlab.fetch(account, *names.values(), limits=limits, on_error="raise"))
    assert data.complete, data.summary
    return {name: data[own] for name, own in names.items()}


if __name__ == "__main__":
    # loads what an account needs: that is start-up, as the others' imports are
    crmlab.Account("onepagecrm", user_id="nobody", api_key="none")
    run(fetch, "aiohttp")
