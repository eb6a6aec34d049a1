"""Values that could not be read: which field, which record, what was wanted and what came."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import polars as pl

from crmlab.decoding.secrets import blotted, is_secret

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfits:
    """The values of one field that could not be read, each by the row of its record.

    `raw` holds the JSON of the first `MAX_KEPT` of them. `column` is the shared column that an
    expression could not fill, and `source` the text that it reads; both are empty where the JSON itself has
    another type than documented.
    """

    field: str
    wanted: str
    rows: pl.Series
    raw: pl.Series
    column: str = ""
    source: str = ""

    def at(self, rows: pl.Series) -> Misfits:
        """Return the same values by other row numbers: `rows` holds the new one of each old one."""
        return replace(self, rows=rows.gather(self.rows))

    def without(self, rows: Collection[int]) -> Misfits:
        """Return those that are not in these rows."""
        if not rows:
            return self
        stays = ~self.rows.is_in(pl.Series([*rows], dtype=self.rows.dtype).implode())
        return replace(self, rows=self.rows.filter(stays), raw=self.raw.filter(stays.head(len(self.raw))))


def misfits_where(
    is_misfit: pl.Series, raw: pl.Series, *, field: str, wanted: str, column: str = "", source: str = ""
) -> list[Misfits]:
    """Return the values for which `is_misfit` is true, one or none; `raw` holds the JSON of each row's value."""
    rows = is_misfit.fill_null(value=False).arg_true()
    if rows.is_empty():
        return []
    kept = raw.gather(rows.head(MAX_KEPT))
    return [Misfits(field=field, wanted=wanted, rows=rows, raw=kept, column=column, source=source)]


def is_vital(field: str) -> bool:
    """Return whether a field is money or an id, so that a table without it cannot be trusted."""
    return bool(_VITAL.search(field))


def table_of(
    found: Sequence[Misfits], ids: pl.Series, head: dict[str, pl.Expr], never_kept: Collection[str] = ()
) -> pl.DataFrame:
    """Return a line for each value that is kept, without what may be a secret.

    Parameters
    ----------
    found
        What could not be read.
    ids
        The id of each row.
    head
        What stands before the id in every line.
    never_kept
        Names of fields whose values are not shown.
    """
    parts = [pl.DataFrame(schema=MISFITS)]
    for misfits in found:
        raw = _shown(misfits, never_kept)
        quoted = raw.str.slice(0, _QUOTED)
        place = f"{misfits.column}: " if misfits.column else ""
        part = pl.DataFrame({"id": ids.gather(misfits.rows.head(len(raw))), "quoted": quoted, "raw": raw})
        reason = pl.lit(f"{place}expected {misfits.wanted}, got ") + pl.col("quoted")
        parts.append(part.select(**head, id="id", field=pl.lit(misfits.field), reason=reason, raw="raw"))
    return pl.concat(parts)


def _shown(misfits: Misfits, never_kept: Collection[str]) -> pl.Series:
    if is_secret(misfits.field):
        return pl.repeat("••••", len(misfits.raw), dtype=pl.String, eager=True)
    return blotted(misfits.raw, never_kept)
