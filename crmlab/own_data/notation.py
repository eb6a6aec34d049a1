"""How values are written in the user's data: dates, times, numbers, lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from crmlab.errors import UsageError
from crmlab.own_data.naming import did_you_mean
from crmlab.schema import UTC, Table, zone

_DATED = (pl.Date(), UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notation:
    """How values are written.

    `date_format`: for all columns of dates and times that are text, or by column; None: ISO 8601. `time_zone`: of
    times without one. `decimal`, `thousands`: the signs in numbers. `separator`: what stands between the parts of a
    list.
    """

    date_format: str | Mapping[str, str] | None = None
    time_zone: str | None = None
    decimal: str = "."
    thousands: str | None = None
    separator: str = ";"

    def format_of(self, column: str) -> str | None:
        """Return the format of dates and times in a column; None: ISO 8601."""
        if isinstance(self.date_format, Mapping):
            return self.date_format.get(column)
        return self.date_format

    def _has_thousands(self) -> bool:
        """Return whether the sign of thousands is a single one that means nothing else in a number."""
        sign = self.thousands
        taken = f"{self.decimal}+-eE0123456789"
        return isinstance(sign, str) and len(sign) == 1 and sign not in taken

    def check(self, table: Table) -> None:
        """Refuse what no value can be read with.

        Raises
        ------
        UsageError
            Which argument, and what to write.
        """
        if self.decimal not in (".", ","):
            raise UsageError(f"decimal={self.decimal!r}: write '.' or ','")
        if self.thousands is not None and not self._has_thousands():
            raise UsageError(
                f"thousands={self.thousands!r} with decimal={self.decimal!r}: write another single sign, "
                "such as thousands=',' with decimal='.', or thousands='.' with decimal=','"
            )
        if not isinstance(self.separator, str) or not self.separator:
            raise UsageError(
                f"separator={self.separator!r}: write what stands between the parts of a list, such as ';'"
            )
        if self.time_zone is not None:
            zone(self.time_zone)
        for date_format in self._formats(table):
            # most who write no % have written a date
            if not isinstance(date_format, str) or "%" not in date_format:
                raise UsageError(
                    f"date_format={date_format!r} has no %: write '%d/%m/%Y' for 31/01/2026"
                )

    def _formats(self, table: Table) -> list[str]:
        """Return all formats of dates and times; refuse those of columns that the table does not have."""
        if self.date_format is None:
            return []
        if not isinstance(self.date_format, Mapping):
            return [self.date_format]
        _check_columns(self.date_format, table)
        return list(self.date_format.values())


def _check_columns(formats: Mapping[str, str], table: Table) -> None:
    dated = [name for name, column in table.columns.items() if column.dtype in _DATED]
    for name in formats:
        if name in dated:
            continue
        nearest = did_you_mean(name, dated)
        raise UsageError(
            f"date_format: {name!r} is no column of dates or times of {table.name}{nearest} "
            f"There are {', '.join(dated)}"
        )
