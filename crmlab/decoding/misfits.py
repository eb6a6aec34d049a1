"""Values that could not be read: which field, which record, what was wanted and what came."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence

import msgspec
import polars as pl
from msgspec.structs import replace

from crmlab.decoding.secrets import shown_values

MISFITS = pl.Schema(
    {
        "provider": pl.Categorical(),
        "account": pl.String(),
        "resource": pl.String(),
        "id": pl.String(),
        "field": pl.String(),
        "reason": pl.String(),
        "raw": pl.String(),
    }
)
#: how many values of one field are kept; more are counted
MAX_KEPT = 1_000
#: characters of a value that a reason quotes
_QUOTED = 120
#: fields by which tables join, and fields that are money: without them joins and sums are wrong
_VITAL = re.compile(r"(?:^|[._])(?:id|amount|cost|margin|price)$")


class Misfits(msgspec.Struct, frozen=True, kw_only=True):
    """The values of one field that could not be read, each by the row of its record.

    `values` holds the first `MAX_KEPT` of them, and `as_json` makes of one its JSON, if it is not that already.
    `column` is the shared column that an expression could not fill, and `source` the text that it reads; both are
    empty where the JSON itself has another type than documented.
    """

    field: str
    wanted: str
    rows: pl.Series
    values: pl.Series
    as_json: Callable[[str], str] = str
    column: str = ""
    source: str = ""

    def at(self, rows: pl.Series) -> Misfits:
        """Return the same values by other row numbers: `rows` holds the new one of each old one."""
        return replace(self, rows=rows.gather(self.rows))

    def without(self, rows: Collection[int]) -> Misfits:
        """Return those that are not in these rows."""
        if not rows:
            return self
        is_staying = ~self.rows.is_in(pl.Series([*rows], dtype=self.rows.dtype).implode())
        return replace(
            self,
            rows=self.rows.filter(is_staying),
            values=self.values.filter(is_staying.head(len(self.values))),
        )


def all_at(found: Iterable[Misfits], rows: pl.Series) -> list[Misfits]:
    """Return the same misfits by other row numbers, see `Misfits.at`."""
    return [misfits.at(rows) for misfits in found]


def misfits_where(
    is_misfit: pl.Series,
    values: pl.Series,
    *,
    field: str,
    wanted: str,
    as_json: Callable[[str], str] = str,
    column: str = "",
    source: str = "",
) -> list[Misfits]:
    """Return the values for which `is_misfit` is true, one or none; for the other arguments see `Misfits`."""
    rows = is_misfit.arg_true()
    if rows.is_empty():
        return []
    kept = values.gather(rows.head(MAX_KEPT))
    return [
        Misfits(
            field=field,
            wanted=wanted,
            rows=rows,
            values=kept,
            as_json=as_json,
            column=column,
            source=source,
        )
    ]


def is_vital(field: str) -> bool:
    """Return whether a field is money or an id, so that a table without it cannot be trusted."""
    return bool(_VITAL.search(field))


def table_of(
    found: Sequence[Misfits], ids: pl.Series, head: pl.DataFrame, never_kept: Collection[str] = ()
) -> pl.DataFrame:
    """Return a line for each value that is kept, without what may be a secret.

    Parameters
    ----------
    found
        What could not be read.
    ids
        The id of each row.
    head
        What stands before the id in every line: one row.
    never_kept
        Names of fields whose values are not shown.
    """
    if not found:
        return pl.DataFrame(schema=MISFITS)
    line_texts: dict[str, list[str | None]] = {"id": [], "field": [], "reason": [], "raw": []}
    for misfits in found:
        beginning = f"expected {misfits.wanted}, got "
        if misfits.column:
            beginning = f"{misfits.column}: {beginning}"
        as_json = [misfits.as_json(misfit_value) for misfit_value in misfits.values]
        values = shown_values(misfits.field, as_json, never_kept)
        line_texts["id"] += ids.gather(misfits.rows.head(len(values))).to_list()
        line_texts["field"] += [misfits.field] * len(values)
        line_texts["reason"] += [beginning + misfit_value[:_QUOTED] for misfit_value in values]
        line_texts["raw"] += values
    count = len(line_texts["raw"])
    columns = [column.new_from_index(0, count) for column in head]
    for column_name, column_texts in line_texts.items():
        columns.append(pl.Series(column_name, column_texts, dtype=pl.String))
    return pl.DataFrame(columns)
