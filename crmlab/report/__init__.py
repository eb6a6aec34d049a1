"""One self-contained HTML report: summary in words, charts, and how good the data is."""

from __future__ import annotations

import datetime as dt
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import plotly.graph_objects as go
import polars as pl

from crmlab import plots
from crmlab.analysis import activity, consent, pipeline
from crmlab.errors import PlanError
from crmlab.report.page import PAGE, STYLE, bullets, section, table, text
from crmlab.report.words import bad_news, in_words
from crmlab.tables import TABLES

#: a chart, and the numbers it shows where they are few
Chart = tuple[go.Figure, pl.DataFrame | None]


def write(
    path: str | os.PathLike[str],
    tables: Mapping[str, pl.DataFrame],
    summary: pl.DataFrame,
    *,
    rejected: pl.DataFrame | None = None,
    failures: Sequence[str] = (),
    as_of: dt.datetime,
    mask: bool = False,
    title: str = "CRM and consent report",
    time_zone: str = "UTC",
) -> Path:
    """Write the report and return its path; a file that is there is replaced as a whole or not at all.

    The file holds all it needs, plotly.js included (4.8 MB), and forbids the browser to load
    anything else. It names owners of deals; contacts, texts and rejected records are not in it.

    Parameters
    ----------
    path
        Where to; the folder must exist.
    tables
        Shared tables by name. Shown are deals, stages, activities, consent_events and
        consent_statistics; the report says which of them are missing.
    summary
        The account of the fetch, a row for each account, resource and table. Reads account, provider,
        resource, table, rows, rejected, requests, retries, complete; all columns are shown.
    rejected
        Records that did not fit. Reads provider, account, resource, reason; counted by reason,
        without the values that reasons quote.
    failures
        What went wrong, in words.
    as_of
        When the data was fetched, with a time zone.
    title
        Heading of the report.
    time_zone
        IANA name of the clock by which activities and consent events are counted.

    Raises
    ------
    PlanError
        `as_of` has no time zone, or `time_zone` is not known.
    """
    if as_of.tzinfo is None:
        raise PlanError("as_of needs a time zone, such as datetime.now(UTC)")
    sections = (
        section(
            "Summary",
            f'<div class="words">{bullets([*bad_news(summary, failures), *in_words(tables)])}</div>',
        ),
        *_charts(tables, time_zone),
        section("Data quality", *_quality(summary, rejected, failures)),
    )
    page = PAGE.format(
        title=text(title),
        style=STYLE,
        as_of=text(as_of.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M UTC")),
        sources=_sources(summary),
        body="\n".join(sections),
    )
    return _replace(Path(path), page)


def _replace(path: Path, page: str) -> Path:
    # not tempfile: its files are for one user only, and a report is to be passed on
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}.part")
    try:
        part.write_text(page, encoding="utf-8", newline="\n")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def _charts(tables: Mapping[str, pl.DataFrame], time_zone: str) -> Iterator[str]:
    with_script = True
    for heading, name, charts in _CHARTS:
        if name not in tables:
            yield section(heading, f'<p class="soft">Absent: the table {name} was not fetched.</p>')
            continue
        parts = []
        for place, (figure, numbers) in enumerate(charts(tables, time_zone)):
            parts.append(_chart(figure, numbers, f"{name}-{place}", with_script))
            with_script = False
        yield section(heading, *parts)


def _pipeline(tables: Mapping[str, pl.DataFrame], _: str) -> Iterator[Chart]:
    deals, stages = tables["deals"], tables.get("stages", TABLES["stages"].empty())
    yield plots.pipeline_snapshot(deals, stages), pipeline.stage_snapshot(deals, stages)
    yield plots.win_rate(deals, by="owner_name"), pipeline.win_rate(deals, by="owner_name")
    yield plots.closed_by_month(deals), pipeline.closed_by_month(deals)


def _activity(tables: Mapping[str, pl.DataFrame], time_zone: str) -> Iterator[Chart]:
    activities = tables["activities"]
    yield (
        plots.activity_volume(activities, time_zone=time_zone),
        activity.volume(activities, None, time_zone=time_zone),
    )
    yield plots.activity_heatmap(activities, time_zone), None


def _consent(tables: Mapping[str, pl.DataFrame], time_zone: str) -> Iterator[Chart]:
    events = tables["consent_events"]
    yield plots.consent_trend(events, time_zone=time_zone), consent.trend(events, time_zone=time_zone)


def _banner(tables: Mapping[str, pl.DataFrame], _: str) -> Iterator[Chart]:
    statistics = tables["consent_statistics"]
    yield plots.consent_banner(statistics), consent.banner(statistics, None)


_CHARTS = (
    ("Pipeline", "deals", _pipeline),
    ("Activity", "activities", _activity),
    ("Consent", "consent_events", _consent),
    ("Consent banner", "consent_statistics", _banner),
)


def _chart(figure: go.Figure, numbers: pl.DataFrame | None, name: str, with_script: bool) -> str:
    """Return a chart with its title as text, which wraps and can be read aloud, and its numbers."""
    # both are text that was escaped for Plotly already
    title, note = figure.layout.title.text, figure.layout.title.subtitle.text or ""
    drawn = go.Figure(figure).update_layout(title=None, margin={"t": 12})
    plot = drawn.to_html(
        full_html=False,
        include_plotlyjs=with_script,
        div_id=name,
        default_height=f"{figure.layout.height}px",
        config={"responsive": True, "displayModeBar": False},
    )
    label = f"{title}. {note}".strip().replace('"', "&quot;")
    details = ""
    if numbers is not None and not numbers.is_empty():
        shown = table(numbers, f"The numbers of: {title}")
        details = f"<details><summary>The numbers</summary>{shown}</details>"
    return (
        f'<figure>\n<figcaption><h3>{title}</h3><p class="soft">{note}</p></figcaption>\n'
        f'<div class="plot" role="img" aria-label="Chart: {label}">{plot}</div>\n'
        f"{details}</figure>"
    )


def _sources(summary: pl.DataFrame) -> str:
    accounts = summary.select(pl.col("provider", "account").cast(pl.String)).drop_nulls().unique().sort(pl.all())
    named = ", ".join(f"{text(account)} ({text(provider)})" for provider, account in accounts.iter_rows())
    return f"Sources: {named}." if named else "Sources: none."


def _quality(summary: pl.DataFrame, rejected: pl.DataFrame | None, failures: Sequence[str]) -> Iterator[str]:
    asked = summary.unique(["provider", "account", "resource"]).select(pl.col("requests", "retries").sum())
    requests, retries = (int(number) for number in asked.row(0))
    rows = int(summary["rows"].sum())
    yield f"<p>{rows:,} rows in {requests:,} requests, {retries:,} of them repeated.</p>"
    yield "<h3>What was fetched</h3>"
    first = ("account", "provider", "resource", "table", "complete")
    shown = summary.select(*first, pl.exclude(*first, "note"))
    yield table(shown, "What was fetched") if shown.height else '<p class="soft">Nothing.</p>'
    notes = summary.filter(pl.col("note").fill_null("") != "").select("account", "table", "note")
    yield bullets([f"{text(where)}, {text(what)}: {text(note)}" for where, what, note in notes.iter_rows()])
    yield "<h3>Failures</h3>"
    yield bullets([text(failure) for failure in failures]) if failures else '<p class="soft">None.</p>'
    yield "<h3>Rejected records</h3>"
    if rejected is None or rejected.is_empty():
        yield '<p class="soft">None.</p>'
    else:
        yield "<p>Records that did not have the documented shape, by reason; values are not shown.</p>"
        yield table(_reasons(rejected), "Rejected records by reason", most=50)


def _reasons(rejected: pl.DataFrame) -> pl.DataFrame:
    """Count by reason. Polars quotes the value that does not fit, which may be a person's."""
    reason = pl.col("reason").str.replace_all(r"parse '.*'", "parse '…'").str.replace_all('".*"', '"…"')
    keys = [pl.col(name).cast(pl.String) for name in ("provider", "account", "resource")]
    return (
        rejected.group_by(*keys, reason)
        .agg(pl.len().cast(pl.Int64).alias("records"))
        .sort("records", "provider", "account", "resource", "reason", descending=[True] + [False] * 4)
    )
