"""What a fetch brought, as one result: frames, and beside them the account of it all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl

from crmlab.decoding import MISFITS, RAW, REJECTED
from crmlab.errors import CrmlabError
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
    heights = {table_name: frame.height for table_name, frame in frames.items()}
    return Fetched(frames, heights=heights, **account_of(query, results))


def _frames(query: Query, results: Iterable[ResourceResult]) -> dict[str, pl.DataFrame]:
    """Return a frame for each name asked for: of shared tables always, of raw records where a service has them."""
    frames: dict[str, pl.DataFrame] = {}
    for shared_table in TABLES.values():  # in the order they are declared
        if shared_table.name in query.tables:
            frames[shared_table.name] = pl.concat(
                [shared_table.empty(), *_parts(results, shared_table.name)]
            )
    for raw_name in query.raw:
        of_name = [result for result in results if result.task.full_name == raw_name]
        raw_parts = _parts([result for result in of_name if result.task.raw], RAW)
        if raw_parts:
            # accounts may have different fields
            frames[raw_name] = pl.concat(raw_parts, how="diagonal")
    return frames


def _parts(results: Iterable[ResourceResult], name: str) -> list[pl.DataFrame]:
    """Return the frames of that name, of each resource that has one."""
    return [result.frames[name] for result in results if name in result.frames]


def account_of(query: Query, results: Sequence[ResourceResult]) -> dict[str, Any]:
    """Return what belongs beside the tables."""
    asked = query.asked()
    summary: list[dict[str, object]] = []
    rejected = [pl.DataFrame(schema=REJECTED)]
    misfits = [pl.DataFrame(schema=MISFITS)]
    failures: dict[str, CrmlabError] = {}  # by their words: of what failed alike, one is enough
    for result in results:
        summary += _summary_rows(result, asked)
        rejected.append(result.rejected)
        misfits.append(result.misfits)
        if result.failure:
            failures[str(result.failure)] = result.failure
    summary += _unfilled(query)
    return {
        "summary": pl.DataFrame(summary, schema=SUMMARY, orient="row"),
        "rejected": pl.concat(rejected),
        "misfits": pl.concat(misfits),
        "failures": list(failures.values()),
        "asked": asked,
    }


def _summary_rows(result: ResourceResult, asked: Asked) -> list[dict[str, object]]:
    """Return a row for each table asked for; one for what others needed, if there is something to tell of it."""
    resource_task = result.task
    table_names = resource_task.names
    if not table_names and (not result.complete or result.misfit_counts):
        table_names = (resource_task.full_name,)
    return [_summary_row(result, table_name, asked) for table_name in table_names]


def _summary_row(result: ResourceResult, name: str, asked: Asked) -> dict[str, object]:
    resource_task = result.task
    period = asked.period(name)
    return {
        "account": resource_task.account.name,
        "provider": resource_task.account.provider.name,
        "resource": resource_task.resource.name,
        "table": name,
        "since": period.since,
        "until": period.until,
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


def _adopted(result: ResourceResult) -> list[str]:
    """Return a note of the facts that a probe found and by which this list was read, without being given them."""
    adopted_facts = result.task.account.adopted_for(result.task.resource.name)
    if not adopted_facts:
        return []
    facts_in_words = ", ".join(f"{name}={value!r}" for name, value in adopted_facts.items())
    return [f"read with {facts_in_words}, as crmlab.probe found"]


def _unfilled(query: Query) -> list[dict[str, object]]:
    """Return a row for every table that a provider has nothing for, so that an empty frame is explained."""
    unfilled = set(query.tables)
    for account in query.accounts:
        unfilled.difference_update(account.provider.tables)
    no_names = dict.fromkeys(("account", "provider", "resource"), "")
    no_counts = dict.fromkeys(
        ("rows", "rejected", "misfits", "unread", "planned", "requests", "retries", "seconds"), 0
    )
    summary_rows: list[dict[str, object]] = []
    for table_name in TABLES:
        if table_name in unfilled:
            note = f"none of these services has {table_name}"
            summary_rows.append(
                {**no_names, **no_counts, "table": table_name, "complete": True, "note": note}
            )
    return summary_rows
