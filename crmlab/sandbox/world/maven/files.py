"""Reads Maven's CSV files; what cannot be read is named by file, line and column."""

from __future__ import annotations

import csv
import io
import re
from contextlib import suppress
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import NamedTuple, NoReturn

from crmlab.errors import CrmlabError, SchemaError

#: the files and the columns that they must have
FILES = {
    "accounts.csv": "account sector year_established revenue employees office_location subsidiary_of",
    "products.csv": "product series sales_price",
    "sales_teams.csv": "sales_agent manager regional_office",
    "sales_pipeline.csv": "opportunity_id sales_agent product account deal_stage engage_date close_date close_value",
}


class Row(NamedTuple):
    """One line of a file."""

    file: str
    line: int
    cells: dict[str, str]

    def text(self, column: str) -> str:
        """The cell without blanks around it."""
        return self.cells[column].strip()

    def required(self, column: str) -> str:
        """The text, which must not be empty."""
        return self.text(column) or self.fail(column, "is empty", "fill it in or remove the line")

    def number(self, column: str) -> float:
        """The cell as a number."""
        text = self.required(column)
        if not re.fullmatch(r"-?\d+(\.\d+)?", text):
            self.fail(column, f"{text!r} is not a number", "write it like 1054 or 1054.50")
        return float(text)

    def day(self, column: str) -> date | None:
        """The cell as a day, None if it is empty."""
        text = self.text(column)
        if not text:
            return None
        for pattern in ("%d-%m-%y", "%Y-%m-%d"):
            with suppress(ValueError):
                return datetime.strptime(text, pattern).replace(tzinfo=UTC).date()
        return self.fail(
            column, f"{text!r} is not a date", "write it day first, DD-MM-YY, or YYYY-MM-DD"
        )

    def fail(self, column: str, what: str, advice: str) -> NoReturn:
        """Say where, what is wrong and what to do."""
        raise SchemaError(f"{self.file}, line {self.line}, column {column}: {what}; {advice}")


def read(path: Path) -> list[Row]:
    """The lines of one of the `FILES`; empty ones are left out."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise CrmlabError(
            f"{path} is missing; the directory must hold {', '.join(FILES)}"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else error.strerror
        raise CrmlabError(f"{path} cannot be read: {reason}; save it as a UTF-8 CSV file") from None
    reader = csv.reader(io.StringIO(text), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        missing = ", ".join(name for name in FILES[path.name].split() if name not in header)
        if missing:
            has = f"the header has {', '.join(header) or 'no columns'}; rename or add the column"
            raise SchemaError(f"{path.name}, line 1, column {missing}: missing; {has}")
        rows = []
        for cells in filter(None, reader):
            if len(cells) != len(header):
                found = f"{len(cells)} cells under {len(header)} columns; check for a missing or an unquoted comma"
                raise SchemaError(f"{path.name}, line {reader.line_num}: {found}")
            rows.append(Row(path.name, reader.line_num, dict(zip(header, cells, strict=True))))
    except csv.Error as error:
        raise SchemaError(
            f"{path.name}, line {reader.line_num}: {error}; check the quotes on this line"
        ) from None
    return rows


def by_name(rows: list[Row], column: str) -> dict[str, Row]:
    """The rows by `key_of` this column, which must differ from row to row."""
    named: dict[str, Row] = {}
    for row in rows:
        name = row.required(column)
        first = named.setdefault(key_of(name), row)
        if first is not row:
            row.fail(
                column, f"{name!r} is on line {first.line} already", "remove or rename one of them"
            )
    return named


def key_of(name: str) -> str:
    """The same for `GTX Pro`, `GTXPro` and `gtx-pro`."""
    return re.sub(r"[\W_]+", "", name).casefold()


def noon(day: date) -> datetime:
    """The time that stands for a day, in UTC."""
    return datetime.combine(day, time(12), UTC)
