"""The page of a report: its sections filled with charts, and written as one file."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import plotly.graph_objects as go
import polars as pl
from markupsafe import Markup, escape

from crmlab import atomic_files
from crmlab.analysis import people
from crmlab.display import html_table, render
from crmlab.report.charts import SECTIONS, NotDrawn, ReportInputs, charts
from crmlab.report.quality import quality, spaced
from crmlab.report.words import bad_news, in_words, period_in_words
from crmlab.schema import TABLES, Asked, TimeLike, as_instant

_TEMPLATE = Path(__file__).parent / "templates" / "report.html.jinja"


def write(
    path: str | os.PathLike[str],
    tables: Mapping[str, pl.DataFrame],
    summary: pl.DataFrame,
    *,
    who: pl.DataFrame | None = None,
    rejected: pl.DataFrame | None = None,
    failures: Sequence[str] = (),
    assumptions: Mapping[str, Sequence[str]] = MappingProxyType({}),
    as_of: TimeLike,
    masked: bool = False,
    title: str = "CRM and consent report",
    time_zone: str = "UTC",
    asked: Asked | None = None,
) -> Path:
    """Write the report and return its path; a file that is there is replaced as a whole or not at all.

    The file holds all it needs, plotly.js included (4.8 MB), and forbids the browser to load
    anything else. It names owners of deals unless they are masked; contacts, texts and rejected records are not in it.

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
    who
        Who is who among the contacts, from `known_people`. For masked tables it must come from those of before: tokens
        of a name or number cannot be compared as people write them. None: found in `tables`.
    rejected
        Records that did not fit. Reads provider, account, resource, reason; counted by reason,
        without the values that reasons quote.
    failures
        What went wrong, in words.
    assumptions
        By service: what its vendor does not document and the numbers rest on.
    as_of
        When the data was fetched, with a time zone: the moment of ages, states and forecasts.
    masked
        Whether personal values in `tables` are tokens, which the page then says.
    title
        Heading of the report.
    time_zone
        IANA name of the clock by which activities and consent events are counted.
    asked
        What the tables were asked for. Of a period, questions that need everything are not drawn, with the reason, and
        the others say the period. None: the tables are whole.

    Raises
    ------
    UsageError
        `as_of` has no time zone, `time_zone` is not known, or the folder is none or not ours to write to.
    """
    now = as_instant(as_of, "as_of", time_zone)
    people_known = known_people(tables) if who is None else who
    inputs = ReportInputs(tables, people_known, now, time_zone, asked or Asked(fetched_at=now), summary)
    page = render(
        _TEMPLATE,
        title=title,
        as_of=now.strftime("%Y-%m-%d %H:%M UTC"),
        sources=_sources(summary),
        masked=masked,
        words=[*bad_news(summary, failures), *period_in_words(inputs.asked), *in_words(inputs)],
        sections=list(_sections(inputs)),
        quality=quality(summary, rejected, failures),
        assumptions=assumptions,
    )
    # bytes: text would get other line ends on Windows
    (written,) = atomic_files.write_files({Path(path): lambda part: part.write_bytes(page.encode())})
    return written


def known_people(tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return who is who among the contacts of these tables, as `crmlab.analysis.people.people` finds them."""
    return people(tables["contacts"] if "contacts" in tables else TABLES["contacts"].empty())


def _sources(summary: pl.DataFrame) -> list[tuple[str, str]]:
    """Return provider and account of all that was asked."""
    accounts = summary.select(pl.col("provider", "account").cast(pl.String)).drop_nulls().unique()
    return accounts.sort(pl.all()).rows()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chart:
    """A chart with its title as text, and its numbers."""

    title: Markup
    note: Markup
    #: for who cannot see the chart
    label: str
    plot: Markup | None
    numbers: Markup | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
    heading: str
    #: the table without which there is nothing to draw
    missing: str = ""
    charts: Sequence[_Chart] = ()


def _sections(inputs: ReportInputs) -> Iterator[_Section]:
    with_script = True
    for heading, name, questions in SECTIONS:
        if name not in inputs:
            yield _Section(heading=heading, missing=name)
            continue
        drawn = []
        for place, answer in enumerate(charts(questions, inputs)):
            if isinstance(answer, NotDrawn):
                drawn.append(_not_drawn(answer))
                continue
            figure, numbers = answer
            drawn.append(_chart(figure, numbers, f"{name}-{place}", with_script=with_script))
            with_script = False  # one plotly.js does for all
        yield _Section(heading=heading, charts=drawn)


def _not_drawn(answer: NotDrawn) -> _Chart:
    return _Chart(title=escape(answer.question), note=escape(answer.why), label="", plot=None, numbers=None)


def _chart(figure: go.Figure, numbers: pl.DataFrame, name: str, *, with_script: bool) -> _Chart:
    # Plotly renders a subset of HTML, so figures escape their texts already
    title = Markup(figure.layout.title.text)  # noqa: S704
    note = Markup(figure.layout.title.subtitle.text or "")  # noqa: S704
    untitled = go.Figure(figure).update_layout(title=None, margin={"t": 12})
    plot = untitled.to_html(
        full_html=False,
        include_plotlyjs=with_script,
        div_id=name,
        default_height=f"{figure.layout.height}px",
        config={"responsive": True, "displayModeBar": False},
    )
    table = None
    if not numbers.is_empty():
        table = html_table(spaced(numbers), label=f"The numbers of: {title.striptags()}", absent="-")
    return _Chart(
        title=title,
        note=note,
        label=f"Chart: {title.striptags()}. {note.striptags()}".strip(),
        plot=Markup(plot),  # noqa: S704  # Plotly escapes what stands in its scripts
        numbers=table,
    )
