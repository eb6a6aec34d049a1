"""How misfits are counted: each value once, however often its list is read and however many columns lack it."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import polars as pl

from crmlab.decoding.misfits import Misfits
from crmlab.decoding.records import Record

#: a misfit counts once, however often its list is read: by its field and its record. Without a table it is one of the
#: resource; one line more for each table that lacks the value
MISFIT_KEYS = pl.Schema({"table": pl.String(), "field": pl.String(), "key": pl.UInt64()})
#: a table (or none), a field, and the keys of values in it
Counted = tuple[str, str, pl.Series]


def each_once(found: Sequence[Misfits]) -> list[Misfits]:
    """Return the same misfits without the values that an earlier one has: several columns may read one text."""
    sources = [each.source for each in found]
    seen: dict[str, set[int]] = {}
    kept = []
    for each in found:
        left = each
        if each.source and sources.count(each.source) > 1:
            rows = seen.setdefault(each.source, set())
            left = each.without(rows)
            rows.update(left.rows.to_list())
        kept.append(left)
    return kept


def key_of(misfits: Misfits, ids: pl.Series, found: Sequence[Record]) -> pl.Series:
    """Return what tells each value from others: its field, its record, and which of several values it is.

    Parameters
    ----------
    misfits
        The values.
    ids
        The id of each record.
    found
        The records, whose JSON stands in for an id that is absent.
    """
    rows = misfits.rows
    known = ids.gather(rows)
    if known.null_count():
        names = []
        for row, id_ in zip(rows, known, strict=True):
            names.append(found[row].text.decode("utf-8", "replace") if id_ is None else id_)
        known = pl.Series(names, dtype=pl.String)
    key = known.hash(seed=crc32(misfits.source.encode()))
    if rows.n_unique() == len(rows):
        return key
    number = pl.int_range(pl.len(), dtype=pl.UInt64).over("row")
    return pl.DataFrame({"row": rows, "key": key}).select(pl.col("key") + number).to_series()


def lines_of(counted: Sequence[Counted]) -> pl.DataFrame:
    """Return a line for each value, as `MISFIT_KEYS`; there is one at least."""
    # whole columns are put together: an expression for each of them costs as much as decoding some fifty records
    tables = [pl.Series([table]).new_from_index(0, len(keys)) for table, _, keys in counted]
    fields = [pl.Series([field]).new_from_index(0, len(keys)) for _, field, keys in counted]
    columns = (tables, fields, [keys for _, _, keys in counted])
    return pl.DataFrame(
        [pl.concat(parts).alias(name) for name, parts in zip(MISFIT_KEYS, columns, strict=True)]
    )
