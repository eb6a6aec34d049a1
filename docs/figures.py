"""Draw every public figure from a sandbox world into docs/figures/, the README's picture, and two sheets to look at.

Run with ``make figures``, which puts the sheets, on light and on dark, into the folder out/. Needs
the extra `images` (kaleido), which draws with the Chromium or Chrome that is installed, or that
BROWSER_PATH names, and Pillow.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import plotly.graph_objects as go
import plotly.io
import polars as pl
from PIL import Image

import crmlab
from crmlab import Fetched, analysis, plots
from crmlab.catalogue import CATALOGUE

WHERE = Path(__file__).parent / "figures"
LIGHT, DARK = "#ffffff", "#15171a"
WIDTH = 860  # the longest subtitle is not cut
#: a figure that says no height gets this
HEIGHT = 400
PEOPLE, SEED = 400, 1
#: the history of the deals is made of a look at them every other week, and of one today
DAYS_AGO = range(14, 183, 14)
#: the earlier one of two fetches
BEFORE = 84
#: of a picture; text stays smooth, colours stay apart, and a file is half as large
COLOURS = 160
#: pictures in a row of a sheet
ACROSS = 6
FIRST_LOOK, FIRST_WIDTH = WHERE.with_name("first-look.png"), 640


def figures(data: Fetched, past: Mapping[int, pl.DataFrame]) -> dict[str, go.Figure]:
    """Return every public figure by name; `past` are the deals of some days before, by how many."""
    now = data.fetched_at
    deals = data.deals
    snapshots = [(now - dt.timedelta(days=days), past[days]) for days in sorted(past, reverse=True)]
    variables = {
        **data,
        "as_of": now,
        "people": analysis.people(data.contacts),
        "before": past[BEFORE],
        "history": analysis.stage_history([*snapshots, (now, deals)]),
        "quota": dict.fromkeys(deals["currency"].drop_nulls().unique(), 200000.0),
        "time_zone": "UTC",
    }
    return {name: entry.draw(variables) for name, entry in CATALOGUE.items()}


def first_look(data: Fetched) -> dict[str, go.Figure]:
    """Return four figures for the README."""
    return {
        "win_rate": plots.win_rate(data.deals, by="owner_name"),
        "closed_by_month": plots.closed_by_month(data.deals),
        "activity_heatmap": plots.activity_heatmap(data, time_zone="Europe/Dublin"),
        "consent_trend": plots.consent_trend(data.consent_events, every="1mo"),
    }


def draw(
    shown: dict[str, go.Figure], where: Path, background: str, width: int = WIDTH
) -> list[Path]:
    """Write one small PNG for each figure on that background, and return the paths."""
    where.mkdir(parents=True, exist_ok=True)
    paths = [where / f"{name}.png" for name in shown]
    plotly.io.write_images(
        [go.Figure(figure).update_layout(paper_bgcolor=background) for figure in shown.values()],
        paths,
        width=width,
        height=[int(figure.layout.height or HEIGHT) for figure in shown.values()],
    )
    for path in paths:
        small(path)
    return paths


def small(path: Path) -> None:
    """Make a picture half as large."""
    with Image.open(path) as picture:
        reduced = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    reduced.save(path, optimize=True)


def sheet(paths: list[Path], path: Path, background: str, across: int = ACROSS) -> None:
    """Write one picture of them all, in rows."""
    pictures = [Image.open(each).convert("RGB") for each in paths]
    rows = [pictures[start : start + across] for start in range(0, len(pictures), across)]
    heights, width = [max(picture.height for picture in row) for row in rows], pictures[0].width
    whole = Image.new("RGB", (width * across, sum(heights)), background)
    for place, row in enumerate(rows):
        for column, picture in enumerate(row):
            whole.paste(picture, (column * width, sum(heights[:place])))
    whole.save(path, optimize=True)


async def _past(people: int) -> dict[int, pl.DataFrame]:
    """Return the deals as they were, by the days since."""
    deals = {}
    for days in DAYS_AGO:
        async with crmlab.sandbox(
            rows=people, seed=SEED, services=["onepagecrm"], days_ago=days
        ) as accounts:
            fetched = await crmlab.fetch(accounts, "deals")
        deals[days] = fetched.deals
    return deals


async def _fetched(people: int) -> Fetched:
    async with crmlab.sandbox(rows=people, seed=SEED) as accounts:
        return await crmlab.fetch(accounts)


def main(sheets: Path) -> None:
    """Draw them all into docs/figures/, and the two sheets into that folder."""
    shown = figures(asyncio.run(_fetched(PEOPLE)), asyncio.run(_past(PEOPLE)))
    sheets.mkdir(parents=True, exist_ok=True)
    paths = draw(shown, WHERE, LIGHT)
    sheet(paths, sheets / "light.png", LIGHT)
    with tempfile.TemporaryDirectory() as folder:
        sheet(draw(shown, Path(folder), DARK), sheets / "dark.png", DARK)
        first = draw(
            first_look(asyncio.run(_fetched(5 * PEOPLE))), Path(folder), LIGHT, FIRST_WIDTH
        )
        sheet(first, FIRST_LOOK, LIGHT, across=2)
    print(f"{len(paths)} pictures, {sum(path.stat().st_size for path in paths):,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
