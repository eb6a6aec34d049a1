"""What a fetch brought, as one result: frames, and beside them the account of it all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl

from crmlab.decoding import MISFITS, RAW, REJECTED
from crmlab.fetching.query import Query
from crmlab.fetching.resource_result import ResourceResult
from crmlab.fetching.spool import Spools
from crmlab.results import SUMMARY, Fetched
from crmlab.schema import TABLES, Asked


def handed_out(
    query: Query, results: Sequence[ResourceResult], spools: Spools | None = None
) -> Fetched:
    """Return what came as one result.

    Raises
    ------
    CrmlabError
        nothing came at all: the first failure
    """
    fetched = collected(query, results)
    if fetched.failures and not any(frame.height for frame in fetched.values()):
        raise fetched.failures[0]
    if spools:
        spools.mark_read(results)
    return fetched


def collected(query: Query, results: Sequence[ResourceResult]) -> Fetched:
    """Return what came, be it nothing at all."""
    frames = _frames(query, results)
    heights = {name: frame.height for name, frame in frames.items()}
    return Fetched(frames, heights=heights, **account_of(query, results))


def _frames(query: Query, results: Iterable[ResourceResult]) -> dict[str, pl.DataFrame]:
    """Return a frame for each name asked for: of shared tables always, of raw records where a service has them."""
    frames: dict[str, pl.DataFrame] = {}
    for table in TABLES.values():  # in the order they are declared
        if table.name in query.tables:
            parts = [result.frames[table.name] for result in results if table.name in result.frames]
            frames[table.name] = pl.concat([table.empty(), *parts])
    for name in query.raw:
        raw = [result for result in results if result.task.raw and result.task.full_name == name]
        parts = [result.frames[RAW] for result in raw if RAW in result.frames]
        if parts:
            frames[name] = pl.concat(parts, how="diagonal")
    return frames


def account_of(query: Query, results: Sequence[ResourceResult]) -> dict[str, Any]:
    """Return what belongs beside the tables."""
    asked = query.asked()
    summary = [row for result in results for row in _summary_rows(result, asked)]
    summary += _unfilled(query)
    failures = {str(result.failure): result.failure for result in results if result.failure}
    return {
        "summary": pl.DataFrame(summary, schema=SUMMARY, orient="row"),
        "rejected": pl.concat(
            [pl.DataFrame(schema=REJECTED), *(result.rejected for result in results)]
        ),
        "misfits": pl.concat(
            [pl.DataFrame(schema=MISFITS), *(result.misfits for result in results)]
        ),
        "failures": list(failures.values()),
        "asked": asked,
    }


def _summary_rows(result: ResourceResult, asked: Asked) -> list[dict[str, object]]:
    """Return a row for each table asked for; one for what others needed, if there is something to tell of it."""
    task = result.task
    is_whole = result.complete and not result.misfit_counts
    is_told_for_others = not (task.tables or task.raw or is_whole)
    names = (task.full_name,) if is_told_for_others else task.names
    return [
        {
            "account": task.account.name,
            "provider": task.account.provider.name,
            "resource": task.resource.name,
            "table": name,
            "since": asked.period(name).since,
            "until": asked.period(name).until,
            "rows": result.heights.get(name, 0),
            "expected": result.expected_records,
            "rejected": result.rejected.height,
            "misfits": sum(result.misfit_counts.values()),
            "unread": result.unread_counts.get(name, 0),
            "planned": result.requests.expected,
            "requests": result.requests.sent,
            "retries": result.requests.retries,
            "seconds": round(result.seconds, 3),
            "complete": result.complete and name not in result.lacking,
            "note": "; ".join([*result.notes, *_adopted(result)]),
        }
        for name in names
    ]


def _adopted(result: ResourceResult) -> list[str]:
    """Return a note of the facts that a probe found and by which this list was read, without being given them."""
    facts = result.task.account.adopted_for(result.task.resource.name)
    if not facts:
        return []
    named = ", ".join(f"{name}={value!r}" for name, value in facts.items())
    return [f"read with {named}, as crmlab.probe found"]


def _unfilled(query: Query) -> list[dict[str, object]]:
    """Return a row for every table that a provider has nothing for, so that an empty frame is explained."""
    fillable = {table for account in query.accounts for table in account.provider.tables}
    blank = dict.fromkeys(("account", "provider", "resource"), "")
    none = dict.fromkeys(
        ("rows", "rejected", "misfits", "unread", "planned", "requests", "retries", "seconds"), 0
    )
    return [
        {
            **blank,
            **none,
            "table": name,
            "complete": True,
            "note": f"none of these services has {name}",
        }
        for name in TABLES
        if name in query.tables - fillable
    ]
