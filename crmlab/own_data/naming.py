"""Which column of the user's frame is which column of the shared table."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

import polars as pl

from crmlab.errors import UsageError
from crmlab.schema import TABLES, Table

#: as alike as a slip of the pen, or a singular and its plural
_ALIKE = 0.85
#: these are written in every row, and never taken from a column that is only called alike
_WRITTEN = ("provider", "account")


def shared_table(name: str) -> Table:
    """Return the shared table of that name.

    Raises
    ------
    UsageError
        There is none; the message has the nearest.
    """
    if name in TABLES:
        return TABLES[name]
    raise UsageError(
        f"{name!r} is no shared table{did_you_mean(name, TABLES)} Known: {', '.join(TABLES)}"
    )


def plain(name: str) -> str:
    """Return a name or word without what people write in different ways: case, blanks, hyphens, underscores.

    >>> plain(" Close Date") == plain("close_date") == plain("CLOSE-DATE")
    True
    """
    letters = []
    for character in name.casefold():
        if not character.isspace() and character not in "-_":
            letters.append(character)
    return "".join(letters)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the end of a sentence about a name that is not known: the nearest, or a full stop."""
    nearest = difflib.get_close_matches(str(name).lower(), list(known), n=1, cutoff=0.5)
    if not nearest:
        return "."
    return f"; did you mean {nearest[0]!r}?"


def renamed(
    frame: pl.DataFrame,
    table: Table,
    rename: Mapping[str, str],
) -> pl.DataFrame:
    """Return the frame with the names of the shared table, where its columns have them or get them.

    A name that differs from a shared one only by case, blanks, hyphens or underscores is taken for it.

    Raises
    ------
    UsageError
        `rename` does not fit the frame or the table.
    """
    for own, shared in rename.items():
        _check(own, shared, frame, table, rename)
    new_names = dict(rename)
    taken = {*frame.columns, *rename.values(), *_WRITTEN}
    for shared in table.columns:
        if shared in taken:
            continue
        not_named = [own for own in frame.columns if own not in new_names]
        alike_columns = [own for own in not_named if plain(own) == plain(shared)]
        # of two that are called alike nobody knows which is meant
        if len(alike_columns) == 1:
            new_names[alike_columns[0]] = shared
    return frame.rename(new_names)


def near_misses(columns: Iterable[str], table: Table) -> dict[str, str]:
    """Return the columns that are probably meant for one of the shared ones that are missing, with its name."""
    missing = {plain(name): name for name in table.columns if name not in columns}
    probably_meant: dict[str, str] = {}
    for own_column in columns:
        if own_column in table.columns:
            continue
        nearest = difflib.get_close_matches(plain(own_column), list(missing), n=1, cutoff=_ALIKE)
        if nearest:
            probably_meant[own_column] = missing[nearest[0]]
    return probably_meant


def _check(
    own: str,
    shared: str,
    frame: pl.DataFrame,
    table: Table,
    rename: Mapping[str, str],
) -> None:
    if own not in frame.columns:
        if own in table.columns and shared in frame.columns:
            raise UsageError(
                f"rename goes from your column to the shared one: write rename={{{shared!r}: {own!r}}}, "
                f"not {{{own!r}: {shared!r}}}"
            )
        raise UsageError(
            f"rename: the frame has no column {own!r}{did_you_mean(own, frame.columns)} "
            f"It has {', '.join(frame.columns)}"
        )
    if shared not in table.columns:
        raise UsageError(
            f"rename: {table.name} has no column {shared!r}{did_you_mean(shared, table.columns)} "
            f"It has {', '.join(table.columns)}"
        )
    rival_columns = [column for column, target in rename.items() if target == shared]
    if len(rival_columns) > 1:
        raise UsageError(
            f"rename: {' and '.join(rival_columns)} would both be {shared}; rename one of them"
        )
    if shared in frame.columns and shared not in rename:
        raise UsageError(
            f"rename: the frame has a column {shared} already, so that {own!r} cannot be it too; "
            f"give the frame without one of them, such as frame.drop({shared!r})"
        )
