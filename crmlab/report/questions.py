"""Which questions a report answers, and the answers: numbers, figure, and why there is none."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import plotly.graph_objects as go
import polars as pl

from crmlab import providers
from crmlab.analysis import people, stage_history
from crmlab.catalogue import CATALOGUE, GIVEN, SECTIONS, Entry, evaluate, variables_of
from crmlab.display import listed
from crmlab.errors import UsageError
from crmlab.plots import with_note
from crmlab.results import Result
from crmlab.schema import TABLES, Asked, unread_note

#: what a page shows where nobody chose: few enough to be read
DEFAULT = (
    "pipeline_snapshot",
    "weighted_pipeline",
    "ageing",
    "win_rate",
    "created_against_closed",
    "cycle_length",
    "activity_volume",
    "activity_heatmap",
    "open_actions",
    "response_time",
    "email_engagement",
    "consent_rate",
    "consent_stock",
    "consent_trend",
    "consent_survival",
    "expiring_consents",
    "consent_banner",
    "people_overlap",
    "open_pipeline_by_consent",
    "activities_after_opt_out",
    "mailed_but_objected",
)
#: what else it shows where the user gave what these questions need
DEFAULT_WITH: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"earlier": ("waterfall", "funnel", "stage_durations"), "quota": ("coverage",)}
)
#: what no fetch brings, as it stands after "needs"
_NOT_IN_A_FETCH = {
    "quota": "a quota, which only you know (quota=)",
    "earlier": "an earlier fetch to compare with (earlier=)",
}
#: an amount, or one for each currency
Quota = float | Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ReportInputs:
    """The tables, who is who in them, when they were fetched, the clock they are counted by, and what was asked."""

    tables: Mapping[str, pl.DataFrame]
    #: None where nothing tells
    people: pl.DataFrame | None
    as_of: dt.datetime
    time_zone: str
    asked: Asked
    #: that of the fetch: how many values of each table could not be read
    summary: pl.DataFrame = field(default_factory=pl.DataFrame)
    #: a fetch of before, and what is to be won this year; None: not given
    earlier: Result[Any] | None = None
    quota: Quota | None = None

    def __post_init__(self) -> None:
        if self.earlier is None:
            return
        if not isinstance(self.earlier, Result):
            raise UsageError(
                "earlier must be an earlier fetch: what crmlab.fetch or crmlab.open returned"
            )
        if self.earlier.fetched_at >= self.asked.fetched_at:
            raise UsageError(
                f"earlier was fetched at {self.earlier.fetched_at:%Y-%m-%d %H:%M} UTC, and the data not later: "
                "stays in a stage would run backwards. If its deals are of another time, say so with "
                "crmlab.collect(deals=earlier.deals, as_of=...)"
            )

    def __getitem__(self, name: str) -> pl.DataFrame:
        if name not in self.tables:
            return TABLES[name].empty()
        return self.tables[name]

    def __contains__(self, name: str) -> bool:
        return name in self.tables

    def variables(self) -> dict[str, Any]:
        """Return what the code of questions may read, by name; `answers` adds what is made of these."""
        variables: dict[str, Any] = {name: self[name] for name in TABLES}
        variables["as_of"] = self.as_of
        variables["time_zone"] = self.time_zone
        variables["fetched_at"] = self.asked.fetched_at
        # what is not there has no name here, by which `_not_in_a_fetch` finds it
        if self.people is not None:
            variables["people"] = self.people
        return variables | self._given()

    def _given(self) -> dict[str, Any]:
        """Return what the user gave besides tables, by name."""
        optional = {"earlier": self.earlier, "quota": self.quota}
        return {name: value for name, value in optional.items() if value is not None}

    def default(self) -> tuple[str, ...]:
        """Return the questions that a page shows where nobody chose."""
        questions = list(DEFAULT)
        for name in self._given():
            questions += DEFAULT_WITH[name]
        return tuple(questions)

    def lacks(self, entry: Entry) -> str:
        """Return, as it stands after "needs", what is missing for a question; "" where nothing is."""
        lacking = entry.lacks(self.asked, is_masked=self.people is None)
        if lacking or self.earlier is None:
            return lacking
        # what compares two fetches needs everything of both
        if "earlier" in entry.reads():
            return entry.lacks(self.earlier.asked)
        return ""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a question: the numbers, and the figure that shows them and says of whom they are."""

    entry: Entry
    numbers: pl.DataFrame
    figure: go.Figure


@dataclass(frozen=True, slots=True)
class NoAnswer:
    """A question that these data cannot answer; `lacking` is what is missing, as it stands after "needs"."""

    entry: Entry
    lacking: str
    #: the tables among that
    tables: tuple[str, ...] = ()


def chosen(questions: Iterable[str] | None, default: Iterable[str]) -> dict[str, list[Entry]]:
    """Return the questions of these names under their headings, in the order in which they were named.

    Raises
    ------
    UsageError
        One is no question of the catalogue, there is none, or the names are one text.
    """
    # a text is a list of letters, none of which is a question
    if isinstance(questions, str):
        raise UsageError(f"questions={questions!r} is one text: give a list, [{questions!r}]")
    wanted = default if questions is None else questions
    names = list(dict.fromkeys(wanted))
    for name in names:
        if name not in CATALOGUE:
            raise UsageError(providers.unknown("question", name, CATALOGUE))
    if not names:
        raise UsageError("questions is empty: name at least one, or leave it out")

    by_heading = {}
    for heading, under_heading in SECTIONS.items():
        # in the order in which they were named, not in that of the catalogue
        entries = [CATALOGUE[name] for name in names if CATALOGUE[name] in under_heading]
        if entries:
            by_heading[heading] = entries
    return by_heading


def answers(
    entries: Sequence[Entry],
    inputs: ReportInputs,
    variables: dict[str, Any],
) -> Iterator[Answer | NoAnswer]:
    """Return the answer to each question; what needs more than the data hold has none.

    What questions have in common, such as who is who, is added to `variables`, and so is made once.
    """
    for entry in entries:
        unanswered = _unanswered(entry, inputs, variables)
        if unanswered:
            yield unanswered
            continue

        notes = (
            entry.period_note(inputs.asked),
            entry.time_note(inputs.asked, inputs.as_of),
            unread_note(inputs.summary, entry.reads_tables),
        )
        figure = entry.draw(variables)
        for note in notes:
            figure = with_note(figure, note)
        yield Answer(entry, entry.count(variables), figure)


def numbers_of(
    question: str,
    data: Result[Any],
    *,
    time_zone: str = "UTC",
    earlier: Result[Any] | None = None,
    quota: Quota | None = None,
) -> pl.DataFrame:
    """Return the numbers that answer one question of the catalogue: those that a report of the data shows.

    Parameters
    ----------
    question
        Its name.
    data
        A fetch, or stored tables, of which no more is read than the answer needs.
    time_zone
        IANA name of the clock by which days and months are counted.
    earlier
        A fetch of before, for questions that compare.
    quota
        The amount to be won this year; ``{currency: amount}`` where the deals are in more than one.

    Raises
    ------
    UsageError
        There is no such question, or the data lack what it needs.

    Examples
    --------
    >>> import polars as pl
    >>> import crmlab
    >>> rows = {"id": ["1", "2"], "status": ["won", "lost"], "owner_name": ["Ann Bee", None]}
    >>> deals = crmlab.table("deals", pl.DataFrame(rows), provider="salesforce")
    >>> numbers_of("win_rate", crmlab.collect(deals=deals, as_of="2026-01-31")).height
    2
    """
    ((entry,),) = chosen([question], ()).values()
    tables: Mapping[str, Any] = data  # lazy or not: analyses take both
    known_people = None
    # finding people takes long, and most questions do without
    needs_people = "people" in entry.reads() and not data.is_masked
    if needs_people and "contacts" in tables:
        known_people = people(tables["contacts"])
    inputs = ReportInputs(
        tables, known_people, data.fetched_at, time_zone, data.asked, data.summary, earlier, quota
    )
    variables = inputs.variables()
    unanswered = _unanswered(entry, inputs, variables)
    if unanswered:
        raise UsageError(f"{question} needs {unanswered.lacking}")
    return entry.count(variables)


def columns_of(question: str) -> pl.Schema:
    """Return the columns of the numbers that answer a question, with their dtypes.

    Examples
    --------
    >>> columns_of("win_rate")["win_rate"]
    Float64
    """
    ((entry,),) = chosen([question], ()).values()
    now = dt.datetime.now(dt.UTC)
    # an analysis of nothing has the columns of every other
    tables = {name: table.empty() for name, table in TABLES.items()}
    deals = tables["deals"]
    variables: dict[str, Any] = {
        **tables,
        "as_of": now,
        "fetched_at": now,
        "time_zone": "UTC",
        "quota": 1.0,
        "before": deals,
        "history": stage_history([(now, deals)]),
    }
    _make(entry, variables)
    return entry.count(variables).schema


def _unanswered(
    entry: Entry,
    inputs: ReportInputs,
    variables: dict[str, Any],
) -> NoAnswer | None:
    """Return why a question has no answer; None where it has one, and `variables` hold what its code reads."""
    absent = tuple(table for table in entry.tables if table not in inputs)
    if absent:
        return NoAnswer(entry, f"{listed(absent)}, which {_were(absent)} not fetched", absent)
    lacking = inputs.lacks(entry)
    if not lacking:
        # before it is asked what is missing: most of it can be made
        _make(entry, variables)
        lacking = _not_in_a_fetch(entry, variables)
    if not lacking:
        return None
    return NoAnswer(entry, lacking)


def _make(entry: Entry, variables: dict[str, Any]) -> None:
    """Add what the question reads and what can be made of the variables, each after those that it is made of."""
    names_read = entry.reads()
    for made_name, made_by in GIVEN.items():
        if made_name not in names_read or made_name in variables:
            continue
        # `before` needs an earlier fetch, and `people` unmasked contacts
        can_be_made = set(variables_of(made_by)) <= variables.keys()
        if can_be_made:
            variables[made_name] = evaluate(made_by, variables)


def _not_in_a_fetch(entry: Entry, variables: Mapping[str, Any]) -> str:
    """Return what the question reads and one fetch does not bring; "" where there is nothing."""
    missing = entry.reads() - variables.keys()
    needed = []
    for name, words in _NOT_IN_A_FETCH.items():
        if name in missing:
            needed.append(words)
    return " and ".join(needed)


def _were(names: Sequence[str]) -> str:
    if len(names) == 1:
        return "was"
    return "were"
