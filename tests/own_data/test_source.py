"""Own data as they are given: CSV files of several programs, and frames of several libraries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import crmlab
from crmlab.errors import UsageError

ROWS = {
    "id": ["1", "2"],
    "status": ["won", "lost"],
    "amount": [100.5, None],
    "name": ["Größe; one", None],
}
KINDS: dict[str, Any] = {
    "polars": pl.DataFrame(ROWS),
    "lazy": pl.LazyFrame(ROWS),
    "pandas": pd.DataFrame(ROWS),
    "pandas with an index": pd.DataFrame(ROWS).set_index("id"),
    "pyarrow": pa.table(ROWS),
    "duckdb": duckdb.sql(
        "FROM (VALUES ('1', 'won', 100.5, 'Größe; one'), ('2', 'lost', NULL, NULL)) t(id, status, amount, name)"
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_frames_of_every_library_give_the_same_table(kind: str) -> None:
    found = crmlab.table("deals", KINDS[kind], provider="salesforce")

    assert found.select("id", "status", "amount", "name").rows() == [
        ("1", "won", 100.5, "Größe; one"),
        ("2", "lost", None, None),
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["no mark", "byte order mark"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
def test_csv_files_are_read_whatever_program_wrote_them(
    delimiter: str, mark: str, end: str, tmp_path: Path
) -> None:
    path = tmp_path / "export.csv"
    lines = [
        ["id", "status", '"Größe, in m; more"', "amount"],
        ["1", "won", f'"a{delimiter}""b""{end}c"', "5"],
        ["2", "lost", '""', ""],
    ]
    path.write_bytes((mark + end.join(delimiter.join(line) for line in lines) + end).encode())

    found = crmlab.table("deals", path, provider="salesforce")

    assert found.select("id", "status", "amount").rows() == [("1", "won", 5.0), ("2", "lost", None)]
    assert found["Größe, in m; more"].to_list() == [f'a{delimiter}"b"{end}c', ""]
    assert crmlab.table("deals", str(path), provider="salesforce").equals(found)


@pytest.mark.parametrize("blank", ["", ";;"])
def test_lines_without_a_value_are_no_rows(blank: str, tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text(f"id;status;amount\n1;won;5\n{blank}\n2;lost;\n{blank}\n")

    found = crmlab.table("deals", path, provider="s")

    assert found.select("id", "status", "amount").rows() == [("1", "won", 5.0), ("2", "lost", None)]


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_a_file_in_another_encoding_is_read_as_the_error_says(
    encoding: str, tmp_path: Path
) -> None:
    path = tmp_path / "export.csv"
    path.write_text("id;status;name\n007;won;Jörg\n", encoding=encoding)
    with pytest.raises(UsageError, match="is not UTF-8") as refused:
        crmlab.table("deals", path, provider="s")

    call = str(refused.value).partition("for example with polars.")[2]
    cells = eval(call, {"read_csv": pl.read_csv})  # what the error tells to write

    found = crmlab.table("deals", cells, provider="s")
    assert found.select("id", "name").rows() == [("007", "Jörg")]


def test_a_comma_in_the_name_of_a_column_is_no_delimiter(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text("id;Amount, EUR;status\n1;1,5;won\n")

    found = crmlab.table("deals", path, provider="s", rename={"Amount, EUR": "amount"}, decimal=",")

    assert found.select("id", "amount", "status").rows() == [("1", 1.5, "won")]


def test_a_file_of_one_column_is_read(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text("E-Mail\nann@example.com\n")

    found = crmlab.table(
        "consent_events",
        path,
        provider="s",
        rename={"E-Mail": "contact_email"},
        constants={"opted_in": True, "channel": "email", "occurred_at": "2026-01-31"},
    )

    assert found.select("contact_email", "opted_in").rows() == [("ann@example.com", True)]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "latin.csv",
            "id;name\n1;é\n".encode("cp1252"),
            r'latin.csv is not UTF-8: save it as "CSV UTF-8"',
        ),
        ("empty.csv", b"", "empty.csv cannot be read as CSV: empty CSV"),
        ("long.csv", b"id,name\n1,a,b\n", "long.csv cannot be read as CSV: a line has more cells"),
        ("deals.parquet", b"", "deals.parquet is no CSV file: write polars.read_parquet"),
        ("deals.xlsx", b"", "deals.xlsx is no CSV file: write polars.read_excel"),
    ],
)
def test_a_file_that_is_no_csv_is_refused_with_what_to_write(
    name: str, content: bytes, said: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(UsageError, match=said):
        crmlab.table("deals", tmp_path / name, provider="salesforce")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"deals.csv cannot be read: No such file or directory"):
        crmlab.table("deals", tmp_path / "deals.csv", provider="salesforce")


def test_a_name_that_two_columns_have_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text("id;Stage;Stage;;\n1;won;lost;;\n")

    with pytest.raises(
        UsageError,
        match=r"export\.csv has several columns called Stage: give each its own name",
    ):
        crmlab.table("deals", path, provider="salesforce", rename={"Stage": "status"})
