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
from typing import Any

import polars as pl
from polars import selectors

from crmlab.errors import UsageError
from crmlab.schema import TABLES, as_polars, collected, in_short

#: columns to group by
By = str | Sequence[str] | None
_PRIVATE = "by: "
#: times without a zone
_NAIVE = (pl.Datetime("ms"), pl.Datetime("us"), pl.Datetime("ns"))
_TEXT = (pl.String, pl.Categorical, pl.Enum)
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
        `by` is neither a name nor a list of names.
    """
    if by is None:
        return []
    if isinstance(by, str):
        return [by]
    if not isinstance(by, Sequence) or not all(isinstance(name, str) for name in by):
        raise UsageError(
            f"by={by!r}: give the name of a column, or a list of names; add a computed value as a column first, "
            "with frame.with_columns(...)"
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
    dtypes = _dtypes_in_table(wanted, shared_table)
    selected = _with_days(selected, dtypes)
    _refuse_other_kinds(selected, argument, dtypes, shared_table)
    selected = _in_dtypes(selected, dtypes)
    selected = _with_absent(selected, optional, shared_table)
    for name in grouping:
        _refuse_as_label(name, selected.schema[_PRIVATE + name])
    # databases keep amounts as decimals, which cannot be asked whether they are finite
    decimals = selectors.decimal() - selectors.starts_with(_PRIVATE)
    return selected.with_columns(decimals.cast(pl.Float64))


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


def _dtypes_in_table(columns: Iterable[str], table: str) -> dict[str, pl.DataType]:
    """Return the dtypes that a shared table has for these columns; a table of another name has none to compare with."""
    if table not in TABLES:
        return {}
    known_columns = TABLES[table].columns
    return {name: known_columns[name].dtype for name in columns if name in known_columns}


def _with_days(frame: pl.DataFrame, dtypes: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Return the frame with days as dates, where they came as midnights: pandas has no dates of its own."""
    midnights = []
    for name, wanted in dtypes.items():
        if wanted != pl.Date or frame.schema[name] not in _NAIVE:
            continue
        # a time within a day is no day: it stays, and is refused
        if (frame[name].dt.truncate("1d") == frame[name]).all():
            midnights.append(name)
    if not midnights:
        return frame
    return frame.with_columns(pl.col(midnights).cast(pl.Date))


def _refuse_other_kinds(
    frame: pl.DataFrame, argument: str, dtypes: Mapping[str, pl.DataType], table: str
) -> None:
    """Refuse columns that hold other values than the shared table's: text in the place of amounts, for example."""
    for name, wanted in dtypes.items():
        if not _is_alike(frame.schema[name], wanted):
            raise UsageError(
                f"{argument}.{name} is of type {frame.schema[name]}, and {wanted} is read: make the "
                f"frame a table with crmlab.table({table!r}, frame, provider='...')"
            )


def _in_dtypes(frame: pl.DataFrame, dtypes: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Return the frame with the dtypes of the shared table, where its own are read alike.

    Text from a file has no categories, a column without any value no dtype, and times may be told in another zone:
    Polars would neither join nor compare these with those of another table.
    """
    columns = []
    for name, wanted in dtypes.items():
        given = frame.schema[name]
        if isinstance(given, pl.Datetime):
            columns.append(pl.col(name).dt.convert_time_zone("UTC").cast(wanted))
        elif given == pl.Null or wanted in _TEXT:
            columns.append(pl.col(name).cast(wanted))
    return frame.with_columns(columns)


def _is_alike(dtype: pl.DataType, wanted: pl.DataType) -> bool:
    """Return whether values of one dtype are read like those of another."""
    if dtype in (pl.Null, wanted):
        return True
    if wanted in _TEXT:
        return dtype in _TEXT
    if wanted.is_numeric():
        return dtype.is_numeric()
    if isinstance(wanted, pl.Datetime):
        return getattr(dtype, "time_zone", None) is not None
    return isinstance(wanted, pl.List) and isinstance(dtype, pl.List)


def _refuse_as_label(name: str, dtype: pl.DataType) -> None:
    """Refuse values that are no names of groups: a figure could not write them, and nothing sorts them."""
    if isinstance(dtype, pl.List | pl.Array):
        raise UsageError(
            f"by={name!r} holds lists: make a row of each of their values, with frame.explode({name!r})"
        )
    if dtype.is_nested() or dtype in (pl.Object, pl.Binary, pl.Duration):
        raise UsageError(f"by={name!r} is of type {dtype}: give a column of text, numbers or dates")


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
    makers = {
        "people": "people(contacts)",
        "history": "stage_history(snapshots)",
        "evidence": "evidence(contacts)",
    }
    if wanted in makers:
        return f"give what crmlab.analysis.{makers[wanted]} returns"
    return "its docstring says what is read"
