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
        cell_text = self.required(column)
        # `float` takes more than a number: nan, 1_000, and digits of other scripts
        if not re.fullmatch(r"-?\d+(\.\d+)?", cell_text):
            self.fail(column, f"{cell_text!r} is not a number", "write it like 1054 or 1054.50")
        return float(cell_text)

    def day(self, column: str) -> date | None:
        """The cell as a day, None if it is empty."""
        cell_text = self.text(column)
        if not cell_text:
            return None
        for pattern in ("%d-%m-%y", "%Y-%m-%d"):
            with suppress(ValueError):
                return datetime.strptime(cell_text, pattern).replace(tzinfo=UTC).date()
        return self.fail(
            column, f"{cell_text!r} is not a date", "write it day first, DD-MM-YY, or YYYY-MM-DD"
        )

    def fail(self, column: str, what: str, advice: str) -> NoReturn:
        """Say where, what is wrong and what to do."""
        raise SchemaError(f"{self.file}, line {self.line}, column {column}: {what}; {advice}")


def read(path: Path) -> list[Row]:
    """The lines of one of the `FILES`; empty ones are left out."""
    # without the byte order mark that spreadsheets put before the first column
    try:
        content = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise CrmlabError(
            f"{path} is missing; the directory must hold {', '.join(FILES)}"
        ) from None
    except UnicodeDecodeError:
        raise _unreadable(path, "it is not UTF-8") from None
    except OSError as error:
        raise _unreadable(path, error.strerror) from None
    reader = csv.reader(io.StringIO(content), strict=True)
    try:
        header = [column.strip() for column in next(reader, [])]
        _check_header(path.name, header)
        file_rows = []
        for cells in reader:
            if not cells:
                continue
            place = f"{path.name}, line {reader.line_num}"
            if len(cells) != len(header):
                raise SchemaError(
                    f"{place}: {len(cells)} cells under {len(header)} columns; "
                    "check for a missing or an unquoted comma"
                )
            named_cells = dict(zip(header, cells, strict=True))
            file_rows.append(Row(path.name, reader.line_num, named_cells))
    except csv.Error as error:
        raise SchemaError(
            f"{path.name}, line {reader.line_num}: {error}; check the quotes on this line"
        ) from None
    return file_rows


def _unreadable(path: Path, reason: str | None) -> CrmlabError:
    return CrmlabError(f"{path} cannot be read: {reason}; save it as a UTF-8 CSV file")


def _check_header(file_name: str, header: list[str]) -> None:
    required = FILES[file_name].split()
    missing = [column for column in required if column not in header]
    if missing:
        columns = ", ".join(header) or "no columns"
        raise SchemaError(
            f"{file_name}, line 1, column {', '.join(missing)}: missing; "
            f"the header has {columns}; rename or add the column"
        )


def by_name(rows: list[Row], column: str) -> dict[str, Row]:
    """The rows by `key_of` this column, which must differ from row to row."""
    rows_by_key: dict[str, Row] = {}
    for row in rows:
        row_name = row.required(column)
        first_row = rows_by_key.setdefault(key_of(row_name), row)
        if first_row is not row:
            row.fail(
                column,
                f"{row_name!r} is on line {first_row.line} already",
                "remove or rename one of them",
            )
    return rows_by_key


def key_of(name: str) -> str:
    """The same for `GTX Pro`, `GTXPro` and `gtx-pro`."""
    return re.sub(r"[\W_]+", "", name).casefold()


def noon(day: date) -> datetime:
    """The time that stands for a day, in UTC."""
    return datetime.combine(day, time(12), UTC)
