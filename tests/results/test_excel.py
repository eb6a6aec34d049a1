"""Excel files: what is in them is what was in the tables, and what does not fit is refused."""

from __future__ import annotations

import builtins
import datetime as dt
import decimal
import sys
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pytest
from openpyxl.utils.escape import unescape

from crmlab.errors import CrmlabError, UsageError
from crmlab.results import excel
from crmlab.results.excel_sheets import sheets
from crmlab.results.export import export
from crmlab.schema.tables import TABLES, conform


def sheet(path: Path, name: str) -> list[dict[str, Any]]:
    head, *rows = openpyxl.load_workbook(path)[name].values
    return [dict(zip(head, row, strict=True)) for row in rows]


@pytest.mark.slow
def test_each_table_is_a_sheet_and_times_say_that_they_are_utc(tmp_path: Path) -> None:
    at = dt.datetime(2026, 3, 29, 1, 30, tzinfo=dt.UTC)
    calls = conform(
        pl.DataFrame(
            {
                "id": ["007"],
                "provider": ["relenta"],
                "starts_at": [at],
                "due_on": [dt.date(2026, 4, 1)],
            }
        ),
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


def test_text_stays_text_even_where_it_looks_like_a_formula_a_number_or_a_link(
    tmp_path: Path,
) -> None:
    texts = [
        "=1+1",
        "+353 1 234",
        "-5",
        "@SUM(A1)",
        "{=1}",
        "http://x.example/",
        "'quoted",
        "0012",
        "\x00\x0b",
    ]
    users = conform(pl.DataFrame({"name": texts}), TABLES["users"])

    (path,) = export({"users": users}, tmp_path, "xlsx")

    cells = next(
        column
        for column in openpyxl.load_workbook(path)["users"].columns
        if column[0].value == "name"
    )[1:]
    assert [cell.value for cell in cells[:-1]] == texts[:-1]
    assert all(
        cell.data_type == "s" and cell.quotePrefix and cell.hyperlink is None for cell in cells
    )


def test_lists_and_custom_fields_are_one_cell(tmp_path: Path) -> None:
    custom = [{"key": "k", "label": None, "value": "ü"}]
    contacts = conform(
        pl.DataFrame({"emails": [["a@b.c", "d;e"]], "custom": [custom]}), TABLES["contacts"]
    )

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
        (
            "tags",
            {"name": ["x" * 32_768]},
            r"the longest text of tags.name \(at most 32,767 characters.*\)",
        ),
        (
            "tags",
            {"name": ["😀" * 16_384]},
            r"the longest text of tags.name \(at most 32,767 characters.*\)",
        ),
        (
            "deals",
            {"close_date": [dt.date(1899, 12, 31)]},
            "the times of deals.close_date before 1900-01-01.*",
        ),
    ],
)
def test_what_excel_cannot_hold_is_refused_and_nothing_is_left(
    tmp_path: Path, table: str, columns: dict[str, Any], why: str
) -> None:
    frame = conform(pl.DataFrame(columns), TABLES[table])

    with pytest.raises(UsageError, match=f"Excel cannot hold {why}: write parquet or csv"):
        export({table: frame}, tmp_path, "xlsx")

    assert list(tmp_path.iterdir()) == []


def test_without_xlsxwriter_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = builtins.__import__

    def absent(name: str, *args: Any) -> Any:
        if name == "xlsxwriter":
            raise ImportError(name)
        return load(name, *args)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(UsageError, match="pip install xlsxwriter"):
        export({"deals": TABLES["deals"].empty()}, tmp_path, "xlsx")


def test_columns_that_differ_only_in_case_keep_all_their_rows(tmp_path: Path) -> None:
    contacts = pl.DataFrame({"id": ["1", "2"], "title": ["CEO", None], "Title": ["Dr", "Prof"]})

    (path,) = export({"relenta.contacts": contacts}, tmp_path, "xlsx")

    rows = list(openpyxl.load_workbook(path)["relenta.contacts"].values)
    assert rows == [("id", "title", "Title"), ("1", "CEO", "Dr"), ("2", None, "Prof")]


def test_a_name_that_no_sheet_can_have_is_changed_and_the_workbook_tells(tmp_path: Path) -> None:
    names = [
        "commanders_act.privacy_statistics",
        "commanders_act.privacy_statistics_by_day",
        "deals",
        "Deals",
        "a/b:c",
        "'quoted'",
        "history",
        "sheets",
        "😀" * 20,
    ]

    (path,) = export({name: pl.DataFrame({"own": [name]}) for name in names}, tmp_path, "xlsx")

    book = openpyxl.load_workbook(path)
    told = sheet(path, "sheets")
    assert [row["table"] for row in told] == names
    assert [row["rows"] for row in told] == [1] * len(names)
    assert book.sheetnames == [*(row["sheet"] for row in told), "sheets"]
    for row in told:
        assert book[row["sheet"]]["A2"].value == row["table"]
    assert {"deals", "Deals~2", "a_b_c", "quoted", "history~2"} <= set(book.sheetnames)
    assert all(len(name.encode("utf-16-le")) <= 62 for name in book.sheetnames)


def test_names_that_sheets_can_have_need_no_further_sheet(tmp_path: Path) -> None:
    (path,) = export(
        {"deals": pl.DataFrame({"a": [1]}), "summary": pl.DataFrame()}, tmp_path, "xlsx"
    )

    assert openpyxl.load_workbook(path).sheetnames == ["deals", "summary"]


@pytest.mark.parametrize(
    "text",
    [
        "<r>&</r>",
        "<r><t>other</t></r>",
        "_x0041_",
        " blanks ",
        "a\nb",
        "\u2028",
        "\U0001f600" * 16_383,
    ],
)
def test_text_comes_back_as_it_was(tmp_path: Path, text: str) -> None:
    (path,) = export({"mine": pl.DataFrame({"text": [text]})}, tmp_path, "xlsx")

    # texts stand in their cells, where openpyxl leaves the escape of ``_x`` as it is; Excel reads it (ST_Xstring)
    assert unescape(openpyxl.load_workbook(path)["mine"]["A2"].value) == text


@pytest.mark.parametrize("text", ["\x00", "\x0b", "\r", "\ufffe", "\uffff"])
def test_what_xml_cannot_hold_is_written_as_excel_does(tmp_path: Path, text: str) -> None:
    (path,) = export({"mine": pl.DataFrame({"text": [text]})}, tmp_path, "xlsx")

    # openpyxl shows the escape, Excel the character
    assert openpyxl.load_workbook(path)["mine"]["A2"].value == f"_x{ord(text):04X}_"


def test_numbers_that_excel_would_round_or_does_not_have_are_text(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {
            "long": [123_456_789_012_345_678, 1, None],
            "short": [123_456_789_012_345, -1, None],
            "exact": [decimal.Decimal("1234567890123456.78"), None, None],
            "money": [decimal.Decimal("12.50"), None, None],
            "float": [float("nan"), float("-inf"), 0.5],
        }
    )

    (path,) = export({"mine": frame}, tmp_path, "xlsx")

    first, second, third = sheet(path, "mine")
    assert (first["long"], second["long"], third["long"]) == ("123456789012345678", "1", None)
    assert (first["short"], second["short"]) == (123_456_789_012_345, -1)
    assert (first["exact"], first["money"]) == ("1234567890123456.78", 12.5)
    assert (first["float"], second["float"], third["float"]) == ("nan", "-inf", 0.5)


def test_the_first_days_of_excel_are_the_days_they_were(tmp_path: Path) -> None:
    days = [
        dt.date(1900, 1, 1),
        dt.date(1900, 2, 28),
        dt.date(1900, 3, 1),
        dt.date(2026, 7, 1),
        dt.date(9999, 12, 31),
    ]
    noons = [dt.datetime.combine(day, dt.time(12, 0, 1)) for day in days]
    frame = pl.DataFrame(
        {"day": days, "noon": noons, "milli": noons, "clock": [dt.time(23, 59, 58)] * 5}
    )

    (path,) = export({"mine": frame.cast({"milli": pl.Datetime("ms")})}, tmp_path, "xlsx")

    rows = sheet(path, "mine")
    assert [row["day"].date() for row in rows] == days
    assert [row["noon"] for row in rows] == [row["milli"] for row in rows] == noons
    assert rows[0]["clock"] == dt.time(23, 59, 58)


def test_a_time_is_refused_by_its_day_in_utc(tmp_path: Path) -> None:
    moment = dt.datetime(1900, 1, 1, 0, 30, tzinfo=dt.timezone(dt.timedelta(hours=1)))
    frame = pl.DataFrame({"at": [moment]}, schema={"at": pl.Datetime("us", "Europe/Berlin")})

    with pytest.raises(UsageError, match=r"the times of mine\.at before 1900-01-01"):
        export({"mine": frame}, tmp_path, "xlsx")


def test_all_that_is_refused_is_told_at_once_and_the_earlier_workbook_stays(tmp_path: Path) -> None:
    (path,) = export({"deals": pl.DataFrame({"a": [1]})}, tmp_path, "xlsx")
    before = path.read_bytes()
    bad = pl.DataFrame({"blob": [b"x"], "old": [dt.date(1815, 12, 10)]})

    with pytest.raises(UsageError) as refused:
        export({"mine": bad, "yours": pl.DataFrame({"note": ["x" * 40_000]})}, tmp_path, "xlsx")

    for said in (
        "Binary values of mine.blob",
        "the times of mine.old",
        "longest text of yours.note",
    ):
        assert said in str(refused.value)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_sheet_has_a_frozen_head_a_filter_formats_and_widths(tmp_path: Path) -> None:
    deals = pl.DataFrame(
        {
            "name": ["a longer name of a deal"],
            "amount": [1234.5],
            "count": [7],
            "closed_on": [dt.date(2026, 1, 2)],
        }
    )

    (path,) = export({"deals": deals}, tmp_path, "xlsx")

    shown = openpyxl.load_workbook(path)["deals"]
    assert shown.freeze_panes == "A2"
    assert shown.auto_filter.ref == "A1:D2"
    assert [shown.cell(2, place).number_format for place in range(1, 5)] == [
        "@",
        "#,##0.00",
        "0",
        "yyyy-mm-dd",
    ]
    assert shown["A1"].font.bold
    assert [round(shown.column_dimensions[name].width) for name in "ABCD"] == [25, 10, 9, 13]


@pytest.mark.parametrize("format", ["xlsx", "csv", "parquet"])
@pytest.mark.skipif(sys.platform == "win32", reason="no limit of file sizes there")
def test_a_full_disk_is_one_line_and_harms_nothing(tmp_path: Path, format: Any) -> None:
    import resource
    import signal

    (path,) = export({"deals": pl.DataFrame({"a": [1]})}, tmp_path, format)
    before = path.read_bytes()
    random = pl.DataFrame({"a": pl.Series(range(30_000)).hash()})
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(
            CrmlabError, match=r"could not be written \(File too large\); files that were"
        ) as refused:
            export({"deals": random}, tmp_path, format)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    assert "\n" not in str(refused.value)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_name_that_xml_cannot_hold_leaves_a_workbook_that_opens(tmp_path: Path) -> None:
    (path,) = export({"deals\ufffe": pl.DataFrame({"id": ["1"]})}, tmp_path, "xlsx")

    assert openpyxl.load_workbook(path).sheetnames == ["deals_", "sheets"]


def test_the_end_of_time_stays_in_its_year(tmp_path: Path) -> None:
    never = dt.datetime(9999, 12, 31, 23, 59, 59, 999_999)  # noqa: DTZ001  # Excel knows no zones

    (path,) = export({"deals": pl.DataFrame({"at": [never]})}, tmp_path, "xlsx")

    assert sheet(path, "deals")[0]["at"].year == 9999


def test_the_longest_whole_numbers_are_text(tmp_path: Path) -> None:
    longest = pl.Series("id", [2**128 - 1], dtype=pl.UInt128)

    (path,) = export({"deals": longest.to_frame()}, tmp_path, "xlsx")

    assert sheet(path, "deals")[0]["id"] == str(2**128 - 1)


def test_a_workbook_of_many_rows_is_written_a_few_rows_at_a_time(tmp_path: Path) -> None:
    rows = 100
    frame = pl.DataFrame({"id": [f"c{row}" for row in range(rows)], "row": range(rows)})
    odd = pl.col("row") % 2 == 1
    frame = frame.with_columns(
        odd=odd, part=pl.when(odd).then(pl.col("row") / 2), at=pl.lit(dt.date(2026, 1, 31))
    )

    path = tmp_path / "mine.xlsx"
    excel.write(sheets({"mine": frame, "none": frame.clear()}), path, rows_at_once=7)

    assert [row["id"] for row in sheet(path, "mine")] == frame["id"].to_list()
    assert [row["part"] for row in sheet(path, "mine")] == frame["part"].to_list()
    assert [row["odd"] for row in sheet(path, "mine")] == frame["odd"].to_list()
    assert list(openpyxl.load_workbook(path)["none"].values) == [("id", "row", "odd", "part", "at")]
    assert list(tmp_path.iterdir()) == [path]
