"""A fetch in the place of frames: every analysis and figure takes what `crmlab.fetch` returns, and refuses a window.

``analysis.win_rate(data)`` is ``analysis.win_rate(data.deals)``, and more: it knows of which period the deals are.
`since` and `until` bound when something was last changed, so that what nobody touched is missing. Of what is open, in
force or objected to, the answer would be wrong: it is refused. A frame that is taken out does not know its period, and
counts as whole.
"""

from __future__ import annotations

import datetime as dt
import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, ParamSpec, Protocol, TypeVar, cast, overload

import polars as pl

from crmlab.errors import UsageError
from crmlab.schema import PEOPLE_OF_MASKED, TABLES, Asked, Needs, as_instant, unread_note

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class FetchLike(Protocol):
    """Tables by name that know what was asked for and how it came, such as `crmlab.Fetched` and `crmlab.Stored`."""

    #: what came of each table, and what of it could not be read
    summary: pl.DataFrame
    #: whether personal values are tokens
    is_masked: bool

    @property
    def asked(self) -> Asked:
        """What was asked for."""
        ...

    def __getitem__(self, name: str, /) -> pl.DataFrame | pl.LazyFrame: ...

    def __iter__(self) -> Iterator[str]: ...

    def __len__(self) -> int: ...


class Answer(Protocol[P, R_co]):
    """A function of frames that takes a fetch in their place, too."""

    #: what it needs of a fetch
    needs: Needs

    @overload
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co: ...

    @overload
    def __call__(self, data: FetchLike, /, *args: Any, **options: Any) -> R_co: ...


#: analyses that make what others read besides tables, by the name that it has there
_MADE: dict[str, Callable[..., Any]] = {}


def answers(
    needs: Needs, *, makes: str = "", **tables: str
) -> Callable[[Callable[P, R]], Answer[P, R]]:
    """Return a decorator that lets an analysis take a fetch in the place of its frames.

    Each parameter that is named after a table then gets that table, where it was fetched; `people` and `evidence` are
    made of it, and `as_of` is the time of the fetch. What else is given stays as it is.

    Parameters
    ----------
    needs
        ``"everything"``: a fetch of a period is refused. ``"period"``: it is taken.
    makes
        The name by which other analyses call what this one returns.
    tables
        By parameter, the table that it stands for, where it is called otherwise.
    """

    def decorate(function: Callable[P, R]) -> Answer[P, R]:
        @functools.wraps(function)
        def answer(*args: Any, **kwargs: Any) -> R:
            call = Call.of_fetch(function, needs, tables, args, kwargs)
            if call is None:
                return function(*args, **kwargs)
            return function(*call.args, **call.kwargs)

        answer.needs = needs  # type: ignore[attr-defined]
        answer.tables = tables  # type: ignore[attr-defined]
        if makes:
            _MADE[makes] = answer
        return cast("Answer[P, R]", answer)

    return decorate


#: what to write for what one fetch does not hold
_HOW_TO_GIVE = {
    "history": "make it of several: stage_history([earlier, later])",
    "frame": "give one table: data.deals",
}
_SEE_DOCSTRING = "its docstring says what it is"


class Call:
    """A call of an analysis or a figure in which a fetch stands in the place of frames.

    Attributes
    ----------
    used : list of tuple of FetchLike and str
        Each table that the call takes out of a fetch.

    Raises
    ------
    UsageError
        Everything is needed, and a table is of a period; or a table was not fetched.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        needs: Needs,
        tables: Mapping[str, str],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
    ) -> None:
        self._name = function.__name__
        self._needs = needs
        self._tables = tables
        self.used: list[tuple[FetchLike, str]] = []
        signature = inspect.signature(function)
        self._bound = signature.bind_partial(*args, **kwargs)
        # taken before frames stand in the place of the fetches: a frame knows no time
        fetch_times = [given.asked.fetched_at for given in self._compared() if _is_fetch(given)]
        first_argument = next(iter(self._bound.arguments.values()))
        for parameter in signature.parameters.values():
            given = self._bound.arguments.get(parameter.name)
            if _fetches_in([given]):
                self._bound.arguments[parameter.name] = self._in_place_of(given, parameter)
            elif parameter.name not in self._bound.arguments and _is_fetch(first_argument):
                self._fill(parameter, first_argument)
        self._refuse_backwards(fetch_times)

    @classmethod
    def of_fetch(
        cls,
        function: Callable[..., Any],
        needs: Needs,
        tables: Mapping[str, str],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
    ) -> Call | None:
        """Return the call; None where no fetch is among the arguments."""
        if not _fetches_in([*args, *kwargs.values()]):
            return None
        return cls(function, needs, tables, args, kwargs)

    @property
    def args(self) -> tuple[Any, ...]:
        """What to call the function with by place."""
        return self._bound.args

    @property
    def kwargs(self) -> dict[str, Any]:
        """What to call the function with by name."""
        return self._bound.kwargs

    def notes(self) -> str:
        """Return in words of which period and time the tables are, and what of them could not be read."""
        period_notes = [data.asked.period_note([table]) for data, table in self.used]
        unread_notes = [unread_note(data.summary, [table]) for data, table in self.used]
        sentences = [*period_notes, *self._times(), *unread_notes]
        # tables of one fetch have the same to say
        return ". ".join(dict.fromkeys(filter(None, sentences)))

    def _times(self) -> list[str]:
        """Return when the tables were fetched, where the call asks for another moment; of several fetches, each is."""
        as_of = self._bound.arguments.get("as_of")
        fetches = {id(data): data for data, _ in self.used}
        if as_of is None or len(fetches) != 1:
            return []
        moment = as_instant(as_of, "as_of", self._bound.arguments.get("time_zone", "UTC"))
        return [data.asked.time_note(moment) for data in fetches.values()]

    def _in_place_of(self, given: Any, parameter: inspect.Parameter) -> Any:
        """Return what a fetch, or a list of fetches, stands for as this argument."""
        if _is_fetch(given):
            return self._frame(given, parameter, is_named=True)
        # snapshots: of each fetch its time and its deals
        snapshots = []
        for snapshot in given:
            if _is_fetch(snapshot):
                snapshots.append((snapshot.asked.fetched_at, self._table(snapshot, "deals")))
            else:
                snapshots.append(snapshot)
        return snapshots

    def _fill(self, parameter: inspect.Parameter, data: FetchLike) -> None:
        """Give an argument that is left out what the fetch has for it."""
        if parameter.name == "as_of":
            self._bound.arguments["as_of"] = data.asked.fetched_at
            return
        self._refuse_the_same_again(parameter)
        frame = self._frame(data, parameter, is_named=False)
        if frame is not None:
            self._bound.arguments[parameter.name] = frame

    def _refuse_the_same_again(self, parameter: inspect.Parameter) -> None:
        """Refuse to compare a table with itself, where two arguments stand for it and one is given."""
        table = self._tables.get(parameter.name)
        if not table:
            return
        for other_name, other_table in self._tables.items():
            if other_table == table and other_name != parameter.name:
                raise UsageError(
                    f"{self._name} needs two fetches: write {self._name}(earlier, later)"
                )

    def _compared(self) -> list[Any]:
        """Return what was given for the arguments that stand for one and the same table."""
        tables = list(self._tables.values())
        compared = []
        for name, table in self._tables.items():
            if tables.count(table) > 1:
                compared.append(self._bound.arguments.get(name))
        return compared

    def _refuse_backwards(self, times: Sequence[dt.datetime]) -> None:
        """Refuse to compare a fetch with one that is not later: the changes between them would run backwards."""
        for earlier, later in pairwise(times):
            if earlier >= later:
                raise UsageError(
                    f"{self._name} needs the earlier fetch first, and the first was fetched at "
                    f"{earlier:%Y-%m-%d %H:%M} UTC, the second at {later:%Y-%m-%d %H:%M} UTC: "
                    f"write {self._name}(earlier, later). If the deals "
                    "are of another time, say so with crmlab.collect(deals=earlier.deals, as_of=...)"
                )

    def _frame(self, data: FetchLike, parameter: inspect.Parameter, *, is_named: bool) -> Any:
        """Return the frame that an argument stands for; None where it stands for none, or may be left out."""
        name = parameter.name
        is_needed = is_named or parameter.default is parameter.empty
        table = self._tables.get(name, name)
        if table in TABLES:
            # what may be left out is taken where it was fetched
            if not is_needed and table not in data:
                return None
            return self._table(data, table)
        if name in _MADE and is_needed:
            self._refuse_masked(data)
            self._note(data, "contacts")
            return _MADE[name](self._table(data, "contacts"))
        if is_named:
            raise UsageError(
                f"{self._name}: {name} cannot be taken out of one fetch; {_HOW_TO_GIVE.get(name, _SEE_DOCSTRING)}"
            )
        return None

    def _table(self, data: FetchLike, table: str) -> pl.DataFrame | pl.LazyFrame:
        if self._name in _MADE:
            self._refuse_masked(data)
        if table in data:
            self._note(data, table)
            return data[table]
        if not TABLES[table].window:  # a lookup adds names, and is missed by none
            return TABLES[table].empty()
        raise UsageError(f"{self._name} needs {table}, which were not fetched: fetch them, too")

    def _refuse_masked(self, data: FetchLike) -> None:
        """Refuse to tell who is who by tokens: each contact would be a person of its own."""
        if data.is_masked:
            raise UsageError(f"{self._name} needs {PEOPLE_OF_MASKED}")

    def _note(self, data: FetchLike, table: str) -> None:
        """Take note of a table that is used; refuse it where it is of a period, and everything is needed."""
        if self._needs == "everything":
            reason = data.asked.why_not_whole([table])
            if reason:
                raise UsageError(f"{self._name} needs {reason}")
        for other_data, other_table in self.used:
            # by identity: the frames within a fetch cannot be compared by ==
            if data is other_data and table == other_table:
                return
        self.used.append((data, table))


def _is_fetch(value: object) -> bool:
    return isinstance(value, Mapping) and isinstance(getattr(value, "asked", None), Asked)


def _fetches_in(values: list[Any]) -> bool:
    """Return whether one of these is a fetch, or a list with one."""
    for value in values:
        if _is_fetch(value):
            return True
        if isinstance(value, list | tuple) and any(_is_fetch(item) for item in value):
            return True
    return False
