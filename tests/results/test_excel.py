"""Excel files: what is in them is what was in the tables, and what does not fit is refused."""

from __future__ import annotations

import builtins
import datetime as dt
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest

from crmlab.errors import PlanError
from crmlab.results.export import export
from crmlab.schema.tables import TABLES, conform


def sheet(path: Path, name: str) -> list[dict[str, Any]]:
    head, *rows = openpyxl.load_workbook(path)[name].values
    return [dict(zip(head, row, strict=True)) for row in rows]


def test_each_table_is_a_sheet_and_times_say_that_they_are_utc(tmp_path: Path) -> None:
    at = dt.datetime(2026, 3, 29, 1, 30, tzinfo=dt.UTC)
    calls = conform(
        pl.DataFrame({"id": ["007"], "provider": ["relenta"], "starts_at": [at], "due_on": [dt.date(2026, 4, 1)]}),
        TABLES["activities"],
    )

    (path,) = export({"activities": calls, "deals": TABLES["deals"].empty()}, tmp_path, "xlsx")

    assert path == tmp_path / "crmlab.xlsx"
    assert openpyxl.load_workbook(path).sheetnames == ["activities", "deals"]
    (row,) = sheet(path, "activities")
    assert (row["id"], row["provider"]) == ("007", "relenta")
    assert row["starts_at (UTC)"] == dt.datetime(2026, 3, 29, 1, 30)  # noqa: DTZ001  # Excel knows no zones
    assert row["due_on"] == dt.datetime(2026, 4, 1)  # noqa: DTZ001
    assert row["body"] is None


def test_text_stays_text_even_where_it_looks_like_a_formula_a_number_or_a_link(tmp_path: Path) -> None:
    texts = ["=1+1", "+353 1 234", "-5", "@SUM(A1)", "{=1}", "http://x.example/", "'quoted", "0012", "\x00\x0b"]
    users = conform(pl.DataFrame({"name": texts}), TABLES["users"])

    (path,) = export({"users": users}, tmp_path, "xlsx")

    cells = next(column for column in openpyxl.load_workbook(path)["users"].columns if column[0].value == "name")[1:]
    assert [cell.value for cell in cells[:-1]] == texts[:-1]
    assert all(cell.data_type == "s" and cell.quotePrefix and cell.hyperlink is None for cell in cells)


def test_lists_and_custom_fields_are_one_cell(tmp_path: Path) -> None:
    custom = [{"key": "k", "label": None, "value": "ü"}]
    contacts = conform(pl.DataFrame({"emails": [["a@b.c", "d;e"]], "custom": [custom]}), TABLES["contacts"])

    (path,) = export({"contacts": contacts}, tmp_path, "xlsx")

    (row,) = sheet(path, "contacts")
    assert row["emails"] == "a@b.c;d\\;e"
    assert row["custom"] == '[{"key": "k", "label": null, "value": "ü"}]'


@pytest.mark.parametrize(
    ("table", "columns", "why"),
    [
        (
            "tags",
            {"count": pl.zeros(1_048_576, pl.Int64, eager=True)},
            r"the 1,048,576 rows of tags \(at most 1,048,575\)",
        ),
        ("tags", {"name": ["x" * 32_768]}, r"the longest text of tags.name \(at most 32,767 characters\)"),
        ("deals", {"close_date": [dt.date(1899, 12, 31)]}, "the times of deals.close_date before 1900-01-01"),
    ],
)
def test_what_excel_cannot_hold_is_refused_and_nothing_is_left(
    tmp_path: Path, table: str, columns: dict[str, Any], why: str
) -> None:
    frame = conform(pl.DataFrame(columns), TABLES[table])

    with pytest.raises(PlanError, match=f"Excel cannot hold {why}: write parquet or csv"):
        export({table: frame}, tmp_path, "xlsx")

    assert list(tmp_path.iterdir()) == []


def test_without_xlsxwriter_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load = builtins.__import__

    def absent(name: str, *args: Any) -> Any:
        if name == "xlsxwriter":
            raise ImportError(name)
        return load(name, *args)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(PlanError, match="pip install xlsxwriter"):
        export({"deals": TABLES["deals"].empty()}, tmp_path, "xlsx")
