"""How misfits are counted: each value once, however often its list is read and however many columns lack it."""

from __future__ import annotations

from collections import Counter
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
    readers = Counter(misfits.source for misfits in found)
    seen_rows: dict[str, set[int]] = {}
    unseen_misfits: list[Misfits] = []
    for misfits in found:
        source = misfits.source
        if not source or readers[source] == 1:
            unseen_misfits.append(misfits)
            continue
        earlier_rows = seen_rows.setdefault(source, set())
        unseen = misfits.without(earlier_rows)
        earlier_rows.update(unseen.rows.to_list())
        unseen_misfits.append(unseen)
    return unseen_misfits


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
    row_numbers = misfits.rows
    known_ids = ids.gather(row_numbers)
    if known_ids.null_count():
        record_names: list[str] = []
        for row_number, record_id in zip(row_numbers, known_ids, strict=True):
            if record_id is not None:
                record_names.append(record_id)
                continue
            record_names.append(str(found[row_number].fingerprint))
        known_ids = pl.Series(record_names, dtype=pl.String)
    key = known_ids.hash(seed=crc32(misfits.source.encode()))
    if row_numbers.n_unique() == len(row_numbers):
        return key
    number = pl.int_range(pl.len(), dtype=pl.UInt64).over("row")
    return pl.DataFrame({"row": row_numbers, "key": key}).select(pl.col("key") + number).to_series()


def lines_of(counted: Sequence[Counted]) -> pl.DataFrame:
    """Return a line for each value, as `MISFIT_KEYS`; there is one at least."""
    # whole columns are put together: an expression for each of them costs as much as decoding some fifty records
    tables: list[pl.Series] = []
    fields: list[pl.Series] = []
    all_keys: list[pl.Series] = []
    for table, field, keys in counted:
        tables.append(pl.Series([table]).new_from_index(0, len(keys)))
        fields.append(pl.Series([field]).new_from_index(0, len(keys)))
        all_keys.append(keys)
    return pl.DataFrame(
        {"table": pl.concat(tables), "field": pl.concat(fields), "key": pl.concat(all_keys)}
    )
