"""One self-contained HTML report: summary in words, charts, and how good the data is."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import plotly.graph_objects as go
import polars as pl

from crmlab.analysis import people
from crmlab.report.charts import SECTIONS, Given, charts
from crmlab.report.page import PAGE, STYLE, bullets, section, table, text
from crmlab.report.words import bad_news, in_words
from crmlab.results import masking
from crmlab.schema import TABLES, TimeLike, as_instant

_MASKED = "Masked: names, addresses and texts are random tokens, the same for the same value. Ids are not masked."


def write(
    path: str | os.PathLike[str],
    tables: Mapping[str, pl.DataFrame],
    summary: pl.DataFrame,
    *,
    rejected: pl.DataFrame | None = None,
    failures: Sequence[str] = (),
    assumptions: Mapping[str, Sequence[str]] = MappingProxyType({}),
    as_of: TimeLike,
    mask: bool = False,
    title: str = "CRM and consent report",
    time_zone: str = "UTC",
) -> Path:
    """Write the report and return its path; a file that is there is replaced as a whole or not at all.

    The file holds all it needs, plotly.js included (4.8 MB), and forbids the browser to load
    anything else. It names owners of deals unless masked; contacts, texts and rejected records are not in it.

    Parameters
    ----------
    path
        Where to; the folder must exist.
    tables
        Shared tables by name. A section each have deals, activities, consent_events, consent_statistics
        and contacts, and the report says which of them are missing; stages, users, campaigns and
        subscriptions add to them.
    summary
        The account of the fetch, a row for each account, resource and table. Reads account, provider,
        resource, table, rows, rejected, requests, retries, complete; all columns are shown.
    rejected
        Records that did not fit. Reads provider, account, resource, reason; counted by reason,
        without the values that reasons quote.
    failures
        What went wrong, in words.
    assumptions
        By service: what its vendor does not document and the numbers rest on.
    as_of
        When the data was fetched, with a time zone: the moment of ages, states and forecasts.
    mask
        Tokens for personal values, also the names of owners, and no reasons of rejected records; see
        `crmlab.results.masking.mask`.
    title
        Heading of the report.
    time_zone
        IANA name of the clock by which activities and consent events are counted.

    Raises
    ------
    UsageError
        `as_of` has no time zone, or `time_zone` is not known.
    """
    now = as_instant(as_of, "as_of", time_zone)
    who = people(tables["contacts"] if "contacts" in tables else TABLES["contacts"].empty())
    if mask:  # after that: tokens of a name or number cannot be compared as people write them
        tables = masking.mask(tables)
        rejected = rejected if rejected is None else masking.without_content(rejected)
    given = Given(tables, who, now, time_zone)
    sections = (
        section(
            "Summary",
            f'<div class="words">{bullets([*bad_news(summary, failures), *in_words(given)])}</div>',
        ),
        *_charts(given),
        section("Data quality", *_quality(summary, rejected, failures), *_assumed(assumptions)),
    )
    page = PAGE.format(
        title=text(title),
        style=STYLE,
        as_of=text(now.strftime("%Y-%m-%d %H:%M UTC")),
        sources=_sources(summary) + (f" {_MASKED}" if mask else ""),
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


def _charts(given: Given) -> Iterator[str]:
    with_script = True
    for heading, name, questions in SECTIONS:
        if name not in given:
            yield section(heading, f'<p class="soft">Absent: the table {name} was not fetched.</p>')
            continue
        parts = []
        for place, (figure, numbers) in enumerate(charts(questions, given)):
            parts.append(_chart(figure, numbers, f"{name}-{place}", with_script))
            with_script = False
        yield section(heading, *parts)


def _chart(figure: go.Figure, numbers: pl.DataFrame, name: str, with_script: bool) -> str:
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
    if not numbers.is_empty():
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
    yield "<h3>Drift</h3>"
    fields = pl.col("note").str.extract(r"fields nobody documented: ([^;]+)").alias("fields")
    new = summary.select("provider", "resource", fields).drop_nulls("fields").unique(maintain_order=True)
    lines = [f"{text(provider)}, {text(resource)}: {text(names)}" for provider, resource, names in new.iter_rows()]
    yield "<p>Fields that came and that nobody documented: they are in no table.</p>" if lines else ""
    yield bullets(lines) if lines else '<p class="soft">None.</p>'
    yield "<h3>Failures</h3>"
    yield bullets([text(failure) for failure in failures]) if failures else '<p class="soft">None.</p>'
    yield "<h3>Rejected records</h3>"
    if rejected is None or rejected.is_empty():
        yield '<p class="soft">None.</p>'
    else:
        yield "<p>Records that did not have the documented shape, by reason; values are not shown.</p>"
        yield table(_reasons(rejected), "Rejected records by reason", most=50)


def _assumed(assumptions: Mapping[str, Sequence[str]]) -> Iterator[str]:
    yield "<h3>Assumptions</h3>"
    yield '<p class="soft">What the vendors do not document, and the numbers above rest on.</p>'
    for title, lines in assumptions.items():
        shown = bullets([text(line) for line in lines])
        yield f'<details class="printed"><summary>{text(title)}: {len(lines)}</summary>{shown}</details>'
    if not assumptions:
        yield '<p class="soft">None.</p>'


def _reasons(rejected: pl.DataFrame) -> pl.DataFrame:
    """Count by reason. Polars quotes the value that does not fit, which may be a person's."""
    reason = pl.col("reason").str.replace_all(r"parse '.*'", "parse '…'").str.replace_all('".*"', '"…"')
    keys = [pl.col(name).cast(pl.String) for name in ("provider", "account", "resource")]
    return (
        rejected.group_by(*keys, reason)
        .agg(pl.len().cast(pl.Int64).alias("records"))
        .sort("records", "provider", "account", "resource", "reason", descending=[True] + [False] * 4)
    )
