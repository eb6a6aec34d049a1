"""A frame whose columns are named like those of a shared table, as that table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import polars as pl

from crmlab.display import listed, plural
from crmlab.errors import UsageError
from crmlab.own_data import words
from crmlab.own_data.misfits import misfits_of, sentence
from crmlab.own_data.notation import Notation
from crmlab.own_data.reading import as_shared
from crmlab.own_data.text import evaluated
from crmlab.schema import KEY, Column, Table, is_pattern


@dataclass(frozen=True, slots=True, kw_only=True)
class Shaped:
    """A shared table with the further columns at its end, and what could not be read.

    `misfits` has as many rows as `frame`, and a column for each that holds misfits: their text, else null. `problems`
    tells of each such column what is wrong, and what to write.
    """

    frame: pl.DataFrame
    misfits: pl.DataFrame
    problems: tuple[str, ...]


def shaped(
    own: pl.DataFrame,
    table: Table,
    values: words.Values,
    notation: Notation,
) -> Shaped:
    """Return the frame as that table.

    Raises
    ------
    UsageError
        Times have no zone, `values` are given for a column of lists, or a column is called like a pattern.
    """
    further_names = [name for name in own.columns if name not in table.columns]
    _check_no_pattern(further_names, table)
    columns: list[pl.Series] = []
    misfits: list[pl.Series] = []
    problems: list[str] = []
    for column_name, column in table.columns.items():
        if column_name not in own.columns:
            null = pl.Series(column_name, [None], dtype=column.dtype)
            columns.append(null.new_from_index(0, own.height))
            continue

        values_before = own[column_name]
        if column_name in values:
            values_before = _replaced(values_before, values[column_name])
        values_after = as_shared(values_before, column.dtype, notation)
        unknown = ""
        if column.words:
            values_after, unknown = _in_words(values_after, column)

        lost_values = misfits_of(values_before, values_after)
        if lost_values.null_count() < lost_values.len():
            misfits.append(lost_values)
            problems.append(unknown or sentence(lost_values, column.dtype))
        columns.append(values_after)

    columns += [own[column_name] for column_name in further_names]
    return Shaped(
        # by name, because the name of a further column may be "", which a list of series loses
        frame=pl.DataFrame({series.name: series for series in columns}),
        misfits=pl.DataFrame(misfits),
        problems=tuple(problems),
    )


def _check_no_pattern(names: Iterable[str], table: Table) -> None:
    """Refuse names that Polars reads as a pattern: ``*`` and ``^...$``."""
    for name in names:
        if is_pattern(name):
            raise UsageError(
                f"{table.name}: a column is called {name!r}, which Polars takes for a pattern of names: "
                f"give it another name, with frame.rename({{{name!r}: '...'}})"
            )


def check_key(frame: pl.DataFrame, table: Table) -> None:
    """Refuse rows without provider, account or id, and several rows of one id.

    Raises
    ------
    UsageError
        How many rows, and which.
    """
    for column in KEY:
        blank = frame[column].null_count()
        if blank:
            raise UsageError(
                f"{table.name}: {plural(blank, 'row')} of {frame.height:,} have no {column}; "
                "every row needs one, so give the frame without them"
            )
    counts = frame.group_by(KEY, maintain_order=True).len()
    repeated = counts.filter(pl.col("len") > 1)
    if repeated.is_empty():
        return
    repeated_ids = listed(map(repr, repeated["id"]))
    verb = "is" if repeated.height == 1 else "are"
    raise UsageError(
        f"{table.name}: {plural(repeated.height, 'id')} of one provider and account "
        f"{verb} on several rows ({repeated_ids}): give one row for each, "
        "such as frame.unique('...', keep='last'), or another column as id"
    )


def _replaced(values: pl.Series, replacements: Any) -> pl.Series:
    if values.dtype.is_nested():
        raise UsageError(
            f"values: {values.name} holds lists: replace in them before, with list.eval of Polars"
        )
    return words.replaced(values, replacements)


def _in_words(texts: pl.Series, column: Column) -> tuple[pl.Series, str]:
    """Return the words in the spelling of the schema, and what is wrong with those that it does not know."""
    spelled = words.known(texts, column)
    # of such a column the service has words of its own
    if column.other_words:
        return spelled, ""
    unknown = words.strange(spelled, column.words)
    if unknown.is_empty():
        return spelled, ""
    known_only = pl.when(spelled.is_in(column.words)).then(spelled)
    refusal = words.refusal(texts.name, unknown, column.words)
    return evaluated(texts.name, known_only), refusal
