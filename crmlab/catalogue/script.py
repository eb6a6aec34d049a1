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
    script_lines = _Lines(entry, choices, fetched)
    script_lines.make(*variables_of(entry.figure))
    assignments = "\n".join(script_lines.made.values())

    tables = entry.reads_tables
    is_of_a_period = asked is not None and bool(entry.period_note(asked))
    has_unread = summary is not None and bool(unread_note(summary, tables))
    figure = entry.figure
    # frames that are taken out of a fetch no longer know its period: the figure is told
    if is_of_a_period or has_unread:
        quoted = ", ".join(f'"{table}"' for table in tables)
        figure = f"plots.with_notes({figure}, data, {quoted})"
    answer = f"figure = {figure}\nnumbers = {entry.numbers}\nfigure"
    imports = _imports(f"{assignments}\n{answer}")
    return "\n\n".join((*imports, assignments, answer))


def _imports(code: str) -> Iterator[str]:
    names_used = {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}
    if "dt" in names_used:
        yield "import datetime as dt"

    # the standard library stands apart from the rest, as formatters have it
    import_lines = ["from crmlab import analysis, plots"]
    if "pl" in names_used:
        import_lines.insert(0, "import polars as pl")
    if "TABLES" in names_used:
        import_lines.append("from crmlab.schema.tables import TABLES")
    yield "\n".join(import_lines)


class _Lines:
    """The lines that make each variable, in an order in which they can run."""

    def __init__(
        self,
        entry: Entry,
        choices: Choices,
        fetched: Collection[str],
    ) -> None:
        self._entry = entry
        self._choices = choices
        self._fetched = fetched
        #: in the order in which they were made, which is that in which they run
        self.made: dict[str, str] = {}

    def make(self, *names: str) -> None:
        """Add the lines of these variables, each after those that it is made of."""
        for name in names:
            # the user has these two
            if name in self.made or name in ("data", "earlier"):
                continue
            # before it is noted: what it is made of is noted first
            own_lines = self._lines(name)
            self.made[name] = own_lines

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
            source = self._with_owner(source)
        if not conditions:
            return f"{name} = {source}"

        condition_lines = "".join(f"    {condition},\n" for condition in conditions.values())
        if not source.startswith("analysis."):
            return f"{name} = {source}.filter(\n{condition_lines})"
        return f"{name} = {source}\n{name} = {name}.filter(\n{condition_lines})"

    def _with_owner(self, source: str) -> str:
        """Return activities with the column owner, which is made of authors and, where there are users, of ids."""
        if "users" in self._fetched:
            return f"analysis.with_owner({source}, data.users)"
        return f"analysis.with_owner({source})"

    def _conditions(self, frame: str) -> Iterator[tuple[Filter, str]]:
        for choice, frames in self._entry.filters.items():
            if frame not in frames:
                continue
            columns = frames[frame]
            condition = self._chosen(choice, columns)
            if choice == "period":
                condition = self._days(frame, columns)
            if condition:
                yield choice, condition

    def _chosen(self, choice: Filter, columns: Sequence[str]) -> str:
        """Return the condition that a column has one of the chosen values; "" where nothing was chosen."""
        values = self._choices.values.get(choice)
        if not values:
            return ""
        # null is in no list, unless it is asked for
        with_null = ""
        if None in values:
            with_null = ", nulls_equal=True"
        quoted = ", ".join(f'"{column}"' for column in columns)
        return f"pl.col({quoted}).is_in({list(values)!r}{with_null})"

    def _days(self, frame: str, columns: Sequence[str]) -> str:
        """Return the condition that the first of these columns that is not null is of the chosen days."""
        since = self._choices.since
        until = self._choices.until
        if not since and not until:
            return ""

        day = self._day_of(frame, columns)
        if since and until:
            return f"{day}.is_between({_day(since)}, {_day(until)})"
        if since:
            return f"{day} >= {_day(since)}"
        assert until
        return f"{day} <= {_day(until)}"

    def _day_of(self, frame: str, columns: Sequence[str]) -> str:
        """Return the expression of the first of these columns that is not null, as a day."""
        schema = TABLES[frame].schema
        day_columns = [column for column in columns if schema[column] == pl.Date]
        time_columns = [column for column in columns if schema[column] != pl.Date]
        parts = [f'pl.col("{column}")' for column in day_columns]
        # a day is one wherever it is read, and a time is of the day that the clock of a place shows
        if time_columns:
            self.make("time_zone")
            time = _first_of(time_columns)
            parts.append(f"{time}.dt.convert_time_zone(time_zone).dt.date()")
        if len(parts) == 1:
            return parts[0]
        return f"pl.coalesce({', '.join(parts)})"


def _first_of(columns: Sequence[str]) -> str:
    """Return the expression of the first of these columns that is not null."""
    quoted = ", ".join(f'"{column}"' for column in columns)
    if len(columns) == 1:
        return f"pl.col({quoted})"
    return f"pl.coalesce({quoted})"


def _day(day: dt.date) -> str:
    return f"dt.date({day.year}, {day.month}, {day.day})"
