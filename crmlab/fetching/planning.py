"""How long a fetch will take, asked before it is sent."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

import polars as pl

from crmlab.accounts import Account
from crmlab.connector import Limits, bound, expected
from crmlab.fetching.account_fetch import AccountRun, finish
from crmlab.fetching.decode_queue import Backpressure
from crmlab.fetching.plan import RESOURCES, SCOPES, Plan
from crmlab.fetching.query import Moment, question
from crmlab.fetching.resource_fetch import ResourceRun
from crmlab.schema import TableName

#: seconds of an answer where none was measured
_LATENCY = 0.2


async def plan(
    accounts: Account | Iterable[Account],
    *tables: TableName | str,
    since: Moment = None,
    until: Moment = None,
    limits: Limits | None = None,
) -> Plan:
    """Return how many requests a fetch needs and how long they take, before they are sent.

    Sends only the first page of lists whose service counts them, and reads the short lists that others
    depend on; ``await crmlab.fetch(plan)`` does not ask for these again. For parameters see `fetch`.

    Raises
    ------
    PlanError
        as `fetch` does
    CrmlabError
        the first failure
    """
    from crmlab.http.client import Client  # noqa: PLC0415  # aiohttp is loaded when something is sent

    asked = question(accounts, tables, since=since, until=until)
    async with Client(limits) as client:
        client.check_scopes(asked.accounts)
        backpressure = Backpressure()
        runs = [AccountRun(client, each, asked, backpressure, stop_early=True, probing=True) for each in asked.accounts]
        await finish(runs)
    scopes: dict[object, list[AccountRun]] = {}
    for run in runs:
        scopes.setdefault((client.scope(run.account), client.limits(run.account)), []).append(run)
    shared = [(client.limits(several[0].account), several, _latency(several)) for several in scopes.values()]
    resources = [
        _line(resource, limits, latency)
        for limits, several, latency in shared
        for run in several
        for resource in run.resources
    ]
    return Plan(
        resources=pl.DataFrame(resources, schema=RESOURCES, orient="row"),
        scopes=pl.DataFrame([_scope(*scope) for scope in shared], schema=SCOPES, orient="row"),
        question=asked,
        pages={run.account.label: run.pages for run in runs},
    )


def _latency(runs: Sequence[AccountRun]) -> float | None:
    """Return the usual seconds of an answer; None where none came."""
    measured = [page.seconds for run in runs for page in run.pages.values()]
    return round(statistics.median(measured), 3) if measured else None


def _line(run: ResourceRun, limits: Limits, latency: float | None) -> dict[str, object]:
    return {
        "account": run.account.name,
        "provider": run.account.provider.name,
        "resource": run.resource.name,
        "tables": ", ".join(run.names),
        "strategy": run.strategy,
        "records": run.tally.expected,
        "requests": run.least,
        "exact": run.foreseen is not None,
        "seconds": round(expected(run.least, limits, latency or _LATENCY), 3),
        "note": "; ".join(run.notes),
    }


def _scope(limits: Limits, runs: Sequence[AccountRun], latency: float | None) -> dict[str, object]:
    resources = [resource for run in runs for resource in run.resources]
    requests = sum(each.least for each in resources)
    account, title = runs[0].account, runs[0].account.provider.title
    return {
        "scope": title if limits.scope == "ip" or account.name == account.provider.name else f"{title}, {account.name}",
        "accounts": len(runs),
        "requests": requests,
        "exact": all(each.foreseen is not None for each in resources),
        "rate": limits.rate,
        "burst": limits.burst,
        "latency": latency,
        "seconds": round(expected(requests, limits, latency or _LATENCY, accounts=len(runs)), 3),
        "bound": round(bound(requests, limits, latency or 0.0), 3),
    }
