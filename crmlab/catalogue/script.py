"""The lines that answer a question for chosen owners, pipelines, services and days, ready for a notebook."""

from __future__ import annotations

import ast
import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from crmlab.catalogue.entry import GIVEN, Entry, Filter, variables_of
from crmlab.schema import TABLES, Asked, unread_note


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What an answer is narrowed to, and what only the user knows.

    Attributes
    ----------
    values : mapping of owner, pipeline, service to values
        Those that stay; None stands for rows without a value. No values: all stay.
    since, until : date
        The first and the last day that stay, by the clock of `time_zone`; None: no such bound.
    time_zone : str
        IANA name.
    quota : float, or mapping of currency to amount
        What is to be won this year; None: not known.
    """

    values: Mapping[Filter, Sequence[str | None]] = field(default_factory=dict)
    since: dt.date | None = None
    until: dt.date | None = None
    time_zone: str = "UTC"
    quota: float | Mapping[str, float] | None = None


def script(
    entry: Entry,
    choices: Choices,
    fetched: Collection[str],
    *,
    asked: Asked | None = None,
    summary: pl.DataFrame | None = None,
) -> str:
    """Return Python that makes `figure` and `numbers` out of a fetch called `data`, and shows the figure.

    Choices stand in it as literals. It needs nothing but `data` and, where it compares two fetches, `earlier`.

    Parameters
    ----------
    entry
        The question.
    choices
        What to narrow the answer to; where the entry has no such filter, a choice is ignored.
    fetched
        Names of the tables of `data`. One that only adds to the answer may be absent.
    asked
        What `data` was asked for: where it is of a period, the figure says so. None: it is whole.
    summary
        That of `data`: where values could not be read, the figure says how many. None: all were.

    Examples
    --------
    >>> from crmlab.catalogue import CATALOGUE
    >>> choices = Choices(values={"owner": ["Ann"]}, since=dt.date(2026, 1, 1))
    >>> print(script(CATALOGUE["closed_by_month"], choices, ["deals"]))
    import datetime as dt
    <BLANKLINE>
    import polars as pl
    from crmlab import analysis, plots
    <BLANKLINE>
    deals = data.deals.filter(
        pl.col("owner_name").is_in(['Ann']),
        pl.col("close_date") >= dt.date(2026, 1, 1),
    )
    <BLANKLINE>
    figure = plots.closed_by_month(deals)
    numbers = analysis.closed_by_month(deals)
    figure
    """
    lines = _Lines(entry, choices, fetched)
    lines.make(*variables_of(entry.figure))
    made = "\n".join(lines.made.values())
    tables = entry.reads_tables
    is_of_a_period = asked is not None and bool(entry.period_note(asked))
    has_unread = summary is not None and bool(unread_note(summary, tables))
    figure = entry.figure
    if is_of_a_period or has_unread:
        named = ", ".join(f'"{name}"' for name in tables)
        figure = f"plots.with_notes({figure}, data, {named})"
    answer = f"figure = {figure}\nnumbers = {entry.numbers}\nfigure"
    return "\n\n".join((*_imports(f"{made}\n{answer}"), made, answer))


def _imports(code: str) -> Iterator[str]:
    used = {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}
    if "dt" in used:
        yield "import datetime as dt"
    polars = "import polars as pl\n" if "pl" in used else ""
    tables = "\nfrom crmlab.schema.tables import TABLES" if "TABLES" in used else ""
    yield f"{polars}from crmlab import analysis, plots{tables}"


class _Lines:
    """The lines that make each variable, in an order in which they can run."""

    def __init__(self, entry: Entry, choices: Choices, fetched: Collection[str]) -> None:
        self._entry, self._choices, self._fetched = entry, choices, fetched
        self.made: dict[str, str] = {}

    def make(self, *names: str) -> None:
        """Add the lines of these variables, each after those that it is made of."""
        for name in names:
            if name not in self.made and name not in ("data", "earlier"):
                lines = self._lines(name)
                self.made[name] = lines

    def _lines(self, name: str) -> str:
        if name == "time_zone":
            return f"time_zone = {self._choices.time_zone!r}"
        if name == "quota":
            return f"quota = {self._choices.quota!r}"
        if name in TABLES and name not in self._fetched:
            return f'{name} = TABLES["{name}"].empty()  # not fetched'
        source = GIVEN.get(name, f"data.{name}")
        self.make(*variables_of(source))
        return self._frame(name, source)

    def _frame(self, name: str, source: str) -> str:
        """Return the lines of a frame; what takes long is apart from the choices, and the same for all of them."""
        conditions = dict(self._conditions(name))
        if "owner" in conditions and self._entry.filters["owner"][name] == ("owner",):
            users = ", data.users" if "users" in self._fetched else ""
            source = f"analysis.with_owner({source}{users})"
        if not conditions:
            return f"{name} = {source}"
        first = ""
        if source.startswith("analysis."):
            first, source = f"{name} = {source}\n", name
        listed = "".join(f"    {condition},\n" for condition in conditions.values())
        return f"{first}{name} = {source}.filter(\n{listed})"

    def _conditions(self, frame: str) -> Iterator[tuple[Filter, str]]:
        for name, frames in self._entry.filters.items():
            if frame not in frames:
                continue
            columns = ", ".join(f'"{column}"' for column in frames[frame])
            if name == "period":
                if self._choices.since or self._choices.until:
                    yield name, self._days(frame, frames[frame])
            elif values := self._choices.values.get(name):
                with_null = ", nulls_equal=True" if None in values else ""
                yield name, f"pl.col({columns}).is_in({list(values)!r}{with_null})"

    def _days(self, frame: str, columns: Sequence[str]) -> str:
        """Return the condition that the first of these columns that is not null is of the chosen days."""
        schema = TABLES[frame].schema
        days = [f'"{column}"' for column in columns if schema[column] == pl.Date]
        times = [f'"{column}"' for column in columns if schema[column] != pl.Date]
        parts = [f"pl.col({day})" for day in days]
        if times:
            self.make("time_zone")
            time = f"pl.coalesce({', '.join(times)})" if len(times) > 1 else f"pl.col({times[0]})"
            parts.append(f"{time}.dt.convert_time_zone(time_zone).dt.date()")
        day = f"pl.coalesce({', '.join(parts)})" if len(parts) > 1 else parts[0]

        since = self._choices.since
        until = self._choices.until
        if since and until:
            return f"{day}.is_between({_day(since)}, {_day(until)})"
        if since:
            return f"{day} >= {_day(since)}"
        return f"{day} <= {_day(until)}" if until else ""


def _day(day: dt.date) -> str:
    return f"dt.date({day.year}, {day.month}, {day.day})"
