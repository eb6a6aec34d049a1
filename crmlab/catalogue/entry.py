"""One question: in words, and in the code of its figure and of its numbers."""

from __future__ import annotations

import ast
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

import polars as pl

from crmlab import analysis, plots
from crmlab.schema import PEOPLE_OF_MASKED, Asked, Needs

Filter = Literal["owner", "pipeline", "period", "service"]
#: for each filter: which columns of which frames it compares; of several columns the first that is not null
Filters = Mapping[Filter, Mapping[str, tuple[str, ...]]]

#: what an entry's code reads besides tables, and how it is made: `data` is a fetch, `earlier` one of before
GIVEN: Mapping[str, str] = MappingProxyType(
    {
        "as_of": "data.fetched_at",
        "fetched_at": "data.fetched_at",
        "people": "analysis.people(contacts)",
        "before": "earlier.deals",
        "history": "analysis.stage_history([(earlier.fetched_at, before), (fetched_at, deals)])",
    }
)

#: what the code of every entry may use besides its tables and `GIVEN`
_MODULES = {"analysis": analysis, "dt": dt, "pl": pl, "plots": plots}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A question that a figure of `crmlab.plots` answers.

    Attributes
    ----------
    name : str
        The figure's name in `crmlab.plots`, and that of its numbers in `crmlab.analysis`.
    question : str
        As an analyst would ask it.
    tables : tuple of str
        Shared tables without which there is no answer.
    adds : tuple of str
        Tables that say more, such as names; empty ones will do.
    arguments : str
        Python: what the figure, and the analysis of the same name, are called with. Tables are variables; so
        are the names of `crmlab.catalogue.GIVEN`, and `time_zone` and `quota`, which only the user knows.
    filters : Filters
        What the answer can be narrowed by without becoming wrong.
    """

    name: str
    question: str
    tables: tuple[str, ...]
    adds: tuple[str, ...] = ()
    arguments: str
    filters: Filters = field(default_factory=dict)

    @property
    def needs(self) -> Needs:
        """Whether it needs everything, or no more than a period: as its analysis says."""
        needs: Needs = getattr(analysis, self.name).needs
        return needs

    def lacks(self, asked: Asked, *, is_masked: bool = False) -> str:
        """Return, as it stands after "needs", what a fetch of a period or a masked one lacks; "" where it answers."""
        if is_masked and "people" in self.reads():
            return PEOPLE_OF_MASKED
        if self.needs == "period":
            return ""
        return asked.why_not_whole(self.reads_tables)

    def period_note(self, asked: Asked) -> str:
        """Return of which period the answer is, as a sentence of its subtitle; "" where all times are in it."""
        return asked.period_note(self.reads_tables)

    def time_note(self, asked: Asked, as_of: dt.datetime) -> str:
        """Return when what it shows was fetched, as a sentence; "" where that is the moment that it is asked for."""
        names_read = self.reads()
        # what compares two fetches is of their times, whatever is asked for
        if "earlier" in names_read:
            return ""
        if self.needs == "everything" or "as_of" in names_read:
            return asked.time_note(as_of)
        return ""

    @property
    def reads_tables(self) -> tuple[str, ...]:
        """All shared tables that the answer is made of."""
        return (*self.tables, *self.adds)

    @property
    def figure(self) -> str:
        """Python that returns the figure."""
        return f"plots.{self.name}({self.arguments})"

    @property
    def numbers(self) -> str:
        """Python that returns the frame that the figure was drawn from."""
        return f"analysis.{self.name}({self.arguments})"

    def draw(self, variables: Mapping[str, Any]) -> Any:
        """Return the figure of these tables and other values by name."""
        return evaluate(self.figure, variables)

    def count(self, variables: Mapping[str, Any]) -> pl.DataFrame:
        """Return the numbers of these tables and other values by name."""
        counted: pl.DataFrame = evaluate(self.numbers, variables)
        return counted

    def reads(self) -> set[str]:
        """Return the names of all that the code reads, and of what that is made of."""
        names_read: set[str] = set()
        unread = variables_of(self.numbers)
        while unread:
            variable = unread.pop()
            names_read.add(variable)
            # a table is made of nothing else, and stands for itself
            parts = variables_of(GIVEN.get(variable, variable))
            unread += [part for part in parts if part not in names_read]
        return names_read


def variables_of(code: str) -> list[str]:
    """Return the names that an expression reads, without those of modules, in their order.

    Examples
    --------
    >>> variables_of("plots.ageing(deals, as_of=as_of, time_zone=time_zone)")
    ['deals', 'as_of', 'time_zone']
    """
    expression = ast.parse(code, mode="eval")
    variables: list[str] = []
    for node in ast.walk(expression):
        if not isinstance(node, ast.Name) or node.id in _MODULES:
            continue
        if node.id not in variables:
            variables.append(node.id)
    return variables


def narrowed(table: str, *period: str, owner: str = "", pipeline: str = "") -> Filters:
    """Return the filters of one table: its service, and what is named; the period may be of several columns."""
    filters: dict[Filter, Mapping[str, tuple[str, ...]]] = {}
    if owner:
        filters["owner"] = {table: (owner,)}
    if pipeline:
        filters["pipeline"] = {table: (pipeline,)}
    if period:
        filters["period"] = {table: period}
    # every table says which service a row is from
    filters["service"] = {table: ("provider",)}
    return filters


def evaluate(code: str, variables: Mapping[str, Any]) -> Any:
    """Return what an expression of the catalogue gives, such as those of `GIVEN`."""
    return eval(code, {**_MODULES, **variables})  # noqa: S307  # the catalogue's own code
