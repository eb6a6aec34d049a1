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
    old_rows = _frame(before, "before")
    new_rows = _frame(after, "after")
    new_key = _among(KEY, new_rows)
    key = _among(new_key, old_rows)
    _check_ids(old_rows, key, "before")
    _check_ids(new_rows, key, "after")
    columns = [column for column in new_rows.columns if column not in (*KEY, CHANGED)]
    if not columns:
        no_changes = pl.lit([]).cast(_NAMES).alias(CHANGED)
        return new_rows.clear().select(*new_key, no_changes)
    shared = _among(columns, old_rows)
    new_rows = _with_types(new_rows, old_rows, shared)
    known = old_rows.select(
        *key,
        pl.col(shared).name.prefix(_BEFORE),
        pl.lit(value=True).alias(_BEFORE),
    )
    # no row of a new record is one of those without an id
    pairs = new_rows.join(known, on=key, how="left", maintain_order="left")
    differing = [_differs(column, is_shared=column in shared) for column in columns]
    names_of_changed = pl.concat_list(differing).list.drop_nulls().alias(CHANGED)
    changed_rows = pairs.with_columns(names_of_changed).filter(pl.col(CHANGED).list.len() > 0)
    sent_columns = set(changed_rows[CHANGED].explode().drop_nulls())
    sent_columns |= _always_sent(changed_rows)
    in_order = [column for column in columns if column in sent_columns]
    return changed_rows.select(*new_key, CHANGED, *in_order)


def _among(columns: Iterable[str], frame: pl.DataFrame) -> list[str]:
    """Return those of the columns that a frame has."""
    return [column for column in columns if column in frame.columns]


def _frame(frame: Any, what: str) -> pl.DataFrame:
    rows = collected(as_polars(frame, what), what)
    if "id" not in rows.columns:
        raise UsageError(f"{what} has no column id, by which its rows are known")
    # two categoricals of different frames do not compare
    names_as_text = pl.col(_among(("provider", "account"), rows)).cast(pl.String)
    return rows.with_columns(names_as_text, ids_as_text(rows["id"]))


def _check_ids(frame: pl.DataFrame, key: Sequence[str], what: str) -> None:
    """Refuse a frame in which two rows may be of one record, as far as both frames tell."""
    ids = frame.filter(pl.col("id").is_not_null()).select(key)
    if ids.is_duplicated().any():
        raise UsageError(
            f"{what} has an id twice, by {', '.join(key)} of both frames: its rows cannot be told apart"
        )


def _with_types(
    new: pl.DataFrame,
    old: pl.DataFrame,
    shared: Iterable[str],
) -> pl.DataFrame:
    """Return the frame, of whose columns those that hold nothing have the type of before."""
    typed = new
    for column in shared:
        type_before = old.schema[column]
        if typed.schema[column] == pl.Null:
            typed = typed.with_columns(pl.col(column).cast(type_before))
        type_after = typed.schema[column]
        if type_before != type_after:
            raise UsageError(f"{column} is {type_before} before and {type_after} after: cast it")
        if type_after == pl.Object:
            raise UsageError(f"{column} holds objects of Python, which cannot be compared: cast it")
    return typed


def _differs(name: str, *, is_shared: bool) -> pl.Expr:
    """Return the name of a column in each row where its value differs, and null elsewhere."""
    has_value = pl.col(name).is_not_null()
    if not is_shared:
        return pl.when(has_value).then(pl.lit(name))
    # of a record that is new, every value differs from nothing
    is_known = pl.col(_BEFORE).is_not_null()
    is_changed = pl.col(name).ne_missing(pl.col(f"{_BEFORE}{name}"))
    differs = pl.when(is_known).then(is_changed).otherwise(has_value)
    return pl.when(differs).then(pl.lit(name))


def _always_sent(rows: pl.DataFrame) -> set[str]:
    """Return the columns without which the services of these rows take no change."""
    if "provider" not in rows.columns:
        return set()
    provider_names = set(rows["provider"].drop_nulls())
    always_sent: set[str] = set()
    for provider_name, provider in registry().items():
        if provider_name not in provider_names:
            continue
        for target in provider.targets():
            always_sent.update(target.always_sent)
    return always_sent
