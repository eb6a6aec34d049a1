"""Draw every public figure from a sandbox world into docs/figures/, and two sheets of them all to look at.

Run with ``make figures``, which puts the sheets, on light and on dark, into the folder out/. Needs
the extra `images` (kaleido), which draws with the Chromium or Chrome that is installed, or that
BROWSER_PATH names, and Pillow.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import sys
import tempfile
from pathlib import Path

import plotly.graph_objects as go
import plotly.io
import polars as pl
from PIL import Image

import crmlab
from crmlab import Fetched, plots
from crmlab.analysis import history, people

WHERE = Path(__file__).parent / "figures"
LIGHT, DARK = "#ffffff", "#15171a"
WIDTH = 860  # the longest subtitle is not cut
#: a figure that says no height gets this
HEIGHT = 400
PEOPLE, SEED = 400, 1
#: of a picture; text stays smooth, and a file is a third as large
COLOURS = 64
#: pictures in a row of a sheet
ACROSS = 6


def figures(data: Fetched) -> dict[str, go.Figure]:
    """Return every public figure by name."""
    deals, stages, activities, contacts = data.deals, data.stages, data.activities, data.contacts
    events, statistics, users = data.consent_events, data.consent_statistics, data.users
    now = data.fetched_at
    known = people.people(contacts)
    before = deals.filter(pl.col("created_at") < now - dt.timedelta(days=60)).with_columns(
        stage=(pl.col("stage") - 20).clip(lower_bound=0), status=pl.lit("pending")
    )
    told = history.stage_history([(now - dt.timedelta(days=30), before), (now, deals)])
    quota = dict.fromkeys(deals["currency"].drop_nulls().unique(), 200000.0)
    year = now.date().replace(month=1, day=1)
    return {
        "activities_after_opt_out": plots.activities_after_opt_out(activities, events, known, as_of=now),
        "activities_per_deal": plots.activities_per_deal(deals, activities),
        "activity_heatmap": plots.activity_heatmap(activities, "UTC"),
        "activity_volume": plots.activity_volume(activities),
        "activity_volume_by_owner": plots.activity_volume_by_owner(activities, users),
        "ageing": plots.ageing(deals, now),
        "banner_items": plots.banner_items(data.consent_statistics_items),
        "banner_rates": plots.banner_rates(statistics),
        "closed_by_month": plots.closed_by_month(deals),
        "completion_rate": plots.completion_rate(activities, as_of=now, users=users),
        "confirmation_rate": plots.confirmation_rate(events, now),
        "consent_and_win_rate": plots.consent_and_win_rate(deals, events, known),
        "consent_banner": plots.consent_banner(statistics),
        "consent_coverage_of_pipeline": plots.consent_coverage_of_pipeline(deals, events, known, as_of=now),
        "consent_journeys": plots.consent_journeys(events),
        "consent_rate": plots.consent_rate(events, now),
        "consent_stock": plots.consent_stock(events),
        "consent_survival": plots.consent_survival(events, now, by="channel"),
        "consent_trend": plots.consent_trend(events),
        "coverage": plots.coverage(deals, quota, since=year, until=year.replace(year=year.year + 1)),
        "created_against_closed": plots.created_against_closed(deals),
        "cycle_length": plots.cycle_length(deals, by="owner_name"),
        "days_since_last_touch": plots.days_since_last_touch(contacts, activities, as_of=now),
        "documentation_coverage": plots.documentation_coverage(events, now),
        "email_engagement": plots.email_engagement(activities, data.campaigns),
        "email_engagement_over_time": plots.email_engagement_over_time(activities),
        "expiring_consents": plots.expiring_consents(events, now),
        "funnel": plots.funnel(told, stages),
        "loss_reasons": plots.loss_reasons(deals),
        "mailed_but_objected": plots.mailed_but_objected(
            contacts, data.subscriptions, activities, events, known, as_of=now
        ),
        "open_actions": plots.open_actions(activities, as_of=now, users=users),
        "open_pipeline_by_consent": plots.open_pipeline_by_consent(deals, events, known, as_of=now),
        "people_overlap": plots.people_overlap(known),
        "pipeline_snapshot": plots.pipeline_snapshot(deals, stages),
        "response_time": plots.response_time(contacts, activities, as_of=now),
        "sales_velocity": plots.sales_velocity(deals, now, by="owner_name"),
        "stage_durations": plots.stage_durations(told, stages),
        "time_to_confirm": plots.time_to_confirm(events, now, by="channel"),
        "waterfall": plots.waterfall(before, deals),
        "weighted_pipeline": plots.weighted_pipeline(deals, now),
        "win_cohorts": plots.win_cohorts(deals, now),
        "win_rate": plots.win_rate(deals, by="owner_name"),
    }


def draw(shown: dict[str, go.Figure], where: Path, background: str) -> list[Path]:
    """Write one small PNG for each figure on that background, and return the paths."""
    where.mkdir(parents=True, exist_ok=True)
    paths = [where / f"{name}.png" for name in shown]
    plotly.io.write_images(
        [go.Figure(figure).update_layout(paper_bgcolor=background) for figure in shown.values()],
        paths,
        width=WIDTH,
        height=[int(figure.layout.height or HEIGHT) for figure in shown.values()],
    )
    for path in paths:
        with Image.open(path) as picture:
            small = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        small.save(path, optimize=True)
    return paths


def sheet(paths: list[Path], path: Path, background: str) -> None:
    """Write one picture of them all, in rows."""
    pictures = [Image.open(each).convert("RGB") for each in paths]
    rows = [pictures[start : start + ACROSS] for start in range(0, len(pictures), ACROSS)]
    heights = [max(picture.height for picture in row) for row in rows]
    whole = Image.new("RGB", (WIDTH * ACROSS, sum(heights)), background)
    for place, row in enumerate(rows):
        for column, picture in enumerate(row):
            whole.paste(picture, (column * WIDTH, sum(heights[:place])))
    whole.save(path)


async def _fetched() -> Fetched:
    async with crmlab.sandbox(rows=PEOPLE, seed=SEED) as accounts:
        return await crmlab.fetch(accounts)


def main(sheets: Path) -> None:
    """Draw them all into docs/figures/, and the two sheets into that folder."""
    shown = figures(asyncio.run(_fetched()))
    sheets.mkdir(parents=True, exist_ok=True)
    paths = draw(shown, WHERE, LIGHT)
    sheet(paths, sheets / "light.png", LIGHT)
    with tempfile.TemporaryDirectory() as folder:
        sheet(draw(shown, Path(folder), DARK), sheets / "dark.png", DARK)
    print(f"{len(paths)} pictures, {sum(path.stat().st_size for path in paths):,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
