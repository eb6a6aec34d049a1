"""The door of every analysis: a frame comes in with the columns that are read, and with no others.

A column of the user's own is therefore never taken for one that an analysis makes on its way. What `by` names is
carried under a private name and gets its own name back at the exit, so that it may be called like anything.

>>> import polars as pl
>>> deals = pl.DataFrame({"status": ["won", "lost"], "row": ["a", "b"], "decision": ["mine", "mine"]})
>>> found = read(deals, "deals", "status", by="row")
>>> found.columns
['status', 'by: row']
>>> answer(found.group_by(keys_of("row")).agg(pl.len().alias("deals"))).columns
['row', 'deals']
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import polars as pl

from crmlab.analysis.dtypes import in_shared_dtypes, is_of_calendar
from crmlab.errors import UsageError
from crmlab.schema import TABLES, as_polars, collected, in_short, is_pattern

#: columns to group by
By = str | Sequence[str] | None
_PRIVATE = "by: "
#: columns in which a service says what its words mean, each with what fills it in a frame that lacks it. Null would say
#: that nothing was meant, and be believed
_MEANINGS = {
    "mailing": "pl.col('kind').replace_strict({'send': 'sent', 'open': 'opened'}, default=None)",
    "opted_in": "pl.col('kind').replace_strict({'subscribe': True, 'unsubscribe': False}, default=None)",
    "stage_probability": "pl.col('stage') / 100",
    "step": "pl.col('kind').replace_strict({'subscribe': 'request', 'confirm': 'confirmation'}, default=None)",
}


def names_of(by: By) -> list[str]:
    """Return the columns to group by as a list, each once.

    Raises
    ------
    UsageError
        `by` is neither a name nor a list of names, or Polars takes one of them for a pattern.
    """
    if by is None:
        return []
    if isinstance(by, str):
        by = [by]
    if not isinstance(by, Sequence) or not all(isinstance(name, str) for name in by):
        raise UsageError(
            f"by={by!r}: give the name of a column, or a list of names; add a computed value as a column first, "
            "with frame.with_columns(...)"
        )
    for name in filter(is_pattern, by):
        raise UsageError(
            f"by={name!r}: Polars takes that for a pattern of names; give the column another name, "
            f"with frame.rename({{{name!r}: '...'}})"
        )
    return list(dict.fromkeys(by))


def keys_of(by: By) -> list[str]:
    """Return the private names of the columns to group by."""
    return [_PRIVATE + name for name in names_of(by)]


def read(
    frame: Any,
    argument: str,
    *columns: str,
    by: By = None,
    table: str = "",
    optional: Sequence[str] = (),
    own: Mapping[str, pl.DataType] = MappingProxyType({}),
) -> pl.DataFrame:
    """Return the columns that an analysis reads, and under private names those that `by` names.

    Every frame that a public analysis is given comes in here. Of a lazy frame these columns alone are collected.

    Parameters
    ----------
    frame
        Of the user, with whatever columns of their own: whatever `crmlab.schema.as_polars` takes.
    argument
        The name of the parameter that it was given as.
    columns
        What is read.
    by
        Columns to group by.
    table
        The shared table that is wanted, where the parameter is called otherwise.
    optional
        Columns of that table that are read as well where the frame has them, and are null where it does not: those
        that say more exactly what another column says.
    own
        Dtypes of columns that are read and may be called like anything.

    Raises
    ------
    UsageError
        It is no frame, or a column is missing.
    """
    shared_table = table or argument
    frame = as_polars(frame, argument)
    present = columns_of(frame, argument)
    missing = [name for name in dict.fromkeys(columns) if name not in present]
    if missing:
        described = ", ".join(_described(name, shared_table) for name in missing)
        raise UsageError(
            f"{argument} has no column {described}: {_where_from(shared_table, missing)}"
        )
    grouping = names_of(by)
    for name in grouping:
        if name not in present:
            raise UsageError(
                f"by={name!r} is no column of {argument}: choose one of {', '.join(present)}"
            )

    # a column to group by may be read as well: under its private name it is another one
    groups = [pl.col(name).alias(_PRIVATE + name) for name in grouping]
    wanted = [*columns, *(name for name in optional if name in present)]
    selected = collected(frame.select(*dict.fromkeys(wanted), *groups), argument)
    advice = _how_to_make(shared_table)
    shared = in_shared_dtypes(
        selected, argument, wanted, table=shared_table, advice=advice, own=own
    )
    for name in grouping:
        _refuse_as_label(name, shared[_PRIVATE + name])
    return _with_absent(shared, optional, shared_table)


def whole(frame: Any, argument: str) -> pl.DataFrame:
    """Return a frame with all its columns in memory.

    Raises
    ------
    UsageError
        It is no frame, or a lazy one that cannot be collected.
    """
    return collected(as_polars(frame, argument), argument)


def columns_of(frame: Any, argument: str) -> list[str]:
    """Return the names of a frame's columns, without collecting it.

    Raises
    ------
    UsageError
        It is no frame, or a lazy one that cannot be resolved.
    """
    frame = as_polars(frame, argument)
    if isinstance(frame, pl.DataFrame):
        return frame.columns
    try:
        names: list[str] = frame.collect_schema().names()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise UsageError(
            f"{argument} is a lazy frame that cannot be collected: {in_short(error)}"
        ) from None
    return names


def _with_absent(frame: pl.DataFrame, optional: Sequence[str], table: str) -> pl.DataFrame:
    """Return the frame with nulls in the columns of a shared table that it has not."""
    nulls = []
    for name in optional:
        if name not in frame.columns:
            nulls.append(pl.lit(None, TABLES[table].columns[name].dtype).alias(name))
    return frame.with_columns(nulls)


def _refuse_as_label(name: str, values: pl.Series) -> None:
    """Refuse values that are no names of groups: a figure could not write them, and nothing sorts them."""
    dtype = values.dtype
    if isinstance(dtype, pl.List | pl.Array):
        raise UsageError(
            f"by={name!r} holds lists: make a row of each of their values, with frame.explode({name!r})"
        )
    if dtype.is_nested() or dtype in (pl.Object, pl.Binary, pl.Duration):
        raise UsageError(f"by={name!r} is of type {dtype}: give a column of text, numbers or dates")
    if not is_of_calendar(values):
        raise UsageError(
            f"by={name!r} holds times outside of the years 100 to 9999: write null where there is none"
        )


def answer(frame: pl.DataFrame) -> pl.DataFrame:
    """Return an analysis's answer, in which the columns to group by have their own names again.

    Raises
    ------
    UsageError
        The answer has a column of that name itself.
    """
    public_names = {name: name.removeprefix(_PRIVATE) for name in frame.columns}
    for private_name, public_name in public_names.items():
        if private_name != public_name and public_name in frame.columns:
            raise UsageError(
                f"by={public_name!r}: the answer has a column {public_name} of its own; rename yours"
            )
    return frame.rename(public_names)


def is_table(frame: Any, table: str) -> bool:
    """Return whether a frame holds every column of a shared table, whatever else it holds."""
    return TABLES[table].schema.keys() <= set(columns_of(frame, table))


def no_text(argument: str, values: Iterable[str]) -> None:
    """Refuse one text where several are wanted: it would be taken for its letters.

    Raises
    ------
    UsageError
        It is one text.
    """
    if isinstance(values, str):
        raise UsageError(f"{argument}={values!r} is one text: give a list, [{values!r}]")


def _described(name: str, wanted: str) -> str:
    """Return a column's name, and what it must hold where an answer would be wrong with nulls."""
    if name not in _MEANINGS:
        return name
    return f"{name} ({TABLES[wanted].columns[name].doc})"


def _where_from(wanted: str, missing: Sequence[str]) -> str:
    """Return what to do about a frame that lacks columns."""
    meanings = [name for name in missing if name in _MEANINGS]
    if wanted in TABLES and meanings:
        filled = ", ".join(f"{name}={_MEANINGS[name]}" for name in meanings)
        return (
            "give the frame that crmlab.fetch returns, or fill it from the service's own words, such as "
            f"{wanted}.with_columns({filled})"
        )
    if wanted in TABLES:
        return (
            "give the frame that crmlab.fetch returns, or add the columns with "
            f"crmlab.schema.conform(frame, TABLES[{wanted!r}])"
        )
    return _how_to_make(wanted)


def _how_to_make(wanted: str) -> str:
    """Return how a frame of this name is made."""
    if wanted in TABLES:
        return f"make the frame a table with crmlab.table({wanted!r}, frame, provider='...')"
    makers = {
        "people": "people(contacts)",
        "history": "stage_history(snapshots)",
        "evidence": "evidence(contacts)",
    }
    if wanted in makers:
        return f"give what crmlab.analysis.{makers[wanted]} returns"
    return "its docstring says what is read"
