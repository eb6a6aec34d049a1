"""What differs between two frames of one table: the rows and columns that a push has to send."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import polars as pl

from crmlab.errors import UsageError
from crmlab.providers import registry
from crmlab.pushing.rows import CHANGED
from crmlab.pushing.values import ids_as_text
from crmlab.schema import KEY, as_polars, collected

#: what the columns of before are named by beside those of after: no column begins with it
_BEFORE = "\0"
_NAMES = pl.List(pl.String)


def updates(before: Any, after: Any) -> pl.DataFrame:
    """Return the rows and columns of `after` that differ from `before`, as `push` takes them.

    Both are frames of one table, as a fetch brings them, with rows known by ``provider``, ``account`` and ``id``, as
    far as these columns are there. Rows of `after` without an id, or with one that `before` does not have, are new. A
    row that only `before` has is left alone: nothing is ever deleted.

    Parameters
    ----------
    before
        As it was: ``data.contacts``.
    after
        As it shall be: the same with other values. Columns that it does not have stay as they are.

    Returns
    -------
    pl.DataFrame
        Those of ``provider``, ``account``, ``id`` that `after` has, ``changed`` (the columns of this row that differ,
        a list of text: a cell that is null in one of them shall be emptied), and every column that differs in any
        row. Those without which a service takes no change, such as the names in Complero, are there too.

    Raises
    ------
    UsageError
        A frame has no id, or one stands twice in it: one of several accounts does where the other frame has no column
        ``account``. A column has another dtype in `after`.

    Examples
    --------
    >>> import polars as pl
    >>> before = pl.DataFrame({"id": ["1", "2"], "city": ["Bonn", "Ulm"], "tags": [["vip"], []]})
    >>> after = before.with_columns(city=pl.Series(["Bonn", "Cologne"]))
    >>> updates(before, after)
    shape: (1, 3)
    ┌─────┬───────────┬─────────┐
    │ id  ┆ changed   ┆ city    │
    │ --- ┆ ---       ┆ ---     │
    │ str ┆ list[str] ┆ str     │
    ╞═════╪═══════════╪═════════╡
    │ 2   ┆ ["city"]  ┆ Cologne │
    └─────┴───────────┴─────────┘
    """
    old = _frame(before, "before")
    new = _frame(after, "after")
    key = [name for name in KEY if name in old.columns and name in new.columns]
    _check_ids(old, key, "before")
    _check_ids(new, key, "after")
    columns = [name for name in new.columns if name not in (*KEY, CHANGED)]
    shared = [name for name in columns if name in old.columns]
    if not columns:
        return new.clear().select(
            *(name for name in KEY if name in new.columns), pl.lit([]).cast(_NAMES).alias(CHANGED)
        )
    new = _with_types(new, old, shared)
    known = old.select(
        *key,
        *(pl.col(name).alias(f"{_BEFORE}{name}") for name in shared),
        pl.lit(value=True).alias(_BEFORE),
    )
    # no row of a new record is one of those without an id
    both = new.join(known, on=key, how="left", maintain_order="left")
    differs = [_differs(name, is_shared=name in shared) for name in columns]
    found = both.with_columns(pl.concat_list(differs).list.drop_nulls().alias(CHANGED))
    found = found.filter(pl.col(CHANGED).list.len() > 0)
    changed = set(found[CHANGED].explode().drop_nulls())
    needed = _always_sent(found)
    kept = [name for name in columns if name in changed or name in needed]
    return found.select(*(name for name in KEY if name in new.columns), CHANGED, *kept)


def _frame(frame: Any, what: str) -> pl.DataFrame:
    found = collected(as_polars(frame, what), what)
    if "id" not in found.columns:
        raise UsageError(f"{what} has no column id, by which its rows are known")
    # two categoricals of different frames do not compare
    keys = [pl.col(name).cast(pl.String) for name in KEY[:-1] if name in found.columns]
    return found.with_columns(*keys, ids_as_text(found["id"]))


def _check_ids(frame: pl.DataFrame, key: Sequence[str], what: str) -> None:
    """Refuse a frame in which two rows may be of one record, as far as both frames tell."""
    ids = frame.filter(pl.col("id").is_not_null()).select(key)
    if ids.is_duplicated().any():
        raise UsageError(
            f"{what} has an id twice, by {', '.join(key)} of both frames: its rows cannot be told apart"
        )


def _with_types(new: pl.DataFrame, old: pl.DataFrame, shared: Iterable[str]) -> pl.DataFrame:
    """Return the frame, of whose columns those that hold nothing have the type of before."""
    empty = [name for name in shared if new.schema[name] == pl.Null]
    new = new.with_columns(pl.col(name).cast(old.schema[name]) for name in empty)
    for name in shared:
        if old.schema[name] != new.schema[name]:
            raise UsageError(
                f"{name} is {old.schema[name]} before and {new.schema[name]} after: cast it"
            )
        if new.schema[name] == pl.Object:
            raise UsageError(f"{name} holds objects of Python, which cannot be compared: cast it")
    return new


def _differs(name: str, *, is_shared: bool) -> pl.Expr:
    """Return the name of a column in each row where its value differs, and null elsewhere."""
    differs = pl.col(name).is_not_null()
    if is_shared:
        is_known = pl.col(_BEFORE).is_not_null()
        differs = (
            pl.when(is_known)
            .then(pl.col(name).ne_missing(pl.col(f"{_BEFORE}{name}")))
            .otherwise(differs)
        )
    return pl.when(differs).then(pl.lit(name))


def _always_sent(rows: pl.DataFrame) -> set[str]:
    """Return the columns without which the services of these rows take no change."""
    if "provider" not in rows.columns:
        return set()
    names = set(rows["provider"].drop_nulls())
    providers = [provider for name, provider in registry().items() if name in names]
    return {
        column
        for provider in providers
        for target in provider.targets
        for column in target.always_sent
    }
