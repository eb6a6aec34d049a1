"""The page of a report: its sections filled with charts, and written as one file."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import plotly.graph_objects as go
import polars as pl
from markupsafe import Markup, escape

from crmlab import atomic_files
from crmlab.analysis import people
from crmlab.catalogue import Entry
from crmlab.display import render
from crmlab.errors import UsageError
from crmlab.report.quality import quality
from crmlab.report.questions import Answer, NoAnswer, Quota, ReportInputs, answers, chosen
from crmlab.report.shown_numbers import numbers_in_words
from crmlab.report.words import bad_news, in_words, period_in_words
from crmlab.results import Result
from crmlab.schema import TABLES, Asked, TimeLike, as_instant, zone

#: heading of a report that nobody named
TITLE = "CRM and consent report"
_TEMPLATE = Path(__file__).parent / "templates" / "report.html.jinja"
#: names that would promise another kind of file
_OTHER_KINDS = frozenset(
    (".csv", ".docx", ".json", ".md", ".parquet", ".pdf", ".png", ".svg", ".txt", ".xlsx")
)


def check_name(path: str | os.PathLike[str]) -> None:
    """Refuse a name that would promise another kind of file than a report is.

    Raises
    ------
    UsageError
        It ends like a file of another kind.

    Examples
    --------
    >>> check_name("monday.pdf")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    crmlab.errors.UsageError: a report is an HTML file, and monday.pdf would be none: name one that ends in .html ...
    """
    if Path(path).suffix.lower() in _OTHER_KINDS:
        raise UsageError(
            f"a report is an HTML file, and {path} would be none: name one that ends in .html (a browser prints it as "
            "PDF), or ask for its numbers with tables='csv', 'parquet' or 'xlsx' (--tables csv)"
        )


def write(
    path: str | os.PathLike[str],
    tables: Mapping[str, pl.DataFrame],
    summary: pl.DataFrame,
    *,
    who: pl.DataFrame | None = None,
    rejected: pl.DataFrame | None = None,
    misfits: pl.DataFrame | None = None,
    failures: Sequence[str] = (),
    assumptions: Mapping[str, Sequence[str]] = MappingProxyType({}),
    as_of: TimeLike,
    masked: bool = False,
    title: str = TITLE,
    time_zone: str = "UTC",
    questions: Iterable[str] | None = None,
    earlier: Result[Any] | None = None,
    quota: Quota | None = None,
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
        of a name or number cannot be compared as people write them. None: found in `tables`; where these are
        masked, what needs it is not answered.
    rejected
        Records that did not fit. Reads provider, account, resource, reason; counted by reason,
        without the values that reasons quote.
    misfits
        Values that could not be read. Reads provider, account, resource, field, reason; counted like `rejected`.
    failures
        What went wrong, in words.
    assumptions
        By service: what its vendor does not document and the numbers rest on.
    as_of
        The moment of ages, states and forecasts, with a time zone: as a rule when the data was fetched. A date is the
        beginning of that day in `time_zone`.
    masked
        Whether personal values in `tables` are tokens, which the page then says.
    title
        Heading of the report.
    time_zone
        IANA name of the clock by which days and months are counted, and times are shown.
    questions
        Names of questions, as figures are called in `crmlab.plots`; None: those of `crmlab.report.DEFAULT`. One that
        the data cannot answer is in the report, with the reason.
    earlier
        A fetch of before, for waterfall, funnel and the time that deals stay in a stage.
    quota
        What is to be won this year, for its coverage: an amount, or one for each currency.
    asked
        What the tables were asked for. Of a period, questions that need everything are not drawn, with the reason, and
        the others say the period. None: the tables are whole.

    Raises
    ------
    UsageError
        `as_of` has no time zone, `time_zone` or a question is not known, `path` ends like a file of another kind, or
        the folder is none or not ours to write to.
    """
    check_name(path)
    moment = as_instant(as_of, "as_of", time_zone)
    people_known = who
    # tokens tell nobody who is who: what was found before masking must be given
    if who is None and not masked:
        people_known = known_people(tables)
    inputs = ReportInputs(
        tables,
        people_known,
        moment,
        time_zone,
        asked or Asked(fetched_at=moment),
        summary,
        earlier,
        quota,
    )
    questions_asked = chosen(questions, inputs.default())
    fetched_at = ""
    if inputs.asked.fetched_at != moment:
        fetched_at = _clock(inputs.asked.fetched_at, time_zone)
    words = [
        *bad_news(summary, failures),
        *period_in_words(inputs.asked),
        *in_words(inputs),
    ]
    page = render(
        _TEMPLATE,
        title=title,
        as_of=_clock(moment, time_zone),
        fetched_at=fetched_at,
        sources=_sources(summary),
        masked=masked,
        words=words,
        sections=list(_sections(questions_asked, inputs)),
        quality=quality(summary, rejected, misfits, failures),
        assumptions=assumptions,
    )
    # bytes: text would get other line ends on Windows
    content = page.encode()
    writers = {Path(path): lambda part: part.write_bytes(content)}
    (written,) = atomic_files.write_files(writers)
    return written


def known_people(tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return who is who among the contacts of these tables, as `crmlab.analysis.people.people` finds them."""
    if "contacts" not in tables:
        return people(TABLES["contacts"].empty())
    return people(tables["contacts"])


def _clock(at: dt.datetime, time_zone: str) -> str:
    """Return what the clock of a place shows, with the name of the place."""
    return f"{at.astimezone(zone(time_zone)):%Y-%m-%d %H:%M} {time_zone}"


def _sources(summary: pl.DataFrame) -> list[tuple[str, str]]:
    """Return provider and account of all that was asked."""
    names = pl.col("provider", "account").cast(pl.String)
    accounts = summary.select(names).drop_nulls().unique()
    return accounts.sort(pl.all()).rows()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chart:
    """A question, the chart with its title as text, and its numbers."""

    #: for links to it
    id: str
    question: str
    title: Markup
    note: Markup
    #: for who cannot see the chart
    label: str = ""
    plot: Markup | None = None
    numbers: Markup | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
    heading: str
    #: the tables without which there is nothing to draw
    missing: Sequence[str] = ()
    charts: Sequence[_Chart] = ()


def _sections(
    questions_asked: Mapping[str, Sequence[Entry]], inputs: ReportInputs
) -> Iterator[_Section]:
    # shared by all sections: who is who is found once
    variables = inputs.variables()
    with_script = True
    for heading, entries in questions_asked.items():
        answered = list(answers(entries, inputs, variables))
        missing = _missing_in_all(answered)
        if missing:
            yield _Section(heading=heading, missing=missing)
            continue

        charts = []
        for answer in answered:
            if isinstance(answer, NoAnswer):
                charts.append(_not_drawn(answer))
                continue
            charts.append(_chart(answer, inputs, with_script=with_script))
            with_script = False  # one plotly.js does for all
        yield _Section(heading=heading, charts=charts)


def _missing_in_all(answered: Sequence[Answer | NoAnswer]) -> list[str]:
    """Return the tables that all questions need and that are not there."""
    in_all: list[str] | None = None
    for answer in answered:
        if not isinstance(answer, NoAnswer):
            return []
        if in_all is None:
            in_all = list(answer.tables)
        in_all = [table for table in in_all if table in answer.tables]
    return in_all or []


def _not_drawn(answer: NoAnswer) -> _Chart:
    entry = answer.entry
    why = f"Not drawn: this needs {answer.lacking}."
    return _Chart(
        id=entry.name,
        question="",
        title=escape(entry.question),
        note=escape(why),
    )


def _chart(
    answer: Answer,
    inputs: ReportInputs,
    *,
    with_script: bool,
) -> _Chart:
    figure = answer.figure
    # Plotly renders a subset of HTML, so figures escape their texts already
    title = Markup(figure.layout.title.text)  # noqa: S704
    note = Markup(figure.layout.title.subtitle.text or "")  # noqa: S704
    # the page writes the title as text, which a browser can search and read aloud
    untitled = go.Figure(figure)
    untitled.update_layout(title=None, margin={"t": 12})
    plot = untitled.to_html(
        full_html=False,
        include_plotlyjs=with_script,
        div_id=f"chart-{answer.entry.name}",
        default_height=f"{figure.layout.height}px",
        config={"responsive": True, "displayModeBar": False},
    )
    return _Chart(
        id=answer.entry.name,
        question=answer.entry.question,
        title=title,
        note=note,
        label=f"Chart: {title.striptags()}. {note.striptags()}".strip(),
        plot=Markup(plot),  # noqa: S704  # Plotly escapes what stands in its scripts
        numbers=numbers_in_words(answer, inputs),
    )
