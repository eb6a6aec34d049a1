"""``crmlab demo --lake``: two refreshes of a lake around a day of changes, and what they tell."""

from __future__ import annotations

import argparse
import datetime as dt

import polars as pl

import crmlab
from crmlab import analysis
from crmlab.atomic_files import check_folder
from crmlab.cli.output import INCOMPLETE, OK, print_frame
from crmlab.lake import Lake, Refreshed


async def run(options: argparse.Namespace) -> int:
    """Refresh twice, say what changed in between, and write a report of the lake; return the exit code."""
    check_folder(options.out)
    # a new one each time: the lake of the last demo is of another yesterday
    place = options.out / f"lake-{dt.datetime.now():%Y%m%d-%H%M%S}"  # noqa: DTZ005  # of the clock on the wall
    lake = Lake(place)
    yesterday = await _refreshed(lake, options, days_ago=options.days_ago + 1, when="yesterday")
    today = await _refreshed(lake, options, days_ago=options.days_ago, when="today")

    changes = lake.changes(yesterday.at)
    print("\nWhat changed in between, from lake.changes(yesterday):")
    print_frame(changes.summary)
    if "deals" in changes:
        print("\nOf the deals:")
        print_frame(changes["deals"].select("change", "id", "column", "old", "new").head(12))

    data_before = lake.as_of(yesterday.at)
    data_now = lake.open()
    print(
        "\nWhy the open amount changed, from analysis.waterfall(lake.as_of(yesterday), "
        "lake.open()):"
    )
    whole_amounts = pl.col("amount").round().cast(pl.Int64)
    print_frame(analysis.waterfall(data_before, data_now).with_columns(whole_amounts))
    report_file = data_now.collect().report(
        options.out / "lake.html", title="From the lake", earlier=data_before
    )
    print(f"\nLake:   {place.resolve()}")
    print(f"Report: {report_file.resolve()}")
    if yesterday.complete and today.complete:
        return OK
    return INCOMPLETE


async def _refreshed(
    lake: Lake, options: argparse.Namespace, *, days_ago: int, when: str
) -> Refreshed:
    """Refresh the lake from the services as they were then, and say what it took."""
    began_at = dt.datetime.now(dt.UTC)
    async with crmlab.sandbox(
        options.world, rows=options.rows, seed=options.seed, days_ago=days_ago, data=options.data
    ) as accounts:
        refreshed = await lake.refresh(accounts)
    seconds = (dt.datetime.now(dt.UTC) - began_at).total_seconds()
    totals = refreshed.written.select(pl.exclude("table").sum()).row(0, named=True)
    counts = ", ".join(f"{number:,} {change}" for change, number in totals.items())
    completeness = "NOT COMPLETE"
    if refreshed.complete:
        completeness = "complete"
    print(f"Refreshed from the services as they were {when}: {counts}.")
    print(f"  {refreshed.requests:,} requests, {seconds:.1f} s, {completeness}.")
    return refreshed
